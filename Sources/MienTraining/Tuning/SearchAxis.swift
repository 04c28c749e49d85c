public import Foundation
import MienCore
import Yams

/// One recipe key that a search varies, and the values it may take.
///
/// | written | values |
/// |---|---|
/// | `8,16,32` | a list; each entry is YAML, as `[6, 16, 64],[8, 24, 96]` or `relu,gelu` |
/// | `0.2..0.6` | real numbers between the ends, drawn uniformly |
/// | `log:1e-4..1e-1` | the same, their logarithms drawn uniformly |
/// | `16..64`, `log:16..256` | whole numbers, where both ends are written as such |
public struct SearchAxis: Codable, Sendable, Equatable {
  /// The values.
  enum Values: Sendable, Equatable {
    case list([JSONValue])
    /// Whole numbers.
    case whole(ClosedRange<Int>, isLogarithmic: Bool)
    /// Real numbers.
    case real(ClosedRange<Double>, isLogarithmic: Bool)
  }

  /// The key, dotted as in `optimizer.learningRate`.
  public let key: String
  /// The values as they are written.
  public let text: String
  let values: Values

  /// Reads the values of `key`.
  ///
  /// - Throws: ``MienError`` naming the key, where `text` is no list and no range.
  public init(key: String, values text: String) throws {
    self.key = key
    self.text = text
    values = try Self.values(of: text, subject: "\(key)=\(text)")
  }

  /// Reads `KEY=VALUES`.
  public init(option: String) throws {
    guard let separator = option.firstIndex(of: "="), separator != option.startIndex else {
      throw MienError(.argument, "--search \(option)", "expected KEY=VALUES, as batchSize=16,32")
    }
    try self.init(
      key: String(option[..<separator]), values: String(option[option.index(after: separator)...]))
  }

  /// Reads a YAML file: a mapping of keys to lists, or to ranges as text.
  ///
  /// - Throws: ``MienError`` naming the file, where it is none, or a value is no list and no range.
  public static func read(_ url: URL) throws -> [SearchAxis] {
    let text = try FileProblem.text(of: url, expected: "recipe keys and values (YAML)")
    let node: Node?
    do { node = try compose(yaml: text) } catch { throw MienError.notYAML(url.relativePath, error) }
    guard case .mapping(let mapping)? = node else {
      throw MienError(
        .format, url.relativePath, "expected a mapping of recipe keys to values, as `batchSize: [16, 32]`")
    }
    return try mapping.map { key, value in
      guard case .sequence(let sequence) = value else {
        return try SearchAxis(key: key.string ?? "", values: value.string ?? "")
      }
      let entries = try sequence.map { try JSONValue($0).jsonText }
      return try SearchAxis(key: key.string ?? "", values: entries.joined(separator: ","))
    }
  }

  private static func values(of text: String, subject: String) throws -> Values {
    let isLogarithmic = text.hasPrefix("log:")
    let ends = text.dropFirst(isLogarithmic ? 4 : 0).components(separatedBy: "..")
    let order = MienError(
      .argument, subject, "expected a range LOW..HIGH with LOW below HIGH\(isLogarithmic ? " and above 0" : "")")
    if ends.count == 2, ends.allSatisfy(isWhole) {
      guard let low = Int(ends[0]), let high = Int(ends[1]) else {
        throw MienError(.argument, subject, "expected whole numbers from \(Int.min) to \(Int.max)")
      }
      guard low < high, !isLogarithmic || low > 0 else { throw order }
      return .whole(low...high, isLogarithmic: isLogarithmic)
    }
    if ends.count == 2, let low = Double(ends[0]), let high = Double(ends[1]) {
      guard low.isFinite, high.isFinite, low < high, !isLogarithmic || low > 0 else { throw order }
      guard (isLogarithmic ? high / low : high - low).isFinite else {
        throw MienError(.argument, subject, "the ends of the range are too far apart")
      }
      return .real(low...high, isLogarithmic: isLogarithmic)
    }
    guard !isLogarithmic, ends.count == 1, let node = try? compose(yaml: "[\(text)]"),
      case .sequence(let sequence) = node, !sequence.isEmpty
    else { throw MienError(.argument, subject, "expected a list a,b,c or a range LOW..HIGH or log:LOW..HIGH") }
    let list = try sequence.map { try JSONValue($0) }
    guard Set(list).count == list.count else {
      throw MienError(.argument, subject, "expected a list without repeats")
    }
    return .list(list)
  }

  /// ``text`` as people write it: words without quotes.
  package var plainText: String {
    guard case .list(let list) = values, list.contains(where: { if case .string = $0 { true } else { false } }) else {
      return text
    }
    return list.map(\.plainText).joined(separator: ",")
  }

  /// Whether `text` is written as a whole number, of any size.
  private static func isWhole(_ text: String) -> Bool {
    let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    return !digits.isEmpty && digits.allSatisfy { ("0"..."9").contains($0) }
  }

  /// A value drawn at random. Real numbers have four significant digits, so that what is tried is what is shown; more in
  /// a range that is narrow for its place, as 0.999..0.9999.
  func draw(_ random: inout SeededRandom) -> JSONValue {
    switch values {
    case .list(let list): return list[Int.random(in: list.indices, using: &random)]
    case .whole(let range, isLogarithmic: false): return .integer(Int.random(in: range, using: &random))
    case .whole(let range, isLogarithmic: true):
      let ends = Double(range.lowerBound)...Double(range.upperBound)
      // The end as a real number may lie above the largest whole one.
      let value = Int(exactly: Self.logarithmic(in: ends, &random).rounded()) ?? range.upperBound
      return .integer(min(max(value, range.lowerBound), range.upperBound))
    case .real(let range, let isLogarithmic):
      let value =
        isLogarithmic
        ? Self.logarithmic(in: range, &random)
        : range.lowerBound + (range.upperBound - range.lowerBound) * Double(random.uniform())
      let isNarrow = range.upperBound - range.lowerBound < 0.01 * max(abs(range.lowerBound), abs(range.upperBound))
      let rounded = Double(String(format: isNarrow ? "%.8g" : "%.4g", value)) ?? value
      return .number(min(max(rounded, range.lowerBound), range.upperBound))
    }
  }

  /// A draw with equal odds for each decade.
  private static func logarithmic(in range: ClosedRange<Double>, _ random: inout SeededRandom) -> Double {
    range.lowerBound * pow(range.upperBound / range.lowerBound, Double(random.uniform()))
  }

  private enum CodingKeys: String, CodingKey { case key, text }

  /// Decodes what ``init(key:values:)`` reads.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      key: container.decode(String.self, forKey: .key), values: container.decode(String.self, forKey: .text))
  }
}

extension JSONValue {
  /// The value as JSON, which is YAML too.
  var jsonText: String {
    get throws { String(decoding: try JSONText.line(self), as: UTF8.self) }
  }

  /// The value as people write it in a table: text without quotes.
  public var plainText: String {
    if case .string(let text) = self { return text }
    return (try? jsonText) ?? ""
  }
}
