import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienDatasets

/// `mien dataset split FACES -o OUT`.
struct DatasetSplit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Splits the faces of a set into train, validation and test.",
    discussion: """
      Shares sum to 1 (default: 0.8, 0.1 and 0.1). --validation alone takes its share from the training part and leaves \
      the others as they are. Pictures of one person, or of one sequence, stay together if they are known; each class has \
      its share of each part as far as that allows.
      """)

  @Argument(help: "A file made by mien dataset import.")
  var faces: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The file to write.", valueName: "faces.safetensors"))
  var output: String

  @Option(help: ArgumentHelp("Share to train on.", valueName: "share"))
  var train: Double?

  @Option(help: ArgumentHelp("Share to choose models by.", valueName: "share"))
  var validation: Double?

  @Option(help: ArgumentHelp("Share to measure on at the end.", valueName: "share"))
  var test: Double?

  @Option(help: "What stays together (default: subject, else sequence, if every face has one).")
  var by: FaceGrouping?

  @Flag(help: "Draw without regard to classes.")
  var noStratify = false

  @Option(help: "The seed of the draw.")
  var seed: UInt64 = 1

  func validate() throws {
    guard rule.problem != nil else { return }
    let given = [("--train", train), ("--validation", validation), ("--test", test)].compactMap { name, share in
      share.map { (name, $0) }
    }
    func text(_ shares: [(String, Double)]) -> String { shares.map { "\($0) \($1)" }.joined(separator: " ") }
    // Percentages are taken for shares of a hundred.
    let shares = given.map { ($0, $1 / 100) }
    let isPercent = abs(shares.reduce(0) { $0 + $1.1 } - 1) < 1e-6 && shares.allSatisfy { $0.1 >= 0 }
    // Two shares leave the third.
    let rest = ((1 - given.reduce(0) { $0 + $1.1 }) * 1e6).rounded() / 1e6
    let all = [("--train", train ?? rest), ("--validation", validation ?? rest), ("--test", test ?? rest)]
    let isThirdMissing = given.count == 2 && rest > 0 && given.allSatisfy { $0.1 >= 0 } && all[0].1 > 0
    throw ValidationError(
      "\(text(given)): expected shares that sum to 1, with --train above 0, or --validation alone, below 1"
        + (isPercent ? "; write \(text(shares))" : isThirdMissing ? "; write \(text(all))" : ""))
  }

  func run() async throws {
    try ResultFile.check(["--output": output], inputs: [faces])
    let set = try FaceSet.given(faces)
    var rule = rule
    rule.groupBy = by ?? FaceGrouping.finest(of: set.splitFaces)
    let result: FaceSet
    do { result = try set.split(by: rule) } catch let error as MienError {
      // A recipe names its seed in another way.
      let message = error.message.replacing("choose another seed", with: "choose another --seed")
      throw MienError(error.kind, explained(error), message)
    }
    try result.write(to: URL(fileURLWithPath: output))
    ResultFile.wrote(output)
    let parts = Split.allCases.map { "\(result.indices(in: $0).count.grouped) \($0.rawValue)" }.joined(separator: ", ")
    Console.error(result.info.history?.last ?? rule.description)
    if by == nil, rule.groupBy != .subject, set.splitFaces.contains(where: { $0.subject == nil }) {
      Console.warning(
        "people are unknown: the set does not say who each face shows, and one person may be in two parts; `mien dataset "
          + "import` reads it from file names such as S001_001_00000001.png")
    }
    if rule.groupBy == .subject { for line in Self.people(of: result) { Console.error(Console.printable(line)) } }
    Console.error("\(output): \(Spelling.counted(result.count, "face")) (\(parts))")
  }

  /// A line for each part that has faces: who is in it, with the number of their pictures.
  private static func people(of set: FaceSet) -> [String] {
    Split.allCases.compactMap { split in
      let counts = Dictionary(set.indices(in: split).map { (set[$0].subject ?? "", 1) }, uniquingKeysWith: +)
      guard !counts.isEmpty else { return nil }
      let names = counts.sorted { $0.key < $1.key }.prefix(shownPeople).map { "\($0.key) (\($0.value.grouped))" }
      let more = counts.count > names.count ? ", … \(counts.count.grouped) people" : ""
      return "\(split.rawValue): \(names.joined(separator: ", "))\(more)"
    }
  }

  /// How many people of a part are named.
  private static let shownPeople = 10

  private var rule: SplitRule {
    var rule = SplitRule()
    if train == nil, validation == nil, test == nil {
      (rule.train, rule.validation, rule.test) = (0.8, 0.1, 0.1)
    } else {
      (rule.train, rule.validation, rule.test) = (train ?? 0, validation ?? 0, test ?? 0)
    }
    (rule.stratify, rule.seed) = (!noStratify, seed)
    return rule
  }

  /// The option for the key of a recipe that an error is about.
  private func explained(_ error: MienError) -> String {
    switch error.subject {
    case let subject? where subject.hasPrefix("split.groupBy "): "--by " + subject.dropFirst("split.groupBy ".count)
    case let subject? where subject.hasPrefix("split."): "--" + subject.dropFirst("split.".count)
    default: faces
    }
  }
}
