import COpenVINO
import Foundation
import MienTestSupport
import Testing

/// The C functions themselves, with what Swift never passes.
@Suite struct ShimTests {
  /// Calls a shim function; the status and the message it leaves.
  private func call(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32) -> (Int32, String?) {
    var message: UnsafeMutablePointer<CChar>?
    let status = body(&message)
    defer { mien_openvino_string_free(message) }
    return (status, message.map { String(cString: $0) })
  }

  private func compiled() throws -> OpaquePointer {
    let bytes = [UInt8](try TinyGraph.model().data)
    var model: OpaquePointer?
    let (status, message) = call { compile(bytes, 1, &model, $0) }
    #expect(status == MIEN_OPENVINO_OK && message == nil)
    return try #require(model)
  }

  /// Reads and compiles an ONNX file's bytes.
  private func compile(
    _ bytes: [UInt8], _ threads: Int32, _ model: inout OpaquePointer?,
    _ error: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) -> Int32 {
    var graph: OpaquePointer?
    let status = mien_openvino_graph_read(bytes, bytes.count, &graph, error)
    guard status == MIEN_OPENVINO_OK else { return status }
    defer { mien_openvino_graph_free(graph) }
    return mien_openvino_graph_compile(graph, threads, 0, &model, error)
  }

  @Test func versionIsThePinnedOne() {
    var text: UnsafeMutablePointer<CChar>?
    #expect(mien_openvino_version(&text, nil) == MIEN_OPENVINO_OK)
    defer { mien_openvino_string_free(text) }
    #expect(text.map { String(cString: $0).hasPrefix("2026.") } == true)
  }

  @Test func nullArgumentsAreRefused() throws {
    let model = try compiled()
    defer { mien_openvino_model_free(model) }
    var (inputs, outputs, rank) = (0, 0, 0)
    var request: OpaquePointer?
    var size: Int64 = 0
    var value: Float = 0
    let calls: [(Int32, String?)] = [
      call { mien_openvino_version(nil, $0) },
      call { mien_openvino_processor(nil, $0) },
      call { mien_openvino_graph_read(nil, 0, &request, $0) },
      call { mien_openvino_graph_read_file(nil, &request, $0) },
      call { mien_openvino_graph_make_convolutional(nil, $0) },
      call { mien_openvino_graph_reshape(nil, &size, 1, $0) },
      call { mien_openvino_graph_take_bytes(nil, 1, 0, $0) },
      call { mien_openvino_graph_compile(nil, 1, 0, &request, $0) },
      call { mien_openvino_model_export(model, nil, $0) },
      call { mien_openvino_model_import(nil, 0, 1, 0, &request, $0) },
      call { mien_openvino_request_run_bytes(nil, "faces", nil, 1, &size, 1, $0) },
      call { mien_openvino_model_ports(nil, &inputs, &outputs, $0) },
      call { mien_openvino_model_shape(model, nil, 0, &size, 1, &rank, $0) },
      call { mien_openvino_request_create(nil, &request, $0) },
      call { mien_openvino_request_create(model, nil, $0) },
      call { mien_openvino_request_run(nil, "faces", &value, 1, &size, 1, $0) },
      call { mien_openvino_request_output(nil, "ferplus", &value, 1, $0) },
    ]
    for (index, (status, message)) in calls.enumerated() {
      #expect(status == MIEN_OPENVINO_INVALID && message?.hasPrefix("expected") == true, "call \(index)")
    }
    #expect(request == nil)
    mien_openvino_model_free(nil)
    mien_openvino_graph_free(nil)
    mien_openvino_buffer_free(nil)
    #expect(mien_openvino_buffer_bytes(nil) == nil && mien_openvino_buffer_count(nil) == 0)
    mien_openvino_request_free(nil)
    mien_openvino_string_free(nil)
  }

