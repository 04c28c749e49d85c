public import Foundation
import MienCore

/// What the names of class folders and the labels of a table mean (`--classes`).
///
/// Numbers mean something only here: data sets number their classes differently.
public struct ClassNames: Sendable, Equatable {
  /// Where the meanings are from, for messages: `fer2013`, `classes.txt`, `--classes`.
  public let source: String
  private let meanings: [String: Emotion]
  /// Classes that are to be left out: those with no emotion.
  private let left: Set<String>
  /// Whether numbers count the classes in alphabetical order, of which there may be seven or eight.
  private let isAlphabetical: Bool

  private init(
    _ source: String, _ meanings: [String: Emotion], left: Set<String> = [], isAlphabetical: Bool = false
  ) {
    self.source = source
    self.meanings = meanings
    self.left = left
    self.isAlphabetical = isAlphabetical
  }

  /// Reads `text`: the name of a scheme, a list (`angry,disgust,…`, numbered from 0, or `1=surprise,Natural=neutral`),
  /// or the path of a file that holds such a list.
  ///
  /// - Throws: ``MienError`` naming the option and the words at fault.
  public init(_ text: String) throws {
    let url = URL(fileURLWithPath: text)
    if let scheme = Self.schemes.first(where: { $0.name == text.lowercased() }) {
      self.init(scheme.name, Self.numbered(scheme.emotions, from: scheme.first), left: scheme.left)
    } else if text.lowercased() == "alphabetical" {
      self.init("alphabetical", [:], isAlphabetical: true)
    } else if FileManager.default.fileExists(atPath: url.path) {
      try self.init(contentsOf: url)
    } else {
      guard text.contains(where: { ",=; ".contains($0) }) else {
        throw MienError(
          .argument, "--classes \(text)",
          "no such file or scheme; expected \(Self.schemeNames), a list such as angry,disgust,fear or 1=surprise,2=fear, "
            + "or a file that holds one")
      }
      let list = try ClassList.inline(text)
      let (meanings, left) = try Self.meanings(list.entries, subject: "--classes \(text)")
      self.init("--classes", meanings, left: left)
    }
  }

  /// Reads a list of classes: lines of words, numbered from 0; lines of number and word in either order; CSV; or JSON or
  /// YAML, a list or a dictionary.
  ///
  /// - Throws: ``MienError`` naming the file and the words at fault.
  public init(contentsOf url: URL) throws {
    let list = try ClassList(contentsOf: url)
    let (meanings, left) = try Self.meanings(list.entries, subject: url.relativePath)
    self.init(url.lastPathComponent, meanings, left: left)
  }

  /// The names of the schemes.
  package static let schemeList = schemes.map(\.name) + ["alphabetical"]
  /// The schemes by name, for messages.
  public static let schemeNames = schemeList.formatted(.list(type: .or).locale(Locale(identifier: "en_GB")))

  /// The emotion that `name` stands for; nil if nothing is said of it here.
  package func emotion(_ name: String) -> Emotion? { meanings[Self.key(name)] }

  /// Whether `name` is said to stand for no emotion, so that its faces are to be left out.
  package func leavesOut(_ name: String) -> Bool { left.contains(Self.key(name)) }

  /// The number that `name` is; nil if it is no number, as `0_angry`.
  static func number(_ name: String) -> Int? {
    let text = name.trimmingCharacters(in: .whitespaces)
    return !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
  }

  /// The same for a data set with the classes `names`, whose count and order an alphabetical scheme needs.
  ///
  /// - Parameter labels: the label set that was asked for; nil for seven classes, or eight with contempt.
  /// - Throws: ``MienError`` if the numbers among `names` do not count all classes of one set.
  func resolved(for names: some Sequence<String>, labels: LabelSet?) throws -> ClassNames {
    guard isAlphabetical else { return self }
    let numbers = Set(names.compactMap(Self.number)).sorted()
    guard !numbers.isEmpty else { return self }
    let sets = labels.map { [$0] } ?? [.fer2013, .ferplus]
    guard let set = sets.first(where: { numbers == Array(0..<$0.count) }) else {
      throw MienError(
        .mismatch, "--classes alphabetical",
        "needs every number from 0 to 6 (or to 7 with contempt), found \(numbers.map(String.init).joined(separator: ", ")); "
          + "name the classes in their order: --classes angry,disgust,…")
    }
    return ClassNames(source, Self.numbered(set.emotions.sorted(), from: 0))
  }

