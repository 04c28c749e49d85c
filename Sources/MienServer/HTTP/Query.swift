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
        let near = Spelling.nearest(String(key), among: names, atMost: 2).map { "; did you mean \($0)?" }
        throw APIError.badRequest(
          "The query has an unknown option \(APIError.quoted(key))\(near ?? (names.isEmpty ? "." : "; it takes \(names.joined(separator: ", "))."))"
        )
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
    guard let number = Double(text), range.contains(number) else {
      throw APIError.badRequest("\(name) is a number of \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A whole number in `range`; nil where it is absent.
  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let text = values[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw APIError.badRequest("\(name) is a whole number of \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// `true` or `false`; nil where it is absent.
  func flag(_ name: String) throws -> Bool? {
    guard let text = values[name] else { return nil }
    guard let flag = Bool(text) else { throw APIError.badRequest("\(name) is true or false.") }
    return flag
  }

  /// One of `Choice`'s words.
  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ standard: Choice) throws -> Choice
  where Choice.RawValue == String {
    guard let text = values[name] else { return standard }
    guard let choice = Choice(rawValue: text) else {
      throw APIError.badRequest("\(name) is one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")).")
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
