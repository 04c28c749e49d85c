import Foundation
import MienCore
import MienDatasets
import MienTestSupport
import Testing

@Suite struct FER2013ImporterTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// 48x48 values, all `value`.
  func pixels(_ value: Int, count: Int = 2304) -> String {
    [String](repeating: String(value), count: count).joined(separator: " ")
  }

  func load(
    _ csv: String, votes: String? = nil, named name: String = "faces.csv", classes: String? = nil
  ) throws -> ImportResult {
    let url = folder.file(name)
    try Data(csv.utf8).write(to: url)
    if let votes { try Data(votes.utf8).write(to: folder.file("votes.csv")) }
    let importer = FER2013Importer(
      votes: votes.map { _ in folder.file("votes.csv") }, classes: try classes.map { try ClassNames($0) })
    return try importer.load(.file(url))
  }

  /// What is wrong with `csv`: the error, or the only row that cannot be used.
  func message(_ csv: String, votes: String? = nil) throws -> String {
    var error: MienError?
    do {
      let rejected = try load(csv, votes: votes).rejected
      #expect(rejected.count == 1)
      error = rejected.first.first
    } catch let failure as MienError { error = failure }
    return error?.description.replacingOccurrences(of: folder.url.path + "/", with: "") ?? ""
  }

  let header = "emotion,pixels,Usage\n"
  let votesHeader = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"

  @Test func rowsBecomeFaces() throws {
    let faces = try load(header + "0,\(pixels(7)),Training\n6,\(pixels(255)),PublicTest\n3,\(pixels(0)),PrivateTest\n")
      .faces
    #expect(faces.info.source == "fer2013" && faces.labelSet == .fer2013)
    #expect((0..<3).map { faces[$0].label } == [.anger, .neutral, .happiness])
    #expect((0..<3).map { faces[$0].split } == [.train, .validation, .test])
    #expect(faces.face(at: 1) == [UInt8](repeating: 255, count: 2304))
    #expect(faces.width == 48 && faces.height == 48 && faces.channels == 1 && !faces.hasVotes)
  }

  @Test func harmlessVariationsAreRead() throws {
    let row = "\(pixels(9))"
    let plain = try load(header + "1,\(row),Training\n2,\(row),PublicTest\n").faces
    let variants = [
      "\u{FEFF}emotion,pixels,Usage\r\n1,\(row),Training\r\n2,\(row),PublicTest",
      "\"emotion\",\"pixels\",\"Usage\"\n\"1\",\"\(row)\",\"Training\"\n\n\"2\",\" \(row) \",\"PublicTest\"\n\n",
      "emotion, Usage, pixels\n1,Training,\(row)\n2, PublicTest , \(row) \n",
      "id,PIXELS,usage,Emotion\n\"a,b\",\(row),training,1\n,\(row),PUBLICTEST,2\n",
      "emotion,pixels,Usage\n1,\(row.replacingOccurrences(of: " ", with: "  ")),Training\n02,\(row),PublicTest\n",
      "emotion;pixels;Usage\n1;\(row);Training\n2;\(row);PublicTest\n",
      "emotion;pixels;Usage;;\n1;\(row);Training;;\n2;\(row);PublicTest;;\n",
      "emotion\tpixels\tUsage\n1\t\(row)\tTraining\n2\t\(row)\tPublicTest\n",
      "emotion|pixels|Usage\n1|\(row)|Training\n2|\(row)|PublicTest\n",
      "emotion,pixels,Usage\r1,\(row),Training\r2,\(row),PublicTest\r",
      "emotion,pixels,split\nDisgust,\(row),train\nfear,\(row),val\n",
      "label,pixels,Usage\n1.0,\(row),training\n2.0,\(row),Validation\n",
      "emotion,pixels,Usage\n1,\"[\(row.replacingOccurrences(of: " ", with: ", "))]\",Training\n2,\(row),valid\n",
      "emotion,pixels,Usage\n1,\(row.replacingOccurrences(of: " ", with: ".0 ")),Training\n2,\(row),dev\n",
      "emotion,pixels,Usage\n1,\(row),Training\nemotion,pixels,Usage\n2,\(row),PublicTest\n",
      "1,\(row),Training\n2,\(row),PublicTest\n",
      "Training,1,\(row)\nPublicTest,2,\(row)\n",
    ]
    for variant in variants {
      let faces = try load(variant).faces
      #expect(faces.pixels == plain.pixels && (0..<2).allSatisfy { faces[$0] == plain[$0] }, "\(variant.prefix(60))")
    }
  }

  @Test func doubledQuotesStayWithinTheirField() throws {
    let row = "\"he said \"\"a, b\"\"\",0,\(pixels(1)),\"Training\"\n"
    #expect(try load("note,emotion,pixels,Usage\n" + row).faces.count == 1)
  }

  /// A comma with a combining mark is one character, and a comma to those who read the file.
  @Test func fieldsAreQuotedWhateverFollowsTheirCommas() {
    let line = CSVLine.text(["a,\u{301}b", "c\"\u{301}d", "e\u{301}"])
    #expect(Array(line.utf8) == Array("\"a,\u{301}b\",\"c\"\"\u{301}d\",e\u{301}\r\n".utf8))
  }

  @Test func badRowsAreNamedByLine() throws {
    let good = "0,\(pixels(1)),Training\n"
    let cases: [(row: String, words: String)] = [
      ("0,\(pixels(1, count: 2303)),Training", "expected 2,304 pixels, found 2,303"),
      ("0,\(pixels(1, count: 2305)),Training", "expected 2,304 pixels, found 2,305"),
      ("0,,Training", "expected 2,304 pixels, found 0"),
      ("0,\(pixels(256)),Training", "pixel 1: expected 0 to 255, found 256"),
      ("0,1 2 300 4,Training", "pixel 3: expected 0 to 255, found 300"),
      ("0,1 -2 3,Training", "pixel 2: expected a whole number of 0 to 255, found `-2`"),
      ("0,1 2.5 3,Training", "pixel 2: expected a whole number of 0 to 255, found `2.5`"),
      ("0,99999999999999999999999 1,Training", "pixel 1: expected a whole number"),
      ("0,1 \u{1}\u{FF},Training", "found `???`"),
      ("7,\(pixels(1)),Training", "expected a label of 0 to 6, found `7`; 7 is contempt"),
      ("8,\(pixels(1)),Training", "expected a label of 0 to 6, found `8`"),
      ("calm,\(pixels(1)),Training", "expected a label of 0 to 6, found `calm`"),
      ("-1,\(pixels(1)),Training", "expected a label of 0 to 6, found `-1`"),
      (",\(pixels(1)),Training", "expected a label of 0 to 6, found ``"),
      (
        "0,\(pixels(1)),Later",
        "expected a usage of Training, PublicTest or PrivateTest (or train, val or test), found `Later`"
      ),
      ("0,\(pixels(1)),", "found ``"),
      ("0,\(pixels(1))", "expected 3 fields, found 2"),
      ("0,\(pixels(1)),Training,x", "expected 3 fields, found 4"),
    ]
    for (row, words) in cases {
      let text = try message(header + good + row + "\n" + good)
      #expect(text.hasPrefix("faces.csv, line 3: ") && text.contains(words), "\(text)")
    }
  }

  @Test func badRowsAreCounted() throws {
    let good = "0,\(pixels(1)),Training\n"
    let bad = "0,1 2 3,Training\n"
    let result = try load(header + bad + good + String(repeating: bad, count: 118) + good)
    #expect(result.faces.count == 2)
    #expect((0..<2).map { result.faces[$0].sourceRow } == [1, 120])
    #expect(result.rejected.count == 119 && result.rejected.first.count == Rejections.shown)
    #expect(result.rejected.first.first?.subject?.hasSuffix("faces.csv, line 2") == true)
    let error = #expect(throws: MienError.self) { try load(header + bad + bad) }
    #expect(error?.message.contains("has no usable row: ") == true)
    #expect(error?.message.hasSuffix("expected 2,304 pixels, found 3; 1 more could not be used") == true)
  }

  @Test(
    arguments: [
      ("train.csv", .train), ("faces.csv", .train), ("test.csv", .test), ("test_with_emotions.csv", .test),
      ("fer2013-val.csv", .validation), ("train-test.csv", .train), ("contest.csv", .train),
    ] as [(String, Split)])
  func withoutUsagesTheFilesNameTellsThePart(name: String, split: Split) throws {
    let result = try load("emotion,pixels\n3,\"\(pixels(4))\"\n", named: name)
    #expect(result.faces[0].split == split && result.faces[0].label == .happiness)
    let parts = result.summary.lines(.fer2013)[1]
    #expect(parts.contains("\(name) = ") || parts == "parts: none named; every face is in train", "\(parts)")
    let lines = try load("pixels\n\(pixels(4))\n", named: name)
    #expect(lines.faces[0].label == nil && lines.faces[0].split == split)
    #expect(lines.summary.notes.contains { $0.contains("no column emotion") })
  }

  @Test func otherNumbersNeedASchemeThatSaysSo() throws {
    let csv = "emotion,pixels,Usage\n0,\(pixels(1)),Training\n7,\(pixels(1)),Training\n"
    let extended = try load(csv, classes: "ckextended")
    #expect(extended.faces.labelSet == .ferplus && (0..<2).map { extended.faces[$0].label } == [.anger, .contempt])
    #expect(extended.summary.labelling == "the column emotion, by ckextended")
    let list = try load(csv, classes: "0=joy,7=sad").faces
    #expect(list.labelSet == .fer2013 && (0..<2).map { list[$0].label } == [.happiness, .sadness])
    #expect(try load(csv, classes: "rafdb").rejected.first.first?.message.contains("rafdb gives no meaning") == true)
  }

  @Test func filesThatAreNotFER2013AreRefused() throws {
    #expect(try message("").contains("is empty"))
    #expect(try message("\n\n").contains("is empty"))
    #expect(try message(header).contains("has no row"))
    #expect(try message("a,b\n1,2\n").contains("line 1: expected the header `emotion,pixels,Usage`, found `a,b`"))
    #expect(try message(votesHeader).contains("give FER2013's CSV, and this file with --votes"))
    #expect(try message("filename,label\na.jpg,happy\n").contains("mien dataset import folders"))
    // Two numbers beside the pixels: which one is the label, nobody knows.
    #expect(try message("1,2,\(pixels(1))\n").contains("expected the header"))
    #expect(try message("\u{1F600}\0\n").contains("expected the header"))
    #expect(try message(header + String(repeating: "1 ", count: 3_000_000)).contains("line 2: longer than"))
    let error = #expect(throws: MienError.self) { try FER2013Importer().load(.file(folder.file("none"))) }
    #expect(error?.message == "no such file")
    let wrong = #expect(throws: MienError.self) { try FER2013Importer().load(.file(folder.url)) }
    #expect(wrong?.message.contains("`mien dataset import folders`") == true)
  }

  @Test func votesGoWithTheirRows() throws {
    let good = "0,\(pixels(1)),Training\n"
    let test = "0,\(pixels(1)),PrivateTest\n"
    let a = "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n"
    let b = "Training,,0,0,0,0,0,0,0,0,0,10\n"
    let c = "PrivateTest,fer3.png,9,0,0,0,0,0,0,1,0,0\n"
    let faces = try load(header + good + good, votes: votesHeader + a + b).faces
    #expect(faces.votes(at: 0) == [4, 0, 0, 1, 3, 2, 0, 0, 0, 0])
    #expect(faces.votes(at: 1) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 10])
    // A bad row keeps the rows after it aligned.
    let skipped = try load(header + "0,1,Training\n" + good, votes: votesHeader + a + b).faces
    #expect(skipped.count == 1 && skipped.votes(at: 0)?.last == 10)
    // PrivateTest may be missing at the end, of either file.
    #expect(try load(header + good, votes: votesHeader + a + c).faces.count == 1)
    let more = try load(header + good + test, votes: votesHeader + a).faces
    #expect(more.votes(at: 0) != nil && more.votes(at: 1) == nil)
    #expect(try load(header + good).summary.notes.isEmpty)
    let d = "Training,fer3.png,0,10,0,0,0,0,0,0,0,0\n"
    let majority = try load(header + good + good + test, votes: votesHeader + a + d).summary.notes
    #expect(
      majority == ["FER+ votes: 1 of 2 faces with votes have a majority label, 1 have none; 1 face has no votes"])
  }

  @Test func votesOfOtherRowsAreRefused() throws {
    let good = "0,\(pixels(1)),Training\n"
    let a = "Training,,4,0,0,1,3,2,0,0,0,0\n"
    let p = "PublicTest,,4,0,0,1,3,2,0,0,0,0\n"
    #expect(
      try message(header + good, votes: votesHeader + p).contains(
        "votes.csv, line 2: is a PublicTest row, but row 1 of"))
    #expect(try message(header + good + good, votes: votesHeader + a).contains("has votes for 1 rows"))
    #expect(
      try message(header + good, votes: votesHeader + a + a).contains("votes.csv, line 3: a Training row past the end"))
    #expect(
      try message("emotion,pixels\n0,\(pixels(1))\n", votes: votesHeader + a).contains("import it without --votes"))
    #expect(try message(header + good, votes: "Usage,neutral\n").contains("votes.csv, line 1: expected the header"))
    #expect(try message(header + good, votes: "").contains("votes.csv: is empty"))
    #expect(
      try message(header + good, votes: votesHeader + "Training,,4,0,0,1,256,2,0,0,0,0\n").contains(
        "votes.csv, line 2: expected a count of votes for anger, found `256`"))
    #expect(try message(header + good, votes: votesHeader + "Training,,4\n").contains("expected 12 fields, found 3"))
  }
}
