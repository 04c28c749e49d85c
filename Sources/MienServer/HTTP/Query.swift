import Foundation
import Hummingbird
import MienCore
import MienVision

/// The options of a query string. A name that is not known, or a value that is not right, is refused rather than passed
/// over.
struct Query {
  private var values: [String: String] = [:]

  init(_ request: Request, _ names: String...) throws { try self.init(request, names) }

  init(_ request: Request, _ names: [String]) throws {
    for (key, value) in request.uri.queryParameters {
      guard let name = names.first(where: { $0 == key }) else {
        throw APIError.unknown(String(key), "The query has an unknown option", among: names)
      }
      guard values[name] == nil else { throw APIError.badRequest("The query has the option \(name) twice.") }
      values[name] = String(value)
    }
  }

  /// The text of `name`; nil where it is absent.
  func text(_ name: String) -> String? { values[name] }

  /// A number in `range`; nil where it is absent.
  func number(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
    guard let text = values[name] else { return nil }
    guard let number = Double(decimal: text), range.contains(number) else {
      throw APIError.unexpected(
        name, "a decimal number from \(range.lowerBound.shortText) to \(range.upperBound.shortText)",
        found: APIError.quoted(text))
    }
    return number
  }

  /// A whole number in `range`; nil where it is absent.
  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text = values[name] else { return nil }
    guard let number = Int(decimal: text), range.contains(number) else {
      throw APIError.unexpected(
        name, "a whole number from \(range.lowerBound) to \(range.upperBound)", found: APIError.quoted(text))
    }
    return number
  }

  /// `true` or `false`; nil where it is absent.
  func flag(_ name: String) throws -> Bool? {
    guard let text = values[name] else { return nil }
    guard let flag = Bool(text) else {
      throw APIError.unexpected(name, "true or false", found: APIError.quoted(text))
    }
    return flag
  }

  /// One of `Choice`'s words.
  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ standard: Choice) throws -> Choice
  where Choice.RawValue == String {
    guard let text = values[name] else { return standard }
    guard let choice = Choice(rawValue: text) else {
      throw APIError.unexpected(
        name, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))", found: APIError.quoted(text))
    }
    return choice
  }

  /// The names of a box's options.
  static let boxNames = ["x", "y", "width", "height"]

  /// A face's box in pixels; nil where none is named, and the picture is the face.
  func box() throws -> Box? {
    let values = try Self.boxNames.compactMap { name in
      try integer(name, in: (["x", "y"].contains(name) ? 0 : 1)...100_000)
    }
    if values.isEmpty { return nil }
    guard values.count == 4 else { throw APIError.badRequest("A box has x, y, width and height.") }
    return Box(x: values[0], y: values[1], width: values[2], height: values[3])
  }

  /// One of the emotions of `labels`; nil where none is named.
  func emotion(of labels: LabelSet) throws -> Emotion? {
    guard let text = values["emotion"] else { return nil }
    guard let emotion = Emotion(rawValue: text), labels.index(of: emotion) != nil else {
      throw APIError.badRequest(
        "emotion is one of \(labels.emotions.sorted().map(\.rawValue).joined(separator: ", ")).")
    }
    return emotion
  }
}

extension Double {
  /// A number in decimal notation, such as `0.4`, `.5` or `1e-3`. `-0` is 0.
  ///
  /// - Parameter text: `nil` results for other notations that Swift reads, such as `0x1p-1`, `+20` and `inf`.
  init?(decimal text: some StringProtocol) {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || ".-+eE".utf8.contains($0) }),
      text.utf8.first != UInt8(ascii: "+"), let number = Double(text)
    else { return nil }
    self = number == 0 ? 0 : number
  }
}

extension Int {
  /// A whole number in decimal notation without a plus sign.
  init?(decimal text: some StringProtocol) {
    guard text.utf8.first != UInt8(ascii: "+"), let number = Int(text) else { return nil }
    self = number
  }
}
