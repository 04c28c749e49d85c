import Foundation
import MienCore
import Testing

@Suite struct FaceSetFileTests {
  func valid() throws -> SafeTensors {
    try FaceSet(
      source: "mine", labelSet: .fer2013, height: 2, width: 2, channels: 1,
      rows: [
        .init(
          label: .anger, split: .train, votes: [9, 0, 0, 0, 0, 0, 0, 0, 0, 1], subject: "a", sequence: "a1",
          sourceRow: 0),
        .init(label: nil, split: .test, subject: "b", sequence: "b1", sourceRow: 1),
      ], pixels: Data(count: 8)
    ).safeTensors()
  }

  @Test func hostileSetsAreRefused() throws {
    typealias Damage = (what: String, words: String, change: (inout SafeTensors) throws -> Void)
    let cases: [Damage] = [
      ("no metadata", "metadata", { $0.metadata = [:] }),
      ("metadata of another kind", "metadata", { $0.metadata[FaceSet.metadataKey] = "[]" }),
      ("an unknown emotion", "metadata", { $0.metadata[FaceSet.metadataKey]?.replace("\"anger\"", with: "\"envy\"") }),
      ("an emotion twice", "metadata", { $0.metadata[FaceSet.metadataKey]?.replace("\"anger\"", with: "\"fear\"") }),
      (
        "a later format", "format 2",
        { $0.metadata[FaceSet.metadataKey]?.replace("\"format\":1", with: "\"format\":2") }
      ),
      ("no pixels", "pixels is missing", { $0.tensors["pixels"] = nil }),
      ("no labels", "label is missing", { $0.tensors["label"] = nil }),
      (
        "pixels of rank 3", "rank 4",
        { $0.tensors["pixels"] = try .init([UInt8](repeating: 0, count: 8), shape: [2, 2, 2]) }
      ),
      (
        "pixels of floats", "U8",
        { $0.tensors["pixels"] = try .init([Float](repeating: 0, count: 8), shape: [2, 2, 2, 1]) }
      ),
      (
        "two channels", "[N, H, W, 1 or 3]",
        { $0.tensors["pixels"] = try .init([UInt8](repeating: 0, count: 16), shape: [2, 2, 2, 2]) }
      ),
      ("no width", "[N, H, W, 1 or 3]", { $0.tensors["pixels"] = try .init([] as [UInt8], shape: [2, 2, 0, 1]) }),
      (
        "no face of vast sides", "sides up to",
        { $0.tensors["pixels"] = try .init([] as [UInt8], shape: [0, 1 << 60, 1 << 60, 1]) }
      ),
      (
        "fewer pixels than labels", "label has the shape",
        { $0.tensors["pixels"] = try .init([UInt8](repeating: 0, count: 4), shape: [1, 2, 2, 1]) }
      ),
      ("a label past the set", "outside fer2013", { $0.tensors["label"] = try .init([0, 7] as [UInt8], shape: [2]) }),
      ("a fourth split", "none of three", { $0.tensors["split"] = try .init([0, 3] as [UInt8], shape: [2]) }),
      (
        "nine votes", "votes has the shape",
        { $0.tensors["votes"] = try .init([UInt8](repeating: 0, count: 18), shape: [2, 9]) }
      ),
      (
        "a subject past the names", "subject points",
        { $0.tensors["subject"] = try .init([0, 2] as [Int32], shape: [2]) }
      ),
      ("a subject below -1", "subject points", { $0.tensors["subject"] = try .init([0, -2] as [Int32], shape: [2]) }),
      (
        "a sequence past the names", "sequence points",
        { $0.tensors["sequence"] = try .init([0, .max] as [Int32], shape: [2]) }
      ),
    ]
    _ = try FaceSet(valid())
    for (what, words, change) in cases {
      var file = try valid()
      try change(&file)
      let error = #expect(throws: MienError.self, "\(what)") { try FaceSet(file) }
      #expect(error?.message.contains(words) == true, "\(what): \(error?.message ?? "no error")")
    }
  }

  @Test func unfitPartsAreRefused() {
    func make(_ rows: [FaceSet.Row], bytes: Int, channels: Int = 1) throws -> FaceSet {
      try FaceSet(
        source: "mine", labelSet: .fer2013, height: 2, width: 2, channels: channels, rows: rows,
        pixels: Data(count: bytes))
    }
    let row = FaceSet.Row(label: .anger, split: .train, sourceRow: 0)
    #expect(throws: MienError.self) { try make([row], bytes: 3) }
    #expect(throws: MienError.self) { try make([row], bytes: 8, channels: 2) }
    #expect(throws: MienError.self) { try make([.init(label: .contempt, split: .train, sourceRow: 0)], bytes: 4) }
    #expect(throws: MienError.self) { try make([.init(label: nil, split: .train, votes: [1], sourceRow: 0)], bytes: 4) }
    #expect(throws: Never.self) { try make([row], bytes: 4) }
  }

  @Test func openingMapsPixelsAndReadsNone() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("faces")
    let faces = 1_000
    let set = try FaceSet(
      source: "mine", labelSet: .fer2013, height: 48, width: 48, channels: 1,
      rows: (0..<faces).map { .init(label: .fear, split: .train, sourceRow: $0) }, pixels: Data(count: faces * 2304))
    try set.write(to: url)
    let opened = try FaceSet(contentsOf: url)
    #expect(opened.count == faces)
    // What is written into the file afterwards is seen, so nothing of it was read before.
    let pixels = try #require(Data(contentsOf: url).range(of: Data(count: faces * 2304)))
    let file = try FileHandle(forWritingTo: url)
    try file.seek(toOffset: UInt64(pixels.lowerBound))
    try file.write(contentsOf: Data(repeating: 7, count: pixels.count))
    try file.close()
    for index in [0, faces - 1] { #expect(opened.face(at: index) == [UInt8](repeating: 7, count: 2304)) }
  }
}

@Suite struct AtomicFileTests {
  @Test func aFileIsReplacedAsAWhole() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write(Data("old and long".utf8), to: folder.file("a"))
    try AtomicFile.write(to: folder.file("a"), chunks: [Data("n".utf8), Data(), Data("ew".utf8)])
    #expect(try String(contentsOf: folder.file("a"), encoding: .utf8) == "new")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["a"])
  }

  @Test func aFailureNamesTheFileAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let missing = #expect(throws: MienError.self) { try AtomicFile.write(Data(), to: folder.file("no/a")) }
    #expect(missing?.subject == folder.file("no/a").path)
    #expect(missing?.message.contains("No such file") == true)
    try FileManager.default.createDirectory(at: folder.file("b/c"), withIntermediateDirectories: true)
    #expect(throws: MienError.self) { try AtomicFile.write(Data("x".utf8), to: folder.file("b")) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["b"])
  }
}