  /// The schemes that give every one of `numbers` a meaning, each with what it says.
  static func schemes(for numbers: [Int]) -> [String] {
    var found = schemes.filter { scheme in
      scheme.name != "expw"
        && numbers.allSatisfy { (scheme.first..<(scheme.first + scheme.emotions.count)).contains($0) }
    }.map { scheme in "\(scheme.name) (\(listed(scheme.emotions, from: scheme.first)))" }
    for set in [LabelSet.fer2013, .ferplus] where numbers == Array(0..<set.count) {
      found.append("alphabetical (\(listed(set.emotions.sorted(), from: 0)))")
    }
    return found
  }

  /// FER2013's numbers, which its own CSV speaks.
  static let fer2013 = ClassNames("FER2013's numbers", numbered(LabelSet.fer2013.emotions, from: 0))
  /// RAF-DB's numbers, which its list speaks.
  static let rafdb = ClassNames("RAF-DB's numbers", scheme("rafdb"))
  /// ExpW's numbers, which its list speaks.
  static let expw = ClassNames("ExpW's numbers", scheme("expw"))
  /// CK+'s numbers, which its emotion files speak.
  static let ckplus = ClassNames("CK+'s numbers", scheme("ckplus"))

  /// How data sets number their classes, from `first` on, by their own documents.
  private static let schemes: [(name: String, first: Int, emotions: [Emotion], left: Set<String>)] = [
    ("fer2013", 0, LabelSet.fer2013.emotions, []),
    ("rafdb", 1, [.surprise, .fear, .disgust, .happiness, .sadness, .anger, .neutral], []),
    // 8 none, 9 uncertain, 10 no face.
    (
      "affectnet", 0, [.neutral, .happiness, .sadness, .surprise, .fear, .disgust, .anger, .contempt],
      ["8", "9", "10"]
    ),
    // 8 unknown, 9 no face.
    ("ferplus", 0, LabelSet.ferplus.emotions, ["8", "9"]),
    ("expw", 0, LabelSet.fer2013.emotions, []),
    ("ckplus", 0, [.neutral, .anger, .contempt, .disgust, .fear, .happiness, .sadness, .surprise], []),
    // The CSV of CK+ on data-set sites: FER2013's numbers, and contempt.
    ("ckextended", 0, LabelSet.fer2013.emotions + [.contempt], []),
  ]

  private static func scheme(_ name: String) -> [String: Emotion] {
    schemes.first { $0.name == name }.map { numbered($0.emotions, from: $0.first) } ?? [:]
  }

  private static func numbered(_ emotions: [Emotion], from first: Int) -> [String: Emotion] {
    Dictionary(uniqueKeysWithValues: zip(first..., emotions).map { ("\($0)", $1) })
  }

  private static func listed(_ emotions: [Emotion], from first: Int) -> String {
    zip(first..., emotions).map { "\($0) \($1.rawValue)" }.joined(separator: ", ")
  }

  /// The meanings of `entries`, and the classes that are to be left out.
  private static func meanings(
    _ entries: [ClassList.Entry], subject: String
  ) throws -> ([String: Emotion], left: Set<String>) {
    var meanings: [String: Emotion] = [:]
    var left: Set<String> = []
    var unknown: [String] = []
    for entry in entries {
      guard !["-", "none", ""].contains(entry.word.lowercased()) else {
        left.insert(key(entry.name))
        continue
      }
      guard let emotion = Emotion(spelling: entry.word) else {
        unknown.append(entry.word)
        continue
      }
      if let other = meanings.updateValue(emotion, forKey: key(entry.name)), other != emotion {
        throw MienError(.format, subject, "gives \(entry.name) two meanings, \(other.rawValue) and \(emotion.rawValue)")
      }
    }
    // `calm=-` leaves one class out, and the others are known by their words.
    guard !meanings.isEmpty || unknown.isEmpty && left.contains(where: { number($0) == nil }) else {
      throw MienError(.format, subject, "names no emotion; expected words such as angry")
    }
    // A file may name classes that are no emotions; whether they occur shows later.
    guard unknown.isEmpty || !subject.hasPrefix("--classes") else {
      throw MienError(
        .argument, subject,
        "\(unknown.joined(separator: ", ")): not a known emotion; expected "
          + Emotion.allCases.map(\.rawValue).joined(separator: ", ") + ", or - for a class to leave out")
    }
    return (meanings, left)
  }

  private static func key(_ name: String) -> String {
    number(name).map(String.init) ?? name.trimmingCharacters(in: .whitespaces).lowercased()
  }
}
