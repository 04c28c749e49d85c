public import Foundation

/// A page of sections as one HTML file that needs nothing else: no network, no script, no other file. It follows the
/// reader's light or dark setting, prints, and is well-formed XML.
public struct Report: Sendable {
  /// What the page is about.
  public let title: String
  /// A sentence under the title; may be empty.
  public let subtitle: String
  /// The parts, in order.
  public let sections: [ReportSection]

  /// Composes a page; sections that are nil, since their data are absent, are left out.
  public init(title: String, subtitle: String = "", sections: [ReportSection?]) {
    self.title = title
    self.subtitle = subtitle
    self.sections = sections.compactMap(\.self)
  }

  /// The page as UTF-8.
  public var data: Data { Data(html.utf8) }

  /// The page.
  public var html: String {
    let links = sections.enumerated().map { index, section in
      "<li><a href=\"#section-\(index + 1)\">\(SVGCanvas.escaped(section.title))</a></li>"
    }
    let parts = sections.enumerated().map { index, section in
      """
      <section id="section-\(index + 1)">
      <h2>\(SVGCanvas.escaped(section.title))</h2>
      \(section.blocks.map(\.html).joined(separator: "\n"))
      </section>
      """
    }
    let name = SVGCanvas.escaped(title)
    let styles = sections.flatMap(\.styles).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return """
      <!DOCTYPE html>
      <html lang="en" xmlns="http://www.w3.org/1999/xhtml">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta http-equiv="Content-Security-Policy" content="\(Self.policy)"/>
      <title>\(name)</title>
      <style>
      \(Self.style)
      \(SVGCanvas.style)
      \(styles.joined(separator: "\n"))
      </style>
      </head>
      <body>
      <header>
      <h1>\(name)</h1>
      \(subtitle.isEmpty ? "" : "<p class=\"lead\">\(SVGCanvas.escaped(subtitle))</p>")
      </header>
      <nav aria-label="Sections"><ul>\(links.joined())</ul></nav>
      <main>
      \(parts.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }

  /// A page made of others' data: a browser must load and run nothing.
  private static let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

  /// Charts that follow one another: printed in pairs, each in its narrow layout.
  private static let pair =
    "section>:is(figure:not([class]):has(+figure:not([class])),figure:not([class])+figure:not([class]))"

  private static let style = """
    :root{--ground:#ffffff;--text:#1f2328;--faint:#59636e;--line:#d1d9e0;--panel:#f6f8fa;--link:#0059a3;\
    --bar:#818b98;--right:#009e73;--wrong:#d55e00;--shadow:#0000002e}
    @media screen and (prefers-color-scheme:dark){:root{--ground:#0d1117;--text:#f0f6fc;--faint:#9ba3ac;\
    --line:#343b45;--panel:#151b23;--link:#6cb6ff;--bar:#656c76;--right:#2bc29a;--wrong:#ff8a4f;--shadow:#ffffff40}}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:32px 24px 64px;max-width:908px;background:var(--ground);color:var(--text);\
    font:15px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}
    h1{font-size:28px;line-height:1.25;margin:0;overflow-wrap:anywhere}
    h2{font-size:20px;margin:0 0 12px;padding-bottom:6px;border-bottom:1px solid var(--line)}
    .lead{color:var(--faint);margin:6px 0 0;overflow-wrap:anywhere}
    nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:4px 18px;margin:18px 0 0;padding:0}
    a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
    section{margin-top:40px}p{margin:10px 0;max-width:75ch}.note{color:var(--faint);font-size:14px}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:12px;margin:14px 0}
    .tile{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:12px 14px}
    .tile .name,.tile .detail{display:block;color:var(--faint);font-size:13px}
    .tile data{display:block;white-space:nowrap;font-size:24px;font-weight:600;font-variant-numeric:tabular-nums}
    dl{display:grid;grid-template-columns:minmax(130px,max-content) 1fr;gap:4px 20px;margin:14px 0}
    dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
    .scroll{overflow-x:auto;margin:14px 0;background:\
    linear-gradient(to right,var(--ground) 30px,transparent) 0 0/40px 100% no-repeat local,\
    linear-gradient(to left,var(--ground) 30px,transparent) 100% 0/40px 100% no-repeat local,\
    linear-gradient(to right,var(--shadow),transparent) 0 0/14px 100% no-repeat scroll,\
    linear-gradient(to left,var(--shadow),transparent) 100% 0/14px 100% no-repeat scroll}
    table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
    caption{text-align:left;color:var(--faint);padding-bottom:6px;max-width:calc(100vw - 48px)}
    th,td{padding:5px 14px 5px 0;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;    vertical-align:top}
    th:first-child,td:first-child,.text{text-align:left}\
    thead th{color:var(--faint);font-weight:500;white-space:normal;vertical-align:bottom}
    tbody th{font-weight:400}
    figure{margin:16px 0}figcaption{color:var(--faint);font-size:14px;max-width:75ch}
    .chart{display:block;width:100%;height:auto}.chart.narrow{display:none}
    td.long,th.long{white-space:normal;min-width:15em}
    .faces{display:grid;grid-template-columns:repeat(auto-fill,minmax(260px,1fr));gap:12px;margin:14px 0}
    .face{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:10px;\
    display:grid;grid-template-columns:84px 1fr;gap:6px 10px}
    .face img{width:84px;height:84px;object-fit:contain;border-radius:4px;background:#808080}
    .face figcaption{grid-column:1/3;font-size:13px;color:var(--text)}\
    .face figcaption span{display:block;color:var(--faint)}
    .face ul{list-style:none;margin:0;padding:0;font-size:11px;line-height:1.35;align-self:center}
    .face li{display:grid;grid-template-columns:66px 1fr 32px;gap:5px;align-items:center;color:var(--faint)}
    .face li.label{color:var(--text);font-weight:600}.face li span:last-child{text-align:right;white-space:nowrap}
    .maps ul{list-style:none;display:flex;flex-wrap:wrap;gap:8px;margin:6px 0 0;padding:0}\
    .maps li{width:88px;font-size:11px;color:var(--faint)}.maps img{display:block;width:88px;height:88px;border-radius:4px}
    .bar{height:8px;border-radius:2px;background:var(--bar);min-width:1px}
    .bar.right{background:var(--right)}.bar.wrong{background:var(--wrong)}
    code{font:.93em ui-monospace,'DejaVu Sans Mono',monospace}
    pre{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:12px;overflow-x:auto;\
    font:13px/1.45 ui-monospace,'DejaVu Sans Mono',monospace}
    @media (max-width:560px){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}}
    @media screen and (max-width:600px){.chart.wide{display:none}.chart.narrow{display:block;max-width:440px}}
    @media print{body{padding:0;max-width:none;font-size:9.5pt;line-height:1.4}nav{display:none}\
    *{print-color-adjust:exact;-webkit-print-color-adjust:exact}section{margin-top:14pt;orphans:1;widows:1}h1{font-size:17pt}\
    h2{font-size:13pt;margin-bottom:6pt;padding-bottom:3pt}h2,h2+p,h2+dl{break-after:avoid}\
    p,figure,.tile,.face,table,dl,pre{break-inside:avoid}.scroll+.note{break-before:avoid}\
    p,.note,figcaption{font-size:9pt;margin:5pt 0;max-width:none}figure,.scroll,.tiles,dl,.faces{margin:6pt 0}\
    .tiles{grid-template-columns:repeat(3,1fr);gap:6pt}.tile{padding:5pt 8pt}.tile data{font-size:14pt}\
    .tile .name,.tile .detail{font-size:8pt}dl{gap:1pt 12pt}dt,dd,caption{font-size:8.5pt}\
    .scroll{overflow:visible;background:none}th,td{padding:2pt 9pt 2pt 0;font-size:8.5pt}.chart{max-width:120mm}\
    pre{white-space:pre-wrap;columns:3;font-size:6.5pt;padding:6pt}\
    .faces{display:block;orphans:2;widows:2}.face{display:inline-grid;width:32%;margin:0 0 4pt;vertical-align:top;\
    grid-template-columns:52px 1fr;padding:3pt 4pt;gap:2pt 6pt}.face img{width:52px;height:52px}\
    .face figcaption{font-size:7pt;margin:0}.face ul{font-size:6.5pt;line-height:1.25}\
    .face li{grid-template-columns:46px 1fr 28px}.maps li,.maps img{width:60px}.maps img{height:60px}}
    @media print{\(pair){display:inline-block;width:48%;margin-right:1%;vertical-align:top}\
    \(pair) .wide{display:none}\(pair) .narrow{display:block}}
    @page{margin:15mm}
    """
}
