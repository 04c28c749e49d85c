import Foundation
import MienCore
import MienDatasets
import MienTestSupport
import Testing

/// Tables as people have them: packed, and in other encodings.
@Suite struct TableStreamTests {
  let folder: TemporaryFolder
  let csv: String

  init() throws {
    folder = try TemporaryFolder()
    // Long enough for several chunks, and of numbers that differ.
    let rows = (0..<500).map { row in
      let pixels = (0..<2304).map { "\((row * 31 + $0 * 7) % 256)" }.joined(separator: " ")
      return "\(row % 7),\(pixels),\(row % 3 == 0 ? "PublicTest" : "Training")\n"
    }
    csv = "emotion,pixels,Usage\n" + rows.joined()
  }

  func write(_ data: Data, _ name: String) throws -> URL {
    let url = folder.file(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
    return url
  }

  /// Runs a shell command in the folder.
  func shell(_ command: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-ec", command]
    process.currentDirectoryURL = folder.url
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  func load(_ name: String) throws -> FaceSet { try FER2013Importer().load(.file(folder.file(name))).faces }

  func message(_ name: String) -> String {
    (#expect(throws: MienError.self) { try load(name) })?.description ?? ""
  }

  func expectSame(_ name: String) throws {
    let plain = try FER2013Importer().load(.file(write(Data(csv.utf8), "plain.csv"))).faces
    let faces = try load(name)
    #expect(faces.pixels == plain.pixels && faces.count == 500 && (0..<500).allSatisfy { faces[$0] == plain[$0] })
  }

  @Test func gzipAndTarAreReadThrough() throws {
    _ = try write(Data(csv.utf8), "fer2013/fer2013.csv")
    _ = try write(Data("read me".utf8), "fer2013/README")
    _ = try write(Data("resource fork".utf8), "fer2013/._fer2013.csv")
    try shell("gzip -k fer2013/fer2013.csv; tar czf a.tar.gz fer2013; tar cf a.tar --format=ustar fer2013")
    try expectSame("fer2013/fer2013.csv.gz")
    try expectSame("a.tar.gz")
    try expectSame("a.tar")
    // Two members in a row are one file, and padding behind them is none.
    try shell("cd fer2013; head -n 200 fer2013.csv | gzip > b.gz; tail -n +201 fer2013.csv | gzip >> b.gz")
    try expectSame("fer2013/b.gz")
    try shell("head -c 1000 /dev/zero >> fer2013/b.gz")
    try expectSame("fer2013/b.gz")
  }

  @Test func damagedAndOtherArchivesAreNamed() throws {
    _ = try write(Data(csv.utf8), "a.csv")
    try shell("gzip -k a.csv; gzip -c a.csv.gz > twice.gz")
    let packed = try Data(contentsOf: folder.file("a.csv.gz"))
    _ = try write(packed.prefix(packed.count / 2), "half.gz")
    #expect(message("half.gz").contains("is a gzip file that ends early"))
    var damaged = packed
    for offset in 0..<64 { damaged[packed.count / 2 + offset] ^= 0x5A }
    _ = try write(damaged, "damaged.gz")
    #expect(message("damaged.gz").contains("gzip"))
    #expect(message("twice.gz").contains("gzip file within"))
    try shell(
      "rm a.csv.gz; mkdir d; cp a.csv d/b.csv; cp a.csv d/a.csv; tar czf several.tar.gz d; rm d/*; touch d/1.jpg; tar cf none.tar d"
    )
    #expect(message("several.tar.gz").contains("is an archive of several tables (d/"))
    #expect(message("none.tar").contains("is an archive without a CSV (but d/1.jpg, …); unpack it with tar xf "))
    let whole = try Data(contentsOf: folder.file("several.tar.gz"))
    _ = try write(whole.prefix(whole.count / 3), "cut.tar.gz")
    #expect(message("cut.tar.gz").contains("ends early"))
    for (bytes, words) in [
      ([0x50, 0x4B, 3, 4], "is a zip archive, expected a CSV; unpack it first: unzip "),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "is an xz file, expected a CSV; unpack it first: xz -dk "),
      ([0x42, 0x5A, 0x68, 0x39], "bzip2 -dk"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd -d"),
      ([0xFF, 0xD8, 0xFF, 0xE0], "is a JPEG picture, expected a CSV; pictures in class folders"),
      (Array("<!DOCTYPE html><html>".utf8), "is a web page"), (Array("%PDF-1.4".utf8), "is a PDF document"),
    ] as [([UInt8], String)] {
      _ = try write(Data(bytes + [UInt8](repeating: 1, count: 600)), "it's packed")
      #expect(message("it's packed").contains(words), "\(message("it's packed"))")
    }
  }

  @Test(arguments: [String.Encoding.utf16LittleEndian, .utf16BigEndian], [true, false])
  func utf16IsRead(encoding: String.Encoding, hasMark: Bool) throws {
    let text = try #require((hasMark ? "\u{FEFF}" : "").appending(csv).data(using: encoding))
    _ = try write(text, "wide.csv")
    try expectSame("wide.csv")
  }

  /// The second half of a surrogate pair may lie in the next chunk.
  @Test func charactersOnTheEdgesOfChunksStayWhole() throws {
    let smiles = String(repeating: "\u{1F600}", count: 300_000)
    let text = "\u{FEFF}x\(smiles),emotion,pixels,Usage\n"
    let row = "a,0," + [String](repeating: "1", count: 2304).joined(separator: " ") + ",Training\n"
    _ = try write(try #require((text + row).data(using: .utf16LittleEndian)), "smiles.csv")
    #expect(try load("smiles.csv").count == 1)
  }
}
