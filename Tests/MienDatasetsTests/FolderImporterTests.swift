import Foundation
import MienCore
import MienDatasets
import MienTestSupport
import MienVision
import Testing

@Suite struct FolderImporterTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a picture of one colour, or what `pixel` says of column and row.
  func add(
    _ path: String, width: Int = 8, height: Int = 8, channels: Int = 1, _ pixel: (Int, Int) -> UInt8 = { _, _ in 100 }
  ) throws {
    let url = folder.file(path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let pixels = (0..<height).flatMap { y in
      (0..<width).flatMap { x in [UInt8](repeating: pixel(x, y), count: channels) }
    }
    try Image(width: width, height: height, channels: channels, pixels: pixels).write(to: url)
  }

  func message(_ importer: FolderImporter = .init()) -> String {
    let error = #expect(throws: MienError.self) { try importer.load(folder.url) }
    return error?.description.replacingOccurrences(of: folder.url.path + "/", with: "") ?? ""
  }

  @Test func classFoldersAreReadInOrder() throws {
    try add("happy/b.png")
    try add("happy/a.png", width: 100, height: 60, channels: 3)
    try add("Angry/deep/er/z.jpg", channels: 3)
    try add("SAD/1.png")
    try Data("x".utf8).write(to: folder.file("happy/.hidden"))
    try Data("x".utf8).write(to: folder.file("happy/Thumbs.db"))
    try Data("x".utf8).write(to: folder.file("README.txt"))
    let faces = try FolderImporter().load(folder.url).faces
    #expect((0..<faces.count).map { faces[$0].label } == [.anger, .sadness, .happiness, .happiness])
    #expect((0..<faces.count).allSatisfy { faces[$0].split == .train && faces[$0].sourceRow == $0 })
    #expect(faces.labelSet == .fer2013 && faces.info.source == folder.url.lastPathComponent)
    #expect(faces.height == 48 && faces.width == 48 && faces.channels == 1)
    #expect(faces.face(at: 1) == [UInt8](repeating: 100, count: 2304))
    let again = try FolderImporter().load(folder.url).faces
    #expect(again.pixels == faces.pixels)
  }

  @Test(
    arguments: [
      ("train", .train), ("Training", .train), ("val", .validation), ("valid", .validation),
      ("Validation", .validation),
      ("dev", .validation), ("PublicTest", .validation), ("test", .test), ("testing", .test), ("Private_Test", .test),
    ] as [(String, Split)])
  func partFoldersBecomeSplits(name: String, split: Split) throws {
    try add("\(name)/fear/a.png")
    try add("\(split == .train ? "test" : "train")/angry/a.png")
    let faces = try FolderImporter().load(folder.url).faces
    let index = try #require((0..<2).first { faces[$0].label == .fear })
    #expect(faces[index].split == split && faces[1 - index].split == (split == .train ? .test : .train))
    #expect(faces[1 - index].label == .anger)
  }

  @Test func partsMayStandInClassFolders() throws {
    for path in ["happy/train/1.png", "happy/test/2.png", "sad/train/3.png", "sad/4.png"] { try add(path) }
    let result = try FolderImporter().load(folder.url)
    #expect((0..<4).map { result.faces[$0].split } == [.test, .train, .train, .train])
    #expect(
      result.summary.lines(.fer2013).contains("parts: the rest = train (1), train = train (2), test = test (1)"),
      "\(result.summary)")
  }

  @Test func theCentredSquareIsTaken() throws {
    // Left and right thirds white, the middle one dark: only the middle is seen.
    try add("fear/wide.png", width: 30, height: 10) { x, _ in (10..<20).contains(x) ? 10 : 250 }
    try add("fear/tall.png", width: 10, height: 31) { _, y in (10..<20).contains(y) ? 10 : 250 }
    let faces = try FolderImporter(side: 10).load(folder.url).faces
    for index in 0..<2 { #expect(faces.face(at: index) == [UInt8](repeating: 10, count: 100)) }
  }

  @Test func wholePhotosAreWarnedOfOnce() throws {
    try add("fear/crop.png", width: 100, height: 100)
    try add("happy/upright.png", width: 60, height: 64)
    #expect(try FolderImporter().load(folder.url).summary.warnings.isEmpty)
    try add("happy/photo.png", width: 91, height: 114)
    let one = try FolderImporter().load(folder.url)
    let warning = try #require(one.summary.warnings.first)
    #expect(one.faces.count == 3 && one.summary.warnings.count == 1)
    #expect(
      warning.hasPrefix("1 picture looks like a whole photo") && warning.contains("happy/photo.png, 91x114): "),
      "\(warning)")
    try add("sad/square.png", width: 1100, height: 1100)
    let two = try FolderImporter(side: 10).load(folder.url).summary.warnings
    #expect(two.count == 1 && two[0].hasPrefix("2 pictures look like whole photos"), "\(two)")
    #expect(two[0].contains("91x114, …): ") && two[0].contains("resizes it to 10x10"), "\(two)")
  }

  @Test func colourIsKeptWhereAskedFor() throws {
    let url = folder.file("fear/a.png")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Image(width: 1, height: 1, channels: 3, pixels: [200, 100, 50]).write(to: url)
    try add("fear/b.png")
    let colour = try FolderImporter(side: 1, isColor: true).load(folder.url).faces
    #expect(colour.channels == 3)
    #expect(colour.face(at: 0) == [200, 100, 50] && colour.face(at: 1) == [100, 100, 100])
    #expect(try FolderImporter(side: 1).load(folder.url).faces.face(at: 0) == [124])
  }

  @Test func contemptAsksForEightClasses() throws {
    try add("contempt/a.png")
    try add("angry/a.png")
    let faces = try FolderImporter().load(folder.url).faces
    #expect(faces.labelSet == .ferplus)
    #expect((0..<2).map { faces[$0].label } == [.anger, .contempt])
    let few = try FolderImporter(labelSet: .fer2013).load(folder.url)
    #expect(few.faces.count == 1 && few.faces.labelSet == .fer2013)
    #expect(few.rejected.first.first?.message.contains("contempt: no class of fer2013 (--labels)") == true)
  }

  @Test func numbersAreNeverGuessed() throws {
    for name in ["0", "1", "6"] { try add("\(name)/a.png") }
    #expect(
      message().contains("the class folders 0, 1, 6 are numbers") && message().contains("--classes fer2013 (0 anger, 1")
        && message().contains("--classes affectnet (0 neutral,") && !message().contains("rafdb"), "\(message())")
    // A label set gives them no meaning either.
    #expect(message(FolderImporter(labelSet: .ferplus)).contains("are numbers"))
    func labels(_ classes: String) throws -> [Emotion?] {
      let faces = try FolderImporter(classes: ClassNames(classes)).load(folder.url).faces
      return (0..<faces.count).map { faces[$0].label }
    }
    #expect(try labels("fer2013") == [.anger, .disgust, .neutral])
    #expect(try labels("ferplus") == [.neutral, .happiness, .fear])
    #expect(try labels("0=sad,1=joy,6=-") == [.sadness, .happiness])
    #expect(message(try FolderImporter(classes: ClassNames("alphabetical"))).contains("every number from 0 to 6"))
    let unfit = message(try FolderImporter(classes: ClassNames("rafdb")))
    #expect(unfit.contains("rafdb gives no meaning to the class folder 0, of 0, 1, 6"), "\(unfit)")
  }

  @Test func filesNamedAsRAFDBsAreGiveAHint() throws {
    for name in ["1", "4"] { try add("train/\(name)/train_0000\(name)_aligned.jpg") }
    #expect(message().contains("RAF-DB's are (--classes rafdb)"), "\(message())")
    let faces = try FolderImporter(classes: ClassNames("rafdb")).load(folder.url).faces
    #expect((0..<2).map { faces[$0].label } == [.surprise, .happiness])
  }

  @Test func aListOfClassesBesideNumbersIsRead() throws {
    for name in ["0", "1", "2"] { try add("set/train/\(name)/a.png") }
    try Data("sad\nhappy\n".utf8).write(to: folder.file("set/classes.txt"))
    // It does not tell what 2 is.
    #expect(message().contains("are numbers"))
    try Data("sad\nhappy\nsurprise\n".utf8).write(to: folder.file("set/classes.txt"))
    let result = try FolderImporter().load(folder.url)
    #expect((0..<3).map { result.faces[$0].label } == [.sadness, .happiness, .surprise])
    #expect(result.summary.labelling.contains("by classes.txt"))
  }

  @Test func oneFolderAroundAllIsLookedThrough() throws {
    try add("archive/images/happy/a.png")
    try add("archive/images/sad/a.png")
    #expect(try FolderImporter().load(folder.url).faces.count == 2)
  }

  @Test func unknownFoldersAreNamedAtOnceWithTheSpellings() throws {
    try add("happy/a.png")
    for name in ["bored", "suprise", "calm"] { try add("\(name)/a.png") }
    try FileManager.default.createDirectory(at: folder.file("features"), withIntermediateDirectories: true)
    let result = try FolderImporter().load(folder.url)
    #expect(result.faces.count == 1 && result.rejected.count == 1)
    let text = result.rejected.first.first?.message ?? ""
    #expect(
      text.contains("bored, calm, suprise (surprise?)") && text.contains("happiness, happy, joy")
        && text.contains("--classes bored=EMOTION,calm=EMOTION,suprise=surprise"), "\(text)")
    #expect(result.summary.notes.contains { $0.contains("features: names no emotion and holds no picture") })
    let told = try FolderImporter(classes: ClassNames("bored=-,calm=neutral,suprise=surprise")).load(folder.url)
    #expect((0..<3).map { told.faces[$0].label } == [.neutral, .happiness, .surprise] && told.rejected.count == 0)
    #expect(told.summary.notes.contains { $0.contains("bored: no emotion, by --classes") })
    try add("train/happy/a.png")
    #expect(message().contains("bored, calm, features, happy, suprise: no part of the data set"), "\(message())")
  }

  @Test func foldersWithoutClassesAreExplained() throws {
    #expect(message().contains("holds no class folders and no pictures"))
    try Data("emotion,pixels,Usage\n".utf8).write(to: folder.file("fer2013.csv"))
    #expect(message().contains("it holds fer2013.csv, which `mien dataset import fer2013` may read"))
    try add("clip/1.png")
    #expect(
      message().contains("no folder in it is named for an emotion (found clip); rename class folders"), "\(message())")
    // It is the folder that was given which is named.
    try add("1.png")
    let outer = #expect(throws: MienError.self) { try FolderImporter().load(folder.url) }
    #expect(
      outer?.subject == folder.url.path && outer?.message.contains("(found clip)") == true,
      "\(String(describing: outer))")
    try FileManager.default.removeItem(at: folder.file("clip"))
    #expect(
      message().contains(": holds 1 picture and no class folders") && message().contains("rename it to an emotion"),
      "\(message())")
    try add("clip/1.png")
    try FileManager.default.removeItem(at: folder.file("1.png"))
    try add("film/1.png")
    #expect(message().contains("no folder in it is named for an emotion (found clip, film)"), "\(message())")
    let one = folder.file("happy")
    try add("happy/1.png")
    let error = #expect(throws: MienError.self) { try FolderImporter().load(one) }
    #expect(error?.message.contains("is itself a class folder") == true)
  }

  @Test func emptyAndMissingFoldersAreRefused() throws {
    try FileManager.default.createDirectory(at: folder.file("happy"), withIntermediateDirectories: true)
    #expect(message().contains("hold no picture"))
    try add("sad/a.png")
    let notes = try FolderImporter().load(folder.url).summary.notes.filter { !$0.hasPrefix("people") }
    #expect(notes.count == 1 && notes[0].hasSuffix("happy: the class folder holds no picture"))
    #expect(throws: MienError.self) { try FolderImporter().load(folder.file("none")) }
    for (bytes, words) in [
      ("no", "is a file, expected a folder"), ("emotion,pixels\n", "mien dataset import fer2013"),
      ("PK\u{3}\u{4}", "is a zip archive, expected a folder; unpack it first: unzip "),
    ] {
      try Data(bytes.utf8).write(to: folder.file("file"))
      let error = #expect(throws: MienError.self) { try FolderImporter().load(folder.file("file")) }
      #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    }
  }

  @Test func filesThatAreNoPicturesAreLeftOutWithAWord() throws {
    for index in 0..<3 { try add("happy/\(index).png") }
    for name in ["happy/list.csv", "happy/a.npy", "happy/notes"] { try Data("x".utf8).write(to: folder.file(name)) }
    // A picture without an extension is one all the same.
    try FileManager.default.copyItem(at: folder.file("happy/0.png"), to: folder.file("happy/picture"))
    let result = try FolderImporter().load(folder.url)
    #expect(result.faces.count == 4 && result.rejected.count == 0)
    let ends = result.summary.notes.filter { !$0.hasPrefix("people") }.map { String($0.suffix(23)) }
    #expect(ends == ["py/a.npy: not a picture", "list.csv: not a picture", "py/notes: not a picture"])
    for name in ["loose.png", "loose.jpg"] { try add(name) }
    let loose = try FolderImporter().load(folder.url).summary.notes
    #expect(loose.contains { $0.hasPrefix("left out: 2 pictures in ") }, "\(loose)")
    for name in ["loose.png", "loose.jpg"] { try FileManager.default.removeItem(at: folder.file(name)) }
    for index in 0..<30 { try Data("x".utf8).write(to: folder.file("happy/\(index).txt")) }
    let many = try FolderImporter().load(folder.url).summary.notes.filter { !$0.hasPrefix("people") }
    #expect(many.count == 21 && many.last == "left out: 13 more that are not pictures")
  }

  @Test func badPicturesAreCountedAndNamed() throws {
    for index in 0..<300 { try add("happy/\(1000 + index).png") }
    for name in ["happy/1100.png", "happy/1299.png", "happy/0.jpg"] { try Data("no".utf8).write(to: folder.file(name)) }
    var counts: [Int] = []
    let result = try FolderImporter(side: 4).load(folder.url) { done, total in
      counts.append(done)
      #expect(total == 301)
    }
    #expect(counts == Array(1...301))
    #expect(result.faces.count == 298 && result.rejected.count == 3)
    #expect(result.faces[0].sourceRow == 1)
    #expect(
      result.rejected.first.compactMap { $0.subject.map { URL(fileURLWithPath: $0).lastPathComponent } } == [
        "0.jpg", "1100.png", "1299.png",
      ])
    try FileManager.default.removeItem(at: folder.file("happy"))
    try FileManager.default.createDirectory(at: folder.file("happy"), withIntermediateDirectories: true)
    for name in ["happy/1.png", "happy/2.png"] { try Data("no".utf8).write(to: folder.file(name)) }
    #expect(message().contains("has no usable picture: ") && message().contains("; 1 more could not be used"))
  }

  /// Old archives hold names in Latin-1.
  @Test func namesThatAreNotUTF8AreRead() throws {
    try add("happy/1.png")
    func shell(_ command: String) throws {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-ec", command]
      process.currentDirectoryURL = folder.url
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
    }
    try shell(#"cp happy/1.png "happy/$(printf 'caf\351').png""#)
    try shell(#"d="happy/$(printf 'Andr\351')"; mkdir "$d"; cp happy/1.png "$d""#)
    let result = try FolderImporter().load(folder.url)
    #expect(result.faces.count == 3 && result.rejected.count == 0)
    // Which of two names that read the same is meant cannot be told.
    try shell(#"cp happy/1.png "happy/$(printf 'caf\350').png""#)
    let alike = try FolderImporter().load(folder.url)
    #expect(alike.faces.count == 2 && alike.rejected.count == 2)
    #expect(alike.rejected.first.allSatisfy { $0.message.contains("its name is not UTF-8") })
    // No class is passed over in silence.
    try shell(#"rm happy/caf*; mkdir "$(printf 'col\350re')"; cp happy/1.png "$(printf 'col\350re')""#)
    let unknown = try FolderImporter().load(folder.url)
    #expect(unknown.faces.count == 2 && "\(unknown.rejected.first)".contains("col\u{FFFD}re"))
  }

  @Test func whatWasUnderstoodIsSaid() throws {
    for path in ["train/Happy/1.png", "train/Happy/2.png", "val/sad/1.png"] { try add(path) }
    let result = try FolderImporter().load(folder.url)
    #expect(
      result.summary.lines(result.faces.labelSet) == [
        "labels (fer2013) by names of class folders: Happy = happiness (2), sad = sadness (1)",
        "parts: train = train (2), val = validation (1)",
        "no face shows anger, disgust, fear, neutral, surprise",
        "people are unknown: no file name says who it is, as S001_001_00000001.png would (person, series, picture); a split "
          + "may put one person into two parts",
      ])
  }

  @Test func subjectsAndSequencesComeFromNames() throws {
    try add("anger/S010_004_00000017.png")
    try add("happy/S010_006_00000013.png")
    try add("surprise/S005_001_00000011.png")
    let faces = try CKPlus48Importer().load(folder.url).faces
    #expect(faces.info.source == "ckplus48" && faces.labelSet == .ckplus48)
    #expect(faces.info.subjects == ["S005", "S010"])
    #expect((0..<3).map { faces[$0].sequence } == ["S010_004", "S010_006", "S005_001"])
    // Class folders alone tell the same.
    let plain = try FolderImporter().load(folder.url)
    #expect(plain.faces.labelSet == .ckplus48 && plain.faces.info.subjects == ["S005", "S010"])
    #expect(plain.summary.notes == ["known by file names: 2 people, 3 sequences"] && plain.summary.warnings.isEmpty)
    // One name of another form makes the people unknown, which is warned of.
    try add("happy/odd.png")
    let odd = try FolderImporter().load(folder.url)
    #expect(odd.faces.count == 4 && !odd.faces.hasSubjects && odd.summary.notes.isEmpty)
    #expect(odd.summary.warnings.count == 1)
    let warning = try #require(odd.summary.warnings.first)
    #expect(warning.contains("3 file names say who it is, 1 does not: "), "\(warning)")
    #expect(warning.contains("happy/odd.png; rename it like S010_004_00000017.png"), "\(warning)")
    // What is left out has no say, whatever its name.
    try Data("x".utf8).write(to: folder.file("happy/odd.png"))
    let damaged = try FolderImporter().load(folder.url)
    #expect(damaged.rejected.count == 1 && damaged.faces.hasSubjects && damaged.summary.warnings.isEmpty)
    // With a neutral face the set is none of CK+'s.
    try add("neutral/S005_001_00000001.png")
    #expect(try FolderImporter().load(folder.url).faces.labelSet == .fer2013)
    try FileManager.default.removeItem(at: folder.file("neutral"))
    try FileManager.default.removeItem(at: folder.file("happy/odd.png"))
    try add("happy/odd.png")
    // So do most.
    for name in ["b", "c", "d"] { try add("anger/\(name).png") }
    let few = try FolderImporter().load(folder.url).summary.warnings
    #expect(few.count == 1 && few[0].contains("people are unknown: 3 file names say who it is, 4 do not: "), "\(few)")
    for name in ["happy/odd", "anger/b", "anger/c", "anger/d"] {
      try FileManager.default.removeItem(at: folder.file("\(name).png"))
    }
    for bad in ["anger/S010_004.png", "anger/010_004_1.png", "anger/S_004_1.png", "anger/S010_x_1.png"] {
      try add(bad)
      let result = try CKPlus48Importer().load(folder.url)
      #expect(result.rejected.count == 1 && result.rejected.first.first?.subject?.hasSuffix(bad) == true)
      #expect(result.faces.count == 3)
      try FileManager.default.removeItem(at: folder.file(bad))
    }
  }

  @Test(.enabled(if: Shared.has("data/ck48/CK+48"), "CK+48 is not here"))
  func ckPlus48HasItsCounts() throws {
    let faces = try CKPlus48Importer().load(Shared.url("data/ck48")).faces
    #expect(faces.count == 981 && faces.info.subjects.count == 118 && faces.info.sequences.count == 327)
  }
}
