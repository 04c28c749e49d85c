import Foundation
import MienCore
import MienDatasets
import MienTestSupport
import MienVision
import Testing

/// What `--classes` takes, by what it makes of numbered folders.
@Suite struct ClassNamesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The labels of the class folders `names` under `classes`.
  func labels(_ names: [String], _ classes: String) throws -> [String: Emotion] {
    let root = folder.file("pictures-\(UUID())")
    for name in names {
      let url = root.appendingPathComponent("\(name)/1.png")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Image(width: 2, height: 2, channels: 1, pixels: [1, 2, 3, 4]).write(to: url)
    }
    let result = try FolderImporter(classes: ClassNames(classes), side: 2).load(root)
    return Dictionary(uniqueKeysWithValues: result.summary.classes.map { ($0.name, $0.meaning) })
  }

  let digits = (0...7).map { "\($0)" }

  /// The numbering of each data set as its own documents give it.
  @Test(
    arguments: [
      ("fer2013", 0, "anger disgust fear happiness sadness surprise neutral"),
      ("rafdb", 1, "surprise fear disgust happiness sadness anger neutral"),
      ("affectnet", 0, "neutral happiness sadness surprise fear disgust anger contempt"),
      ("ferplus", 0, "neutral happiness surprise sadness anger disgust fear contempt"),
      ("expw", 0, "anger disgust fear happiness sadness surprise neutral"),
      ("ckplus", 0, "neutral anger contempt disgust fear happiness sadness surprise"),
      ("ckextended", 0, "anger disgust fear happiness sadness surprise neutral contempt"),
      ("alphabetical", 0, "anger disgust fear happiness neutral sadness surprise"),
      ("alphabetical", 0, "anger contempt disgust fear happiness neutral sadness surprise"),
    ])
  func schemesAreTheDataSetsOwn(name: String, first: Int, words: String) throws {
    let emotions = words.split(separator: " ").map { Emotion(rawValue: String($0)) }
    let names = emotions.indices.map { "\(first + $0)" }
    let found = try labels(names, name)
    #expect(names.map { found[$0] } == emotions)
  }

  @Test(arguments: [
    "angry,happy,sad", " angry , happy , sad ", "0=angry,1=happy,2=sad", "2=sad;0=angry;1=happy",
  ])
  func listsAreRead(list: String) throws {
    #expect(try labels(["0", "1", "02"], list) == ["0": .anger, "1": .happiness, "02": .sadness])
  }

  @Test(arguments: [
    ("classes.txt", "angry\nhappy\nsad\n"), ("classes.txt", "\r\nangry\r\nhappy\r\nsad"),
    ("classes.txt", "0 angry\n1 happy\n2 sad\n"), ("classes.txt", "angry 0\nhappy 1\nsad 2\n"),
    ("classes.txt", "# order\n0: angry\n1: happy\n2: sad\n"), ("classes.txt", "0. angry\n1. happy\n2. sad\n"),
    ("classes.csv", "id,name\n0,angry\n1,happy\n2,sad\n"),
    ("classes.csv", "\"0\",\"angry\"\n\"1\",\"happy\"\n\"2\",\"sad\"\n"),
    ("names.yaml", "- angry\n- happy\n- sad\n"), ("names.yaml", "0: angry\n1: happy\n2: sad\n"),
    ("data.yaml", "train: ../train\nnc: 3\nnames: ['angry', 'happy', 'sad']\n"),
    ("data.yaml", "path: x\nnames:\n  0: angry\n  1: happy\n  2: sad\nnc: 3\n"),
    ("data.yaml", "names:\n- angry\n- happy\n- sad\nnc: 3\n"), ("data.yaml", "names: {0: angry, 1: happy, 2: sad}\n"),
    ("a.json", "[\"angry\", \"happy\", \"sad\"]"), ("a.json", "{\"0\": \"angry\", \"1\": \"happy\", \"2\": \"sad\"}"),
    ("a.json", "{\"angry\": 0, \"happy\": 1, \"sad\": 2}"), ("a.json", "{\"names\": [\"angry\", \"happy\", \"sad\"]}"),
  ])
  func filesAreRead(name: String, text: String) throws {
    let url = folder.file(name)
    try Data(text.utf8).write(to: url)
    #expect(try labels(["0", "1", "2"], url.path) == ["0": .anger, "1": .happiness, "2": .sadness], "\(text)")
  }

  @Test func wordsOfOnesOwnGetAMeaningToo() throws {
    let url = folder.file("names.csv")
    try Data("folder,emotion\nNatural,neutral\nlaughing,happy\nangry,sad\n".utf8).write(to: url)
    // What is told goes before what a word usually means.
    #expect(
      try labels(["natural", "laughing", "angry", "joy"], url.path)
        == ["natural": .neutral, "laughing": .happiness, "angry": .sadness, "joy": .happiness])
  }

  @Test func classesWithoutAnEmotionAreLeftOut() throws {
    #expect(try labels(["0", "1", "2"], "-,happy,none") == ["1": .happiness])
    #expect(try labels(["0", "8", "10"], "affectnet") == ["0": .neutral])
    let url = folder.file("classes.txt")
    try Data("calm\nhappy\n".utf8).write(to: url)
    #expect(try labels(["1"], url.path) == ["1": .happiness])
    // It names no emotion for 0, which occurs.
    let error = #expect(throws: MienError.self) { try labels(["0", "1"], url.path) }
    #expect(error?.message.contains("classes.txt gives no meaning to the class folder 0") == true)
  }

  @Test func aClassIsLeftOutByItsName() throws {
    let names = try ClassNames("calm=-")
    #expect(names.leavesOut("calm") && !names.leavesOut("happy") && names.emotion("happy") == nil)
  }

  @Test func whatCannotBeReadIsSaid() throws {
    for (text, words) in [
      ("moods", "no such file or scheme; expected fer2013, rafdb,"), ("angry,bored", "bored: not a known emotion"),
      ("0=angry,happy", "for every class, or for none"), ("0=angry,0=sad", "gives 0 two meanings"),
      ("-,-", "names no emotion"),
    ] {
      let error = #expect(throws: MienError.self) { try ClassNames(text) }
      #expect(
        error?.message.contains(words) == true && error?.subject == "--classes \(text)", "\(String(describing: error))")
    }
    let url = folder.file("list.bin")
    try Data([0xFF, 0xFE, 0xFD]).write(to: url)
    #expect(throws: MienError.self) { try ClassNames(url.path) }
    #expect(throws: MienError.self) { try ClassNames(folder.url.path) }
  }
}
