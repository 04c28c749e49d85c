/// A part of a ``Report``: a heading and what stands under it.
public struct ReportSection: Sendable {
  /// The heading.
  public let title: String
  /// What stands under it, in order.
  public let blocks: [ReportBlock]

  /// Makes a section; blocks that are nil are left out.
  public init(title: String, blocks: [ReportBlock?]) {
    self.title = title
    self.blocks = blocks.compactMap(\.self)
  }

  /// The rules that its blocks need beyond those of every page.
  var styles: [String] {
    blocks.compactMap { block in
      switch block {
      case .moments: MomentStrip.style
      case .groups(_, let filters): PictureGroup.style(filters: filters)
      default: nil
      }
    }
  }
}

/// One thing in a ``ReportSection``. All texts are plain and are escaped where they are written.
public enum ReportBlock: Sendable {
  /// A paragraph.
  case text(String)
  /// A paragraph in smaller print: how to read a figure, or what limits it.
  case note(String)
  /// Large figures side by side.
  case figures([Figure])
  /// Names and values, one below the other.
  case facts([Fact])
  /// A table; the first column names the rows.
  case table(TextTable, caption: String?)
  /// A chart with a caption; it needs no title of its own if the section's heading says the same.
  case chart(any Chart, isTitled: Bool = true, caption: String?)
  /// Faces with their probabilities.
  case faces([FaceCard])
  /// Faces with the maps that explain their readings.
  case maps([MapsCard])
  /// Groups of pictures, with a button for each of `filters`, which are marks of groups. At most one block of a page has
  /// filters.
  case groups([PictureGroup], filters: [String])
  /// The pictures of a face that was followed.
  case moments(MomentStrip)
  /// Text as it is written, such as a recipe.
  case verbatim(String)

  /// A large figure.
  public struct Figure: Sendable {
    /// What it is.
    public let name: String
    /// Its exact value, for programs that read the page.
    public let value: Double
    /// The value as people read it.
    public let text: String
    /// A few words below it; may be empty.
    public let detail: String

    /// Describes a figure.
    public init(name: String, value: Double, text: String, detail: String = "") {
      self.name = name
      self.value = value
      self.text = text
      self.detail = detail
    }
  }

  /// A name and a value.
  public struct Fact: Sendable {
    /// What it is.
    public let name: String
    /// The value.
    public let value: String

    /// Describes a fact.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The block's elements.
  var html: String {
    switch self {
    case .text(let text): "<p>\(prose(text))</p>"
    case .note(let text): "<p class=\"note\">\(prose(text))</p>"
    case .verbatim(let text): "<pre>\(escaped(text))</pre>"
    case .figures(let figures):
      "<div class=\"tiles\">"
        + figures.map { figure in
          "<div class=\"tile\"><span class=\"name\">\(escaped(figure.name))</span>"
            + "<data value=\"\(figure.value)\">\(escaped(figure.text))</data>"
            + "<span class=\"detail\">\(escaped(figure.detail))</span></div>"
        }.joined(separator: "\n") + "</div>"
    case .facts(let facts):
      "<dl>" + facts.map { "<dt>\(escaped($0.name))</dt><dd>\(prose($0.value))</dd>" }.joined(separator: "\n")
        + "</dl>"
    case .table(let table, let caption): Self.html(table, caption: caption)
    case .chart(let chart, let isTitled, let caption):
      "<figure>\n"
        + ChartLayout.allCases.map { layout in
          let drawing = chart.drawing(layout)
          return (isTitled ? drawing : drawing.untitled).inline(layout.rawValue)
        }.joined(separator: "\n")
        + (caption.map { "<figcaption>\(escaped($0))</figcaption>\n" } ?? "") + "</figure>"
    case .maps(let cards): cards.map(\.html).joined(separator: "\n")
    case .moments(let strip): strip.html
    case .groups(let groups, let filters): PictureGroup.html(groups, filters: filters)
    case .faces(let faces): "<div class=\"faces\">" + faces.map(\.html).joined(separator: "\n") + "</div>"
    }
  }

  /// Escaped text whose parts between grave accents are code.
  private func prose(_ text: String) -> String {
    let parts = text.split(separator: "`", omittingEmptySubsequences: false).map { escaped(String($0)) }
    guard parts.count % 2 == 1 else { return escaped(text) }
    return parts.enumerated().map { $0.offset % 2 == 1 ? "<code>\($0.element)</code>" : $0.element }.joined()
  }

  private func escaped(_ text: String) -> String { SVGCanvas.escaped(text) }

  private static func html(_ table: TextTable, caption: String?) -> String {
    let longs = table.header.indices.map(table.isLong)
    let marks = table.header.indices.map { column in
      let classes = (column > 0 && table.isText(column) ? ["text"] : []) + (longs[column] ? ["long"] : [])
      return classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
    }
    // A recipe's key may break after its dots.
    let head = zip(table.header, marks).map { name, marks in
      "<th scope=\"col\"\(marks)>\(SVGCanvas.escaped(name).replacing(".", with: ".<wbr/>"))</th>"
    }.joined()
    let rows = table.rows.map { cells in
      let items = table.header.indices.map { column in
        let plain = SVGCanvas.escaped(column < cells.count ? cells[column] : "")
        // A line that may break does not break before a percent sign.
        let text = longs[column] ? plain.replacing(" %", with: "\u{A0}%") : plain
        return column == 0
          ? "<th scope=\"row\"\(marks[column])>\(text)</th>" : "<td\(marks[column])>\(text)</td>"
      }
      return "<tr>\(items.joined())</tr>"
    }
    let title = caption.map { "<caption>\(SVGCanvas.escaped($0))</caption>" } ?? ""
    return """
      <div class="scroll"><table>\(title)
      <thead><tr>\(head)</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      """
  }
}
