public import Foundation
import MienCore
import MienVision

/// An audit's groups of copies side by side, as one HTML page that needs no other file.
public struct AuditGallery: Sendable {
  /// The most groups shown: those that cross splits or disagree come first.
  public static let maximumGroups = 1000
  /// The most faces shown of a group.
  public static let maximumFaces = 24

  private let audit: FaceSetAudit

  /// Shows `audit`.
  public init(_ audit: FaceSetAudit) { self.audit = audit }

  /// The page.
  ///
  /// - Throws: ``MienError`` where a picture cannot be encoded.
  public func html() throws -> Data {
    let faces = audit.faces
    let groups = audit.groups.enumerated().sorted { a, b in
      (severity(b.element), a.offset) < (severity(a.element), b.offset)
    }.map(\.element)
    let title = "Copies in \(Self.escaped(faces.info.source))"
    var page = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <h1>\(title)</h1>
      <p>\(faces.count) faces, \(audit.groups.count) groups of copies: \
      \(audit.groups.count(where: \.isAcrossSplits)) across splits, \
      \(audit.groups.count(where: \.hasConflict)) with labels that differ.</p>

      """
    if groups.count > Self.maximumGroups {
      page += "<p>The first \(Self.maximumGroups) groups are shown; <code>--json</code> lists all.</p>\n"
    }
    for group in groups.prefix(Self.maximumGroups) {
      var marks = [group.isExact ? "exact" : "near"]
      if group.isAcrossSplits { marks.append("across splits") }
      if group.hasConflict { marks.append("labels differ") }
      page += try section(marks, group.faces)
    }
    if !audit.blank.isEmpty { page += try section(["blank"], audit.blank) }
    return Data((page + "</body>\n</html>\n").utf8)
  }

  private func severity(_ group: FaceSetAudit.Group) -> Int {
    (group.isAcrossSplits ? 2 : 0) + (group.hasConflict ? 1 : 0)
  }

  private func section(_ marks: [String], _ indices: [Int]) throws -> String {
    let words = marks.enumerated().map { "<b\($0.offset > 0 ? " class=\"bad\"" : "")>\($0.element)</b>" }
    var section = "<section><p>\(words.joined(separator: " "))</p>\n"
    for index in indices.prefix(Self.maximumFaces) {
      let face = audit.faces[index]
      let label = face.label?.rawValue ?? "no label"
      let subject = face.subject.map { "<br>\(Self.escaped($0))" } ?? ""
      let picture = try audit.faces.image(at: index).encoded(as: .png).base64EncodedString()
      section += """
        <figure><img src="data:image/png;base64,\(picture)" alt="row \(face.sourceRow)">\
        <figcaption>row \(face.sourceRow)<br>\(face.split.rawValue)<br>\(label)\(subject)</figcaption></figure>

        """
    }
    if indices.count > Self.maximumFaces { section += "<p>and \(indices.count - Self.maximumFaces) more</p>\n" }
    return section + "</section>\n"
  }

  private static let style = """
    :root{color-scheme:light dark}body{font:14px/1.4 system-ui,sans-serif;margin:2rem;max-width:80rem}\
    section{border-top:1px solid #8886;padding:.5rem 0}section>p{margin:.2rem 0}figure{display:inline-block;\
    margin:.3rem .6rem .3rem 0;vertical-align:top}img{width:96px;height:96px;image-rendering:pixelated;display:block}\
    figcaption{font-size:12px}b{font-weight:600;padding:0 .4em;border:1px solid #8888;border-radius:.6em}\
    .bad{border-color:#d55e00;color:#d55e00}
    """

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
