import Foundation
import MienCore
import MienInference
import MienONNX
import MienTestSupport
import Testing

/// The Python that `make setup` prepares for tests.
enum TestPython {
  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let isReady = (try? run(["-c", "import numpy, onnx, onnxruntime, safetensors"]).status) == 0

  static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = repository.appendingPathComponent(".native/python/bin/python3")
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }
}

/// The files that Mien writes, judged by ONNX's own checker and run by ONNX Runtime (both from PyPI).
@Suite(.enabled(if: TestPython.isReady, "needs .native/python with onnx and onnxruntime: make setup"))
struct ONNXRuntimeSuite {
  @Test(arguments: ["tiny", "pixels", "default"])
  func acceptsTheFileAndAgreesWithOpenVINO(_ name: String) throws {
    let model =
      switch name {
      case "tiny": try TinyGraph.model()
      case "pixels": try PixelGraph.model()
      default: try BuiltInModels.model()
      }
    let count = 21
    var random = SeededRandom(seed: 5)
    let inputs = (0..<(count * 2304)).map { _ in random.uniform() }

    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mien-onnx-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try model.write(to: folder.appendingPathComponent("model.onnx"))
    try SafeTensors(tensors: ["faces": .init(inputs, shape: [count, 1, 48, 48])])
      .write(to: folder.appendingPathComponent("faces.safetensors"))
    let script = TestPython.repository.appendingPathComponent("scripts/golden/onnx_runtime.py").path
    let (status, output) = try TestPython.run([script, folder.path])
    #expect(status == 0, "\(output)")
    #expect(output.contains("weightsSHA256 \(model.weightsSHA256)"), "the hash can be had without Mien")

    let theirs = try SafeTensors(contentsOf: folder.appendingPathComponent("outputs.safetensors")).tensors
    let ours = try EmotionClassifier(model: model).predictions(for: inputs, count: count)
    #expect(Set(theirs.keys) == Set(ours.tensors.keys))
    for (name, tensor) in ours.tensors {
      let expected = try #require(theirs[name])
      #expect(expected.shape == tensor.shape)
      let difference = zip(try expected.values(Float.self), tensor.values).map { abs($0 - $1) }.max() ?? 1
      #expect(difference < 1e-4, "\(name)")
    }
  }
}
