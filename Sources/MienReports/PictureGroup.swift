package import Foundation
import MienCore

/// Pictures that belong together, in a ``Report``.
public struct PictureGroup: Sendable {
  /// A picture with the lines below it.
  package struct Picture: Sendable {
    /// A PNG file.
    let png: Data
    let caption: [String]

    package init(png: Data, caption: [String]) { (self.png, self.caption) = (png, caption) }
  }

  private let marks: [String]
  private let pictures: [Picture]
  private let leftOut: Int

  /// Describes a group.
  ///
  /// - Parameters:
  ///   - marks: what it is, each a word that a filter may ask for.
  ///   - leftOut: how many more pictures it has.
  package init(marks: [String], pictures: [Picture], leftOut: Int = 0) {
    (self.marks, self.pictures, self.leftOut) = (marks, pictures, leftOut)
  }

  /// A mark as the name of a style class.
  private static func style(_ mark: String) -> String { "is-" + mark.replacing(" ", with: "-") }

  private var html: String {
    let words = marks.map { "<b class=\"\(Self.style($0))\">\(SVGCanvas.escaped($0))</b>" }
    let figures = pictures.map { picture in
      let caption = picture.caption.map(SVGCanvas.escaped)
      return "<figure><img src=\"data:image/png;base64,\(picture.png.base64EncodedString())\" "
        + "alt=\"\(caption.joined(separator: ", "))\"/><figcaption>\(caption.joined(separator: "<br/>"))</figcaption>"
        + "</figure>"
    }
    let more = leftOut > 0 ? "<p class=\"note\">and \(leftOut) more</p>" : ""
    return "<div class=\"group \(marks.map(Self.style).joined(separator: " "))\"><p>\(words.joined(separator: " "))</p>"
      + figures.joined() + more + "</div>"
  }

  /// Groups below buttons, each of which leaves those with one mark; without buttons if `filters` are empty.
  static func html(_ groups: [PictureGroup], filters: [String]) -> String {
    var buttons = ""
    for (index, filter) in ([nil] + filters.map(Optional.some)).enumerated() where !filters.isEmpty {
      let count = groups.count { group in filter.map(group.marks.contains) ?? true }
      buttons +=
        "<input type=\"radio\" name=\"filter\" id=\"filter-\(index)\"\(index == 0 ? " checked=\"checked\"" : "")/>"
        + "<label for=\"filter-\(index)\">\(SVGCanvas.escaped(filter ?? "all")) (\(count.grouped))</label>"
    }
    return
      "<div class=\"filtered\">\(buttons)<div class=\"groups\">\n\(groups.map(\.html).joined(separator: "\n"))\n</div></div>"
  }

  /// The rules for groups and for as many filters as there may be, which need no script.
  static func style(filters: [String]) -> String {
    let rules = filters.enumerated().map { index, filter in
      "#filter-\(index + 1):checked~.groups .group:not(.\(style(filter))){display:none}"
    }
    return """
      .filtered input{position:absolute;opacity:0}.filtered label{display:inline-block;margin:0 6px 8px 0;padding:3px 12px;\
      border:1px solid var(--line);border-radius:99px;font-size:13px;cursor:pointer}\
      .filtered input:checked+label{background:var(--link);border-color:var(--link);color:var(--ground)}\
      .filtered input:focus-visible+label{outline:2px solid var(--text);outline-offset:2px}
      .group{border-top:1px solid var(--line);padding:8px 0}.group>p{margin:2px 0}
      .group figure{display:inline-block;margin:4px 10px 4px 0;vertical-align:top}\
      .group img{display:block;width:84px;height:84px;object-fit:contain;border-radius:4px;background:#808080}\
      .group figcaption{font-size:12px;line-height:1.35}
      .group b{font-weight:500;font-size:12px;padding:1px 8px;border:1px solid var(--line);border-radius:99px}\
      .group b.is-across-splits,.group b.is-labels-differ{border-color:var(--wrong);color:var(--wrong)}
      \(rules.joined())
      @media print{.filtered input,.filtered label{display:none}.group{display:inline-block;vertical-align:top;\
      margin-right:5mm;break-inside:avoid}.group img{width:52px;height:52px}.group figcaption{font-size:7.5pt}}
      """
  }
}
