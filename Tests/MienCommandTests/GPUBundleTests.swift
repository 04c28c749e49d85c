import Foundation
import MienCore
import MienTestSupport
import Testing

/// The tests' Python, and where the scripts are that run in it.
private enum BundlePython {
  static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("scripts/gpu")
  static let program = scripts.appendingPathComponent("../../.native/python/bin/python3").path
  static let hasNumPy = (try? Command.run(program, ["-c", "import numpy"]).status) == 0
}

/// The scripts that take runs to a GPU host and back.
@Suite(.enabled(if: BundlePython.hasNumPy, "needs .native/python with numpy: make setup"))
struct GPUBundleTests {
  private func run(_ script: String, _ arguments: String...) throws -> Command.Outcome {
    try Command.run(BundlePython.program, [BundlePython.scripts.appendingPathComponent(script).path] + arguments)
  }

  /// Faces of every kind that the coder treats on its own: smooth, noisy, flat, extreme, and copies of earlier ones.
  private func faces(in folder: TemporaryFolder) throws -> URL {
    var random = SeededRandom(seed: 7)
    var pixels: [UInt8] = []
    for face in 0..<40 {
      let slope = Float(face) / 8
      for y in 0..<48 {
        for x in 0..<48 {
          let value: Float =
            switch face % 4 {
            case 0: Float(x) * slope + Float(y) + random.uniform(in: -3...3)
            case 1: random.uniform(in: 0...255)
            case 2: Float(face)
            default: (x / 6 + y / 6).isMultiple(of: 2) ? 0 : 255
            }
          pixels.append(UInt8(max(0, min(255, value))))
        }
      }
    }
    // The newest face again, an older one, and the first.
    for face in [39, 4, 0] { pixels += pixels[(face * 2304)..<((face + 1) * 2304)] }
    let rows = (0..<43).map { index in
      FaceSet.Row(
        label: LabelSet.fer2013.emotions[index % 7], split: index < 30 ? .train : .validation,
        votes: (0..<FaceSet.voteColumns).map { UInt8(($0 + index) % 11) }, sourceRow: index)
    }
    let set = try FaceSet(
      source: "drawn", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows, pixels: Data(pixels))
    let url = folder.file("faces.safetensors")
    try set.write(to: url)
    return url
  }

  @Test func packedFacesComeBackByteForByte() throws {
    let folder = try TemporaryFolder()
    let (source, packed, back) = (try faces(in: folder), folder.file("packed"), folder.file("back.safetensors"))
    let packing = try run("faceset_codec.py", "pack", source.path, packed.path)
    #expect(packing.status == 0, "\(packing.errors)")
    #expect(try run("faceset_codec.py", "unpack", packed.path, back.path).status == 0)
    let (bytes, original) = (try Data(contentsOf: packed), try Data(contentsOf: source))
    #expect(try Data(contentsOf: back) == original)
    #expect(bytes.count < original.count)

    var damaged = bytes
    damaged[damaged.count - 100] ^= 1
    try damaged.write(to: packed)
    let refused = try run("faceset_codec.py", "unpack", packed.path, back.path)
    #expect(refused.status != 0 && refused.errors.contains("is damaged"), "\(refused.errors)")
    let foreign = try run("faceset_codec.py", "unpack", source.path, back.path)
    #expect(foreign.status != 0 && foreign.errors.contains("not a packed FaceSet"))
  }

  @Test func runsComeBackInPartsAndIntoFoldersOfTheirOwn() throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [1, -0.5, 2.25, 100_000]
    var file = SafeTensors(metadata: ["mien.checkpoint": "{}"])
    file.tensors["average.weight"] = try .init(Array(values.prefix(3)), shape: [3])
    file.tensors["average.large"] = try .init(Array(values.suffix(1)), shape: [1])
    let many = (0..<30_000).map { Float($0 % 2048) }
    file.tensors["average.many"] = try .init(many, shape: [150, 200])
    let run = folder.file("work/runs/one")
    try FileManager.default.createDirectory(
      at: run.appending(path: "checkpoints"), withIntermediateDirectories: true)
    try file.write(to: run.appending(path: "checkpoints/best.safetensors"))
    let recipe = "name: one\nteachers: {runs: [\(folder.file("work/runs/two").path)]}\n"
    try Data(recipe.utf8).write(to: run.appending(path: "recipe.yaml"))
    let out = folder.file("out")
    let script = """
      import os, sys, types
      os.environ["MIEN_GPU_WORK"], os.environ["OUT"] = sys.argv[2], sys.argv[3]
      sys.path.insert(0, sys.argv[1])
      import host
      host.PART, host.PARTS = 20_000, 20
      host.collect(types.SimpleNamespace(stages=[{"runs": [{"name": "one"}, {"name": "never started"}]}]))
      """
    let packing = try Command.run(
      BundlePython.program, ["-c", script, BundlePython.scripts.path, folder.file("work").path, out.path])
    #expect(packing.status == 0, "\(packing.errors)")
    #expect(FileManager.default.fileExists(atPath: out.appending(path: "runs.tar.1").path))
    let back = folder.file("back")
    #expect(try self.run("results.py", "collect", out.path, back.path).status == 0)
    // A recipe names its teachers by path.
    let returned = try String(contentsOf: back.appending(path: "one/recipe.yaml"), encoding: .utf8)
    #expect(returned == "name: one\nteachers: {runs: [\(back.resolvingSymlinksInPath().path)/two]}\n")
    let best = try SafeTensors(contentsOf: back.appending(path: "one/checkpoints/best.safetensors"))
    #expect(best.metadata == file.metadata)
    #expect(try best.tensor("average.weight", type: .f32, rank: 1).values(Float.self) == Array(values.prefix(3)))
    #expect(try best.tensor("average.many", type: .f32, rank: 2).values(Float.self) == many)
    // Beyond what 16 bits hold.
    #expect(try best.tensor("average.large", type: .f32, rank: 1).values(Float.self) == [100_000])
    let again = try self.run("results.py", "collect", out.path, back.path)
    #expect(again.status != 0 && again.errors.contains("exists already"))
    let none = try self.run("results.py", "collect", back.path, out.path)
    #expect(none.status != 0 && none.errors.contains("expected runs.tar.0"))
  }
}
