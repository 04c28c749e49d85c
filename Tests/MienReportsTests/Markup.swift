import Foundation
import FoundationXML
import Testing

/// A parsed page or picture: its elements in order, with the text directly inside each.
final class Markup: NSObject, XMLParserDelegate {
  struct Element {
    let name: String
    let attributes: [String: String]
    var text = ""
    var classes: [String] { (attributes["class"] ?? "").split(separator: " ").map(String.init) }
  }

  private(set) var elements: [Element] = []
  private var open: [Int] = []

  /// Parses `text` as XML; fails where it is not well-formed.
  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    try #require(
      parser.parse(), "not well-formed: \(String(describing: parser.parserError)), line \(parser.lineNumber)")
  }

  /// The elements called `name`, or of class `style`.
  func all(_ name: String, class style: String? = nil) -> [Element] {
    elements.filter { $0.name == name && (style.map($0.classes.contains) ?? true) }
  }

  /// The texts of the elements called `name`.
  func texts(_ name: String) -> [String] { all(name).map(\.text) }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    open.append(elements.count)
    elements.append(Element(name: name, attributes: attributes))
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if let last = open.last { elements[last].text += string }
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    open.removeLast()
  }
}
