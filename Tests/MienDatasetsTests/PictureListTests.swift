import Foundation
import MienCore
import MienDatasets
import MienTestSupport
import MienVision
import Testing

/// Data sets as their makers hand them out, and file names that tell the emotion.
@Suite struct PictureListTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a picture, grey but for a white box.
  func picture(_ path: String, white: Box? = nil) throws {
    let pixels = (0..<(40 * 30)).map { index -> UInt8 in
      let (x, y) = (index % 40, index / 40)
      guard let white else { return 100 }
      return (white.x..<(white.x + white.width)).contains(x) && (white.y..<(white.y + white.height)).contains(y)
        ? 255 : 9
    }
    let url = try place(path)
    try Image(width: 40, height: 30, channels: 1, pixels: pixels).write(to: url)
  }

  func text(_ path: String, _ text: String) throws { try Data(text.utf8).write(to: place(path)) }

  func place(_ path: String) throws -> URL {
    let url = folder.file(path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    return url
  }

  func load() throws -> ImportResult { try FolderImporter(side: 4).load(folder.url) }

  func labels(_ faces: FaceSet) -> [Emotion?] { (0..<faces.count).map { faces[$0].label } }

  @Test func alignedFacesOfRAFDBGoByItsList() throws {
    try text(
      "basic/EmoLabel/list_patition_label.txt",
      "train_00001.jpg 5\r\ntest_0001.jpg 4\r\ntrain_00002.jpg 8\r\ntrain_00003.jpg 1\r\n")
    try picture("basic/Image/aligned/train_00001_aligned.png")
    try picture("basic/Image/aligned/test_0001_aligned.png")
    let result = try load()
    #expect(labels(result.faces) == [.sadness, .happiness])
    #expect((0..<2).map { result.faces[$0].split } == [.train, .test])
    #expect(result.rejected.first.map { $0.subject?.suffix(6) } == ["line 3", "line 4"])
    #expect(result.rejected.first.first?.message.contains("a number of 1 to 7, found `train_00002.jpg 8`") == true)
    #expect(result.rejected.first.last?.message.contains("there is no picture train_00003.jpg") == true)
  }

  @Test func wholePhotosOfRAFDBAreCroppedByTheirBoxes() throws {
    try text("EmoLabel/list_patition_label.txt", "train_1.jpg 7\ntrain_2.jpg 1\n")
    try picture("Image/original/train_1.png", white: Box(x: 20, y: 5, width: 12, height: 12))
    try picture("Image/original/train_2.png")
    try text("Annotation/boundingbox/train_1_boundingbox.txt", "20.0 5.0 32.0 17.0\n")
    let result = try load()
    #expect(result.faces.face(at: 0) == [UInt8](repeating: 255, count: 16))
    #expect(result.summary.notes.contains { $0.hasPrefix("1 whole photo without a box") })
  }

  @Test func facesOfExpWAreCutOutOfTheirPhotos() throws {
    try text(
      "label/label.lst",
      "angry_1.png 0 4 10 24 18 50.0 3\nangry_1.png 1 0 0 5 5 20.0 6\nangry_1.png 2 9 9 5 5 20.0 6\n"
        + "angry_1.png 3 100 200 300 400 20.0 6\nnone.png 0 4 10 24 18 50.0 3\nangry_1.png 0 4\n")
    try picture("origin/angry_1.png", white: Box(x: 10, y: 4, width: 14, height: 14))
    let result = try load()
    #expect(labels(result.faces) == [.happiness, .neutral])
    #expect(result.faces.face(at: 0) == [UInt8](repeating: 255, count: 16))
    #expect(result.faces.face(at: 1) == [UInt8](repeating: 9, count: 16))
    #expect(result.rejected.count == 4)
    let words = result.rejected.first.map(\.message).joined(separator: "\n")
    for part in ["box is empty", "outside the picture of 40x30", "no picture none.png", "top, left, right and bottom"] {
      #expect(words.contains(part), "\(words)")
    }
  }

  @Test func lastFramesOfCKPlusHaveTheirLabels() throws {
    for path in [
      "S010/001/S010_001_00000001", "S010/001/S010_001_00000014", "S010/002/S010_002_00000001",
      "S022/001/S022_001_00000030",
    ] {
      try picture("CK+/cohn-kanade-images/\(path).png")
    }
    let root = folder.url
    let missing = #expect(throws: MienError.self) { try FolderImporter().load(root) }
    #expect(missing?.message.contains("CK+'s pictures, but there is no Emotion folder") == true)
    try text("CK+/Emotion/S010/001/S010_001_00000014_emotion.txt", "   3.0000000e+00\n")
    try text("CK+/Emotion/S022/001/S022_001_00000030_emotion.txt", "   2.0000000e+00\n")
    try text("CK+/Emotion/S099/001/S099_001_00000030_emotion.txt", "   2.0000000e+00\n")
    try text("CK+/Emotion/S022/001/S022_001_00000001_emotion.txt", "nothing\n")
    for result in [try load(), try CKPlus48Importer().load(root)] {
      #expect(labels(result.faces) == [.disgust, .contempt] && result.faces.labelSet == .ckplus48)
      #expect(
        result.faces.info.subjects == ["S010", "S022"] && result.faces.info.sequences == ["S010_001", "S022_001"])
      #expect(result.rejected.count == 2)
      #expect(result.summary.notes.contains("1 of 3 sequences have no label"))
    }
  }

  @Test func foldersOfFERPlusHaveItsVotes() throws {
    for (part, name) in [
      ("FER2013Train", "fer0000000.png"), ("FER2013Valid", "fer0028638.png"), ("FER2013Test", "fer0032220.png"),
    ] {
      try picture("data/\(part)/\(name)")
      try text(
        "data/\(part)/label.csv",
        "\(name),\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\nnone.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n")
    }
    let result = try load()
    // Parts come in the order of their paths.
    #expect((0..<3).map { result.faces[$0].split } == [.test, .train, .validation])
    #expect(result.faces.votes(at: 0) == [4, 0, 0, 1, 3, 2, 0, 0, 0, 0] && result.faces[0].label == nil)
    #expect(result.rejected.count == 3)
  }

  @Test func namesOfJAFFETell() throws {
    for name in ["KA.AN1.39", "KA.HA2.30", "YM.SU3.60", "YM.FE1.67"] { try picture("jaffe/\(name).png") }
    try text("jaffe/README.txt", "x")
    try picture("jaffe/other.png")
    let result = try load()
    #expect(
      labels(result.faces) == [.anger, .happiness, .fear, .surprise] && result.faces.info.subjects == ["KA", "YM"])
    #expect(
      result.rejected.first.map { $0.subject.map { URL(fileURLWithPath: $0).lastPathComponent } } == ["other.png"])
    #expect(result.rejected.first.first?.message.contains("JAFFE's files are, such as KA.AN1.39.tiff") == true)
  }

  /// KDEF has a folder for each person and session; both sessions are of the same people.
  @Test func namesOfKDEFTell() throws {
    for name in ["AF01/AF01AFS", "AF01/AF01NEHL", "BF01/BF01DIFR", "AM31/AM31SAS"] { try picture("KDEF/\(name).png") }
    let result = try load()
    #expect(labels(result.faces) == [.fear, .neutral, .sadness, .disgust])
    #expect(result.faces.info.subjects == ["F01", "M31"])
  }

  @Test func namesOfRaFDTell() throws {
    try picture("Rafd090_01_Caucasian_female_contemptuous_frontal.png")
    try picture("Rafd090_33_Caucasian_male_happy_left.png")
    let result = try load()
    #expect(labels(result.faces) == [.contempt, .happiness] && result.faces.labelSet == .ferplus)
    #expect(result.faces.info.subjects == ["01", "33"])
  }

  @Test func namesThatBeginWithAnEmotionTell() throws {
    for name in ["happy_001", "happy (2)", "Sad-3"] { try picture("faces/\(name).png") }
    #expect(labels(try load().faces) == [.sadness, .happiness, .happiness])
    try picture("faces/IMG_001.png")
    let error = #expect(throws: MienError.self) { try load() }
    #expect(error?.message.contains("named for an emotion (found faces)") == true)
  }
}
