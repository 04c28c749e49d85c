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
    try add("\(split == .train ? "test" : "train")/0/a.png")
    let faces = try FolderImporter().load(folder.url).faces
    let index = try #require((0..<2).first { faces[$0].label == .fear })
    #expect(faces[index].split == split && faces[1 - index].split == (split == .train ? .test : .train))
    #expect(faces[1 - index].label == .anger)
  }

  @Test func theCentredSquareIsTaken() throws {
    // Left and right thirds white, the middle one dark: only the middle is seen.
    try add("fear/wide.png", width: 30, height: 10) { x, _ in (10..<20).contains(x) ? 10 : 250 }
    try add("fear/tall.png", width: 10, height: 31) { _, y in (10..<20).contains(y) ? 10 : 250 }
    let faces = try FolderImporter(side: 10).load(folder.url).faces
    for index in 0..<2 { #expect(faces.face(at: index) == [UInt8](repeating: 10, count: 100)) }
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
    try add("0/a.png")
    let faces = try FolderImporter().load(folder.url).faces
    #expect(faces.labelSet == .ferplus)
    #expect((0..<2).map { faces[$0].label } == [.anger, .contempt])
    let stated = try FolderImporter(labelSet: .ferplus).load(folder.url).faces
    #expect(stated[0].label == .neutral)
  }

  @Test func digitsAreOfFER2013WhateverElseThereIs() throws {
    for name in ["0", "7"] { try add("\(name)/a.png") }
    #expect(message().hasPrefix("7: names no class") && message().contains("0 to 6 in the order anger"), "\(message())")
    #expect(try FolderImporter(labelSet: .ferplus).load(folder.url).faces[1].label == .contempt)
  }

  @Test func oneFolderAroundAllIsLookedThrough() throws {
    try add("archive/images/happy/a.png")
    try add("archive/images/sad/a.png")
    #expect(try FolderImporter().load(folder.url).faces.count == 2)
  }

  @Test func unknownFoldersAreRefusedWithTheSpellings() throws {
    try add("happy/a.png")
    try add("bored/a.png")
    let text = message()
    #expect(text.hasPrefix("bored: names no class") && text.contains("happiness, happy, joy") && text.contains("angry"))
    try FileManager.default.removeItem(at: folder.file("bored"))
    try add("train/happy/a.png")
    #expect(message().hasPrefix("happy: is none of the parts"))
  }

  @Test func emptyAndMissingFoldersAreRefused() throws {
    #expect(message().contains("found no folder"))
    try FileManager.default.createDirectory(at: folder.file("happy"), withIntermediateDirectories: true)
    #expect(message().contains("hold no picture"))
    try Data().write(to: folder.file("file"))
    #expect(throws: MienError.self) { try FolderImporter().load(folder.file("none")) }
    let error = #expect(throws: MienError.self) { try FolderImporter().load(folder.file("file")) }
    #expect(error?.message == "is a file, expected a folder")
  }

  @Test func badPicturesAreNamedOrCounted() throws {
    for index in 0..<300 { try add("happy/\(1000 + index).png") }
    for name in ["happy/1100.png", "happy/1299.png", "happy/0.jpg"] { try Data("no".utf8).write(to: folder.file(name)) }
    #expect(message().hasPrefix("happy/0.jpg: "))
    var counts: [Int] = []
    let result = try FolderImporter(side: 4, skipsBadPictures: true).load(folder.url) { done, total in
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
  }

  @Test func subjectsAndSequencesComeFromNames() throws {
    try add("anger/S010_004_00000017.png")
    try add("happy/S010_006_00000013.png")
    try add("surprise/S005_001_00000011.png")
    let faces = try CKPlus48Importer().load(folder.url).faces
    #expect(faces.info.source == "ckplus48" && faces.labelSet == .ckplus48)
    #expect(faces.info.subjects == ["S005", "S010"])
    #expect((0..<3).map { faces[$0].sequence } == ["S010_004", "S010_006", "S005_001"])
    for bad in ["anger/S010_004.png", "anger/010_004_1.png", "anger/S_004_1.png", "anger/S010_x_1.png"] {
      try add(bad)
      let error = #expect(throws: MienError.self) { try CKPlus48Importer().load(folder.url) }
      #expect(error?.subject?.hasSuffix(bad) == true)
      #expect(try CKPlus48Importer(skipsBadPictures: true).load(folder.url).rejected.count == 1)
      try FileManager.default.removeItem(at: folder.file(bad))
    }
  }

  @Test(.enabled(if: Shared.has("data/ck48/CK+48"), "CK+48 is not here"))
  func ckPlus48HasItsCounts() throws {
    let faces = try CKPlus48Importer().load(Shared.url("data/ck48")).faces
    #expect(faces.count == 981 && faces.info.subjects.count == 118 && faces.info.sequences.count == 327)
  }
}