  @Test(arguments: ["", "not a model", String(repeating: "\u{8}\u{7}", count: 400)])
  func garbageIsAnErrorAndNoModel(_ text: String) {
    let bytes = Array(text.utf8)
    var model: OpaquePointer?
    let (status, message) = call { compile(bytes, 0, &model, $0) }
    #expect(status != MIEN_OPENVINO_OK && model == nil && message?.isEmpty == false)
    // A caller may not care why.
    #expect(compile(bytes, 0, &model, nil) == status)
  }

  @Test func threadsOutOfRangeAreRefused() throws {
    let bytes = [UInt8](try TinyGraph.model().data)
    var model: OpaquePointer?
    let (status, _) = call { compile(bytes, -1, &model, $0) }
    #expect(status == MIEN_OPENVINO_INVALID && model == nil)
  }

  @Test func shapesAreTold() throws {
    let model = try compiled()
    defer { mien_openvino_model_free(model) }
    var (inputs, outputs, rank) = (0, 0, 0)
    #expect(mien_openvino_model_ports(model, &inputs, &outputs, nil) == MIEN_OPENVINO_OK)
    #expect(inputs == 1 && outputs == 2)
    var sizes = [Int64](repeating: 0, count: 4)
    #expect(mien_openvino_model_shape(model, "faces", 0, &sizes, 4, &rank, nil) == MIEN_OPENVINO_OK)
    #expect(rank == 4 && sizes == [-1, 1, 48, 48])
    let (narrow, _) = call { mien_openvino_model_shape(model, "faces", 0, &sizes, 3, &rank, $0) }
    #expect(narrow == MIEN_OPENVINO_INVALID)
    let (unknown, message) = call { mien_openvino_model_shape(model, "faces", 1, &sizes, 4, &rank, $0) }
    #expect(unknown == MIEN_OPENVINO_INVALID && message == "the model has no output called faces")
  }

  @Test func runsThatDoNotFitAreRefused() throws {
    let model = try compiled()
    var created: OpaquePointer?
    #expect(mien_openvino_request_create(model, &created, nil) == MIEN_OPENVINO_OK)
    let request = try #require(created)
    defer { mien_openvino_request_free(request) }
    // A request outlives its model's handle.
    mien_openvino_model_free(model)

    let face = [Float](repeating: 0.5, count: 2304)
    var result = [Float](repeating: 0, count: 8)
    let (early, _) = call { mien_openvino_request_output(request, "ferplus", &result, 8, $0) }
    #expect(early == MIEN_OPENVINO_INVALID)
    func run(_ name: String, _ count: Int, _ sizes: [Int64]) -> Int32 {
      call { mien_openvino_request_run(request, name, face, count, sizes, sizes.count, $0) }.0
    }
    #expect(run("pixels", 2304, [1, 1, 48, 48]) == MIEN_OPENVINO_INVALID)
    #expect(run("faces", 2303, [1, 1, 48, 48]) == MIEN_OPENVINO_INVALID)
    #expect(run("faces", 2304, [1, 48, 48]) == MIEN_OPENVINO_INVALID)
    #expect(run("faces", 2304, [1, 4, 24, 24]) == MIEN_OPENVINO_INVALID)
    #expect(run("faces", 2304, [0, 1, 48, 48]) == MIEN_OPENVINO_INVALID)
    #expect(run("faces", 2304, [.max, .max, 48, 48]) == MIEN_OPENVINO_INVALID)
    #expect(run("faces", 2304, [-1, 1, 48, 48]) == MIEN_OPENVINO_INVALID)
    #expect(run("faces", 2304, [1, 1, 48, 48]) == MIEN_OPENVINO_OK)
    #expect(call { mien_openvino_request_output(request, "ferplus", &result, 7, $0) }.0 == MIEN_OPENVINO_INVALID)
    #expect(call { mien_openvino_request_output(request, "moods", &result, 8, $0) }.0 == MIEN_OPENVINO_INVALID)
    #expect(call { mien_openvino_request_output(request, "ferplus", &result, 8, $0) }.0 == MIEN_OPENVINO_OK)
    #expect(abs(result.reduce(0, +) - 1) < 1e-5)
  }
}
