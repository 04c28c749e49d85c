import Foundation
import MienCore
import MienTestSupport
import Testing

/// The data sets among the cases, imported as their users did; each file and folder that `truth.json` describes is one.
@Suite(.enabled(if: Cases.exist, "\(Cases.missing)")) struct DatasetCaseTests {
  let folder: TemporaryFolder
  var output: String { folder.file("faces.safetensors").path }

  init() throws { folder = try TemporaryFolder() }

  func load(_ format: String, _ path: String, _ options: String...) throws -> Command.Outcome {
    try? FileManager.default.removeItem(atPath: output)
    return try Command.run(
      Command.mien.path, ["dataset", "import", format, Cases.url(path).path, "-o", output] + options)
  }

  func made() throws -> FaceSet { try FaceSet(contentsOf: URL(fileURLWithPath: output)) }

  /// Holds the faces that were made against the counts of `truth.json`.
  func expectCounts(_ path: String, _ outcome: Command.Outcome) throws {
    guard outcome.status == 0 else {
      Issue.record("\(path): \(outcome.errors)")
      return
    }
    let (faces, truth) = (try made(), Cases.truth(of: path))
    #expect(faces.count == truth["faces"] as? Int, "\(path)")
    for split in Split.allCases {
      guard let count = truth[split.rawValue] as? Int else { continue }
      #expect(faces.indices(in: split).count == count, "\(path): \(split.rawValue)")
    }
    if let subjects = truth["subjects"] as? Int { #expect(faces.info.subjects.count == subjects, "\(path)") }
    if let sequences = truth["sequences"] as? Int { #expect(faces.info.sequences.count == sequences, "\(path)") }
    // What was understood is said at every import.
    #expect(outcome.errors.contains("labels (") && outcome.errors.contains("parts: "), "\(path)")
  }

  /// Tables of faces; that with labels of its own has a test of its own.
  static let tables = Cases.paths(in: "fer2013-csv").filter {
    Cases.truth(of: $0)["faces"] != nil && !$0.contains("labels-0-to-7")
  }

  @Test(arguments: tables) func tablesAreRead(path: String) throws { try expectCounts(path, load("fer2013", path)) }

  @Test func labelsOfAnotherSetAreNamedUnlessTold() throws {
    let path = "fer2013-csv/labels-0-to-7.csv"
    let refused = try load("fer2013", path)
    #expect(refused.status == 1 && !FileManager.default.fileExists(atPath: output))
    for word in ["line 9", "`7`", "contempt", "--classes ckextended"] { #expect(refused.errors.contains(word)) }
    try expectCounts(path, load("fer2013", path, "--classes", "ckextended"))
    #expect(Set((0..<42).map { try? made()[$0].label }).count == 8)
  }

  static let votes = Cases.paths(in: "fer2013-csv").filter { Cases.truth(of: $0)["rows"] != nil }

  @Test(arguments: votes) func votesGoWithTheirRowsOrAreRefused(path: String) throws {
    let outcome = try load("fer2013", "fer2013-csv/fer2013.csv", "--votes", Cases.url(path).path)
    let mismatch = ["votes-shifted.csv": "line 29", "votes-rows-dropped.csv": "line 28"]
    if let line = mismatch[URL(fileURLWithPath: path).lastPathComponent] {
      #expect(outcome.status == 1)
      for word in [Cases.url(path).path, "fer2013-csv/fer2013.csv", line] { #expect(outcome.errors.contains(word)) }
    } else {
      #expect(outcome.status == 0, "\(outcome.errors)")
      let faces = try made()
      #expect(faces.count == 42 && (0..<42).allSatisfy { faces.votes(at: $0) != nil })
    }
  }

  /// Folders whose counts are known, and which are read as they are.
  static let readable = Cases.paths(in: "folders").filter {
    Cases.truth(of: $0)["faces"] != nil && Cases.truth(of: $0)["bad"] == nil
  }

  @Test(arguments: readable) func foldersAreRead(path: String) throws { try expectCounts(path, load("folders", path)) }

  static let numbered = Cases.paths(in: "folders").filter { Cases.truth(of: $0)["digits"] != nil }

  /// Refused or right: never imported with another meaning.
  @Test(arguments: numbered) func numbersAreNeverGuessed(path: String) throws {
    let digits = (Cases.truth(of: path)["digits"] as? [String: String] ?? [:]).compactMapValues(Emotion.init(spelling:))
    let outcome = try load("folders", path)
    if outcome.status == 0 {
      for (digit, emotion) in digits where outcome.errors.contains("\(digit) = ") {
        #expect(outcome.errors.contains("\(digit) = \(emotion.rawValue) ("), "\(outcome.errors)")
      }
      #expect(try made().count > 0)
    } else {
      #expect(outcome.status == 1 && outcome.errors.contains("are numbers") && outcome.errors.contains("--classes "))
    }
    // With a list of what they mean they are read, but for RAF-DB's own list, which tells itself.
    guard !path.contains("original") else { return }
    let list = digits.map { "\($0)=\($1.rawValue)" }.joined(separator: ",")
    let told = try load("folders", path, "--classes", list)
    #expect(told.status == 0, "\(told.errors)")
    for (digit, emotion) in digits where told.errors.contains("\(digit) = ") {
      #expect(told.errors.contains("\(digit) = \(emotion.rawValue) ("), "\(told.errors)")
    }
  }

  @Test(arguments: ["rafdb-1-to-7", "rafdb-1-to-6"]) func digitsOfRAFDBAreNamed(name: String) throws {
    #expect(try load("folders", "folders/\(name)").errors.contains("RAF-DB"))
    let outcome = try load("folders", "folders/\(name)", "--classes", "rafdb")
    #expect(outcome.status == 0 && outcome.errors.contains("4 = happiness"))
  }

  @Test func originalsOfRAFDBAreReadByTheirList() throws {
    #expect(try load("folders", "folders/rafdb-original").status == 0)
    let faces = try made()
    let digits: [Emotion] = [.surprise, .fear, .disgust, .happiness, .sadness, .anger, .neutral]
    let list = try String(
      contentsOf: Cases.url("folders/rafdb-original/basic/EmoLabel/list_patition_label.txt"), encoding: .utf8)
    let labels = list.split { $0.isWhitespace }.compactMap { Int($0) }.map { digits[$0 - 1] }
    #expect(faces.count == labels.count && (0..<faces.count).map { faces[$0].label } == labels)
    #expect(faces.indices(in: .train).count == 5 && faces.indices(in: .test).count == 2)
  }

  @Test(arguments: ["folders", "ckplus48"]) func ckPlusAsHandedOutIsRead(format: String) throws {
    #expect(try load(format, "folders/ckplus-original").status == 0)
    let (faces, truth) = (try made(), Cases.truth(of: "folders/ckplus-original"))
    #expect(faces.info.sequences.count == truth["sequences"] as? Int)
    #expect(faces.info.subjects.count == truth["subjects"] as? Int)
    let labels = Dictionary(uniqueKeysWithValues: (0..<faces.count).map { (faces[$0].sequence ?? "", faces[$0].label) })
    #expect(labels == ["S901_001": .happiness, "S901_002": .surprise, "S902_001": .anger])
  }

  @Test func ckPlus48IsRead() throws { try expectCounts("folders/ckplus48", load("ckplus48", "folders/ckplus48")) }

  @Test(arguments: ["flat-jaffe-names", "flat-kdef-names"]) func fileNamesTell(name: String) throws {
    #expect(try load("folders", "folders/\(name)").status == 0)
    let faces = try made()
    #expect(Set((0..<faces.count).map { faces[$0].label }) == [.anger, .happiness, .neutral])
    #expect(faces.count == 3 && faces.info.subjects.count == 1)
  }

  @Test func spellingsThatAreNotKnownAreNamedAtOnce() throws {
    let refused = try load("folders", "folders/class-spellings")
    #expect(refused.status == 1)
    for word in ["Natural", "calm", "suprise", "neutrality"] { #expect(refused.errors.contains(word)) }
    let told = try load(
      "folders", "folders/class-spellings", "--classes", "Natural=neutral,calm=-,suprise=surprise")
    #expect(told.status == 0)
    let faces = try made()
    let counts = Dictionary((0..<faces.count).map { (faces[$0].label, 1) }, uniquingKeysWith: +)
    #expect(counts == [.anger: 2, .happiness: 1, .neutral: 1, .surprise: 1])
  }

  @Test func litterIsNamed() throws {
    let truth = Cases.truth(of: "folders/litter")
    let plain = try load("folders", "folders/litter")
    #expect(
      plain.errors.contains("features.npy") && plain.errors.contains("litter/sad: the class folder holds no picture"))
    #expect(plain.status == 0 || (plain.status == 1 && plain.errors.contains("moving.gif")))
    let skipped = try load("folders", "folders/litter", "--skip-bad")
    #expect(skipped.status == 0 && skipped.errors.contains("features.npy"))
    let readsGIF = !skipped.errors.contains("moving.gif")
    #expect(try made().count == truth[readsGIF ? "withGIF" : "faces"] as? Int)
  }

  @Test func aFolderWhoseNameStartsWithADashIsToldFromOptions() throws {
    let outcome = try Command.mien("dataset", "import", "folders", "-dash", "-o", output)
    #expect(outcome.status == 64 && outcome.output.isEmpty && outcome.errors.contains("./-dash"))
  }
}
