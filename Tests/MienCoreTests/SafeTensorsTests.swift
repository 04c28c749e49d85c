import Foundation
import MienCore
import Testing

@Suite struct SafeTensorsTests {
  /// A file of `header` and `body`, with the header's true length or another.
  func file(_ header: String, body: Int = 0, length: UInt64? = nil) -> Data {
    let json = Data(header.utf8)
    return withUnsafeBytes(of: (length ?? UInt64(json.count)).littleEndian) { Data($0) } + json + Data(count: body)
  }

  func tensor(_ type: String, _ shape: String, _ offsets: String) -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test func everyTypeIsReadAsPythonWroteIt() throws {
    // Made by scripts/golden/safetensors_fixture.py.
    let file = try SafeTensors(contentsOf: Fixtures.url("python.safetensors"))
    #expect(file.metadata == ["note": "Gefühl \"quoted\"\n", "empty": ""])
    #expect(file.tensors.count == 9)
    #expect(try file.tensor("bytes", type: .u8, rank: 2).values() == [0, 1, 2, 3, 4, 5] as [UInt8])
    #expect(file.tensors["bytes"]?.shape == [2, 3])
    #expect(try file.tensor("signed", type: .i8, rank: 1).values() == [-128, 127] as [Int8])
    #expect(try file.tensor("ints", type: .i32, rank: 2).values() == [.min, .max] as [Int32])
    #expect(try file.tensor("longs", type: .i64, rank: 1).values() == [.min, .max] as [Int64])
    #expect(try file.tensor("floats", type: .f32, rank: 1).values() == [-1, -0.5, 0, 0.5, 1] as [Float])
    #expect(try file.tensor("doubles", type: .f64, rank: 3).values() == [1e300])
    #expect(try file.tensor("halves", type: .f16, rank: 1).bytes == Data([0x00, 0x38, 0x00, 0xC0]))
    #expect(try file.tensor("scalar", type: .f32, rank: 0).values() == [0.25] as [Float])
    #expect(try file.tensor("none", type: .f32, rank: 2).values() == [] as [Float])
  }

  @Test func writtenFilesReadBackEqualAndAligned() throws {
    let folder = try TemporaryFolder()
    var file = SafeTensors(metadata: ["a": "\u{1F600} \\ \"", "b": ""])
    file.tensors["a/odd"] = try .init([1, 2, 3] as [UInt8], shape: [3])
    file.tensors["b.wide"] = try .init([1.5, -2] as [Double], shape: [1, 2])
    file.tensors["c"] = try .init([7] as [Int32], shape: [])
    file.tensors["\"quoted\""] = try .init([] as [Float], shape: [0, 3])
    try file.write(to: folder.file("a"))
    let back = try SafeTensors(contentsOf: folder.file("a"))
    #expect(back.tensors == file.tensors)
    #expect(back.metadata == file.metadata)
    try back.write(to: folder.file("b"))
    #expect(try Data(contentsOf: folder.file("a")) == Data(contentsOf: folder.file("b")))
    let bytes = try Data(contentsOf: folder.file("a"))
    #expect(bytes.prefix(8).first.map { $0 % 8 } == 0)
    for tensor in back.tensors.values where !tensor.bytes.isEmpty {
      #expect((tensor.bytes.startIndex - bytes.startIndex) % tensor.type.size == 0)
    }
  }

  @Test func emptyFileOfNoTensorsIsValid() throws {
    #expect(try SafeTensors(data: file("{}")).tensors.isEmpty)
    #expect(try SafeTensors(data: file("{}   ")).tensors.isEmpty)
  }

  @Test(.enabled(if: Python.hasSafeTensors, "no Python with safetensors; set MIEN_PYTHON"))
  func pythonReadsWhatIsWritten() throws {
    let folder = try TemporaryFolder()
    let set = try FaceSet(
      source: "mine", labelSet: .ckplus48, height: 2, width: 3, channels: 1,
      rows: [.init(label: .fear, split: .test, sourceRow: 4), .init(label: .anger, split: .train, sourceRow: 5)],
      pixels: Data(0..<12))
    try set.write(to: folder.file("faces"))
    let script = """
      import json, sys
      from safetensors import safe_open
      with safe_open(sys.argv[1], "numpy") as f:
          info = json.loads(f.metadata()["mien.faceset"])
          print(info["source"], *[f"{k}:{f.get_tensor(k).dtype}:{f.get_tensor(k).ravel().tolist()}" for k in sorted(f.keys())])
      """
    let expected =
      "mine label:uint8:[3, 0] pixels:uint8:[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] row:int32:[4, 5] split:uint8:[2, 0]\n"
    #expect(try Python.run(script, folder.file("faces").path) == expected)
  }

  @Test func aMissingFileIsNamed() {
    let error = #expect(throws: MienError.self) { try SafeTensors(contentsOf: URL(fileURLWithPath: "/no/such/file")) }
    #expect(error?.description == "/no/such/file: no such file")
    #expect(throws: MienError.self) { try SafeTensors(contentsOf: URL(fileURLWithPath: "/")) }
  }

  @Test func hostileFilesAreRefused() throws {
    let u8 = tensor("U8", "[4]", "[0,4]")
    let cases: [(what: String, data: Data, words: String)] = [
      ("no bytes", Data(), "0 bytes"),
      ("seven bytes", Data(count: 7), "7 bytes"),
      ("one byte", Data([7]), "1 byte,"),
      ("text", Data("hello world, this is text\n".utf8), "is not a safetensors file"),
      ("eight bytes of text", Data("a,b\n1,2\n".utf8), "is not a safetensors file"),
      ("header longer than the file", file("{}", length: 3), "header of 3 bytes"),
      ("header length of 2^64 - 1", file("{}", length: .max), "header of 18,446,744,073,709,551,615"),
      ("header length of 2^63", file("{}", length: 1 << 63), "header of"),
      ("no header", file(""), "header is not"),
      ("an array", file("[]"), "header is not"),
      ("a blank before the header", file(" {}"), "header is not"),
      ("cut JSON", file(#"{"a":"#), "header is not"),
      ("broken UTF-8", Data([3, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0xFF, 0x7D]), "header is not"),
      ("nesting", file(#"{"a":"# + String(repeating: "[", count: 100_000)), "header is not"),
      ("a tensor without a type", file(#"{"a":{"shape":[],"data_offsets":[0,0]}}"#), "header is not"),
      ("three offsets", file(#"{"a":\#(tensor("U8", "[0]", "[0,0,0]"))}"#), "header is not"),
      ("strings for a tensor", file(#"{"a":{"b":"c"}}"#), "tensor a"),
      ("metadata of numbers", file(#"{"__metadata__":{"a":1}}"#), "header is not"),
      ("metadata as a list", file(#"{"__metadata__":["a"]}"#), "header is not"),
      ("metadata as a tensor", file(#"{"__metadata__":\#(u8)}"#, body: 4), "__metadata__"),
      ("truncated body", file(#"{"a":\#(u8)}"#, body: 3), "spans bytes 0..<4 of 3"),
      ("bytes left over", file(#"{"a":\#(u8)}"#, body: 5), "1 bytes belong to no tensor"),
      ("a hole", file(#"{"a":\#(u8),"b":\#(tensor("U8", "[1]", "[5,6]"))}"#, body: 6), "overlap or leave a hole"),
      ("overlap", file(#"{"a":\#(u8),"b":\#(tensor("U8", "[2]", "[3,5]"))}"#, body: 5), "overlap or leave a hole"),
      ("the same bytes twice", file(#"{"a":\#(u8),"b":\#(u8)}"#, body: 4), "overlap or leave a hole"),
      ("negative offsets", file(#"{"a":\#(tensor("U8", "[4]", "[-4,0]"))}"#, body: 4), "spans bytes"),
      ("offsets the wrong way", file(#"{"a":\#(tensor("U8", "[0]", "[4,0]"))}"#, body: 4), "spans bytes"),
      (
        "an offset of 2^63", file(#"{"a":\#(tensor("U8", "[4]", "[0,9223372036854775808]"))}"#, body: 4),
        "header is not"
      ),
      ("an offset of 2^63 - 1", file(#"{"a":\#(tensor("U8", "[4]", "[0,9223372036854775807]"))}"#, body: 4), "spans"),
      ("unknown type", file(#"{"a":\#(tensor("Q4", "[4]", "[0,4]"))}"#, body: 4), "unsupported type Q4"),
      ("shape and bytes differ", file(#"{"a":\#(tensor("F32", "[4]", "[0,4]"))}"#, body: 4), "does not take 4 bytes"),
      ("negative size", file(#"{"a":\#(tensor("U8", "[-4]", "[0,4]"))}"#, body: 4), "does not take"),
      ("two negative sizes", file(#"{"a":\#(tensor("U8", "[-2,-2]", "[0,4]"))}"#, body: 4), "does not take"),
      (
        "sizes whose product overflows to 4",
        file(#"{"a":\#(tensor("U8", "[4611686018427387905,4]", "[0,4]"))}"#, body: 4), "does not take"
      ),
      ("a name twice", file(#"{"a":\#(u8),"a":\#(u8)}"#, body: 4), "a name twice"),
      ("a name twice, spelt differently", file(#"{"a":\#(u8),"\u0061":\#(u8)}"#, body: 4), "a name twice"),
    ]
    for (what, data, words) in cases {
      let error = #expect(throws: MienError.self, "\(what)") { try SafeTensors(data: data) }
      #expect(error?.message.contains(words) == true, "\(what): \(error?.message ?? "no error")")
    }
  }

  @Test func damagedFilesNeverCrash() throws {
    let original = try Data(contentsOf: Fixtures.url("python.safetensors"))
    var random = SeededRandom(seed: 1)
    var refused = 0
    for _ in 0..<3000 {
      var data = original
      for _ in 0...Int(random.next() % 4) { data[Int(random.next() % UInt64(data.count))] = UInt8(random.next() % 256) }
      if random.next() % 4 == 0 { data = data.prefix(Int(random.next() % UInt64(data.count))) }
      do {
        for tensor in try SafeTensors(data: data).tensors.values {
          #expect(tensor.bytes.count == tensor.type.size * tensor.shape.reduce(1, *))
        }
      } catch is MienError { refused += 1 }
    }
    #expect(refused > 1000)
  }
}

/// A Python with the reference implementation, where there is one.
enum Python {
  static let executable: String? = {
    let home = FileManager.default.homeDirectoryForCurrentUser.path
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["MIEN_CACHE"] ?? "\(home)/.cache/mien"
    return [environment["MIEN_PYTHON"], "\(cache)/python/bin/python", "/usr/bin/python3"].compactMap(\.self)
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  static let hasSafeTensors = (try? run("import numpy, safetensors")) != nil

  /// Runs `script` and returns its standard output.
  static func run(_ script: String, _ arguments: String...) throws -> String {
    guard let executable else { throw MienError(.file, nil, "no Python") }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: executable)
    process.arguments = ["-c", script] + arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw MienError(.native, executable, "failed") }
    return text
  }
}
