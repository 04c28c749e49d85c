import COpenVINO
import Foundation
import MienCore
import Synchronization

/// Swift's side of the shim: statuses become ``MienError`` and handles are freed.
enum OpenVINO {
  /// Calls a shim function and throws what it reports.
  static func check(_ what: String, _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32) throws {
    var message: UnsafeMutablePointer<CChar>?
    let status = call(&message)
    guard status != MIEN_OPENVINO_OK else { return }
    defer { mien_openvino_string_free(message) }
    let text = message.map { String(cString: $0) } ?? "no reason given"
    throw MienError(status == MIEN_OPENVINO_INVALID ? .mismatch : .native, nil, "\(what): \(reason(text))")
  }

  /// What OpenVINO says, without the places in its source and the checks in C++ that its exceptions begin with.
  static func reason(_ text: String) -> String {
    let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let said = lines.filter { line in
      !line.isEmpty && !["Exception from ", "Check '", "While validating node "].contains(where: line.hasPrefix)
    }
    return said.isEmpty ? lines.joined(separator: " ") : said.joined(separator: " ")
  }

  /// Calls a shim function that makes a handle.
  static func handle(
    _ what: String,
    _ call: (inout OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) throws -> OpaquePointer {
    var made: OpaquePointer?
    try check(what) { call(&made, $0) }
    guard let made else { throw MienError(.native, nil, what) }
    return made
  }

  /// The version, and the processor with the kinds of numbers that it computes with fast: a compiled network fits where
  /// both are the same.
  static func identity() throws -> String { try text(mien_openvino_version) + "\n" + text(mien_openvino_processor) }

  /// Calls a shim function that makes a text.
  fileprivate static func text(
    _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>)
      -> Int32
  ) throws -> String {
    var words: UnsafeMutablePointer<CChar>?
    try check("OpenVINO cannot be used") { call(&words, $0) }
    defer { mien_openvino_string_free(words) }
    return words.map { String(cString: $0) } ?? ""
  }

  /// The most axes of a tensor that Mien looks at.
  static let maximumRank = 8
}

/// The library that runs networks.
package enum InferenceRuntime {
  /// OpenVINO's version, as `2026.4.0-22208-a1b2c3d`.
  ///
  /// - Throws: ``MienError`` if OpenVINO cannot be used.
  package static func version() throws -> String { try OpenVINO.text(mien_openvino_version) }

  /// The processor and the kinds of numbers that it computes with fast.
  package static func processor() throws -> String { try OpenVINO.text(mien_openvino_processor) }
}

/// A network compiled for the CPU. It may run on several threads at a time; each run uses a request of its own, and
/// requests are kept for the next run.
final class CompiledNetwork: Sendable {
  // Unsafe to the compiler only: the shim lets several threads use a model at a time.
  private nonisolated(unsafe) let handle: OpaquePointer
  private let idle = Mutex<[InferenceRequest]>([])

  /// Compiles an ONNX file's bytes.
  ///
  /// - Parameter threads: how many threads one run may use; nil for as many as there are cores.
  convenience init(onnx: UnsafeRawBufferPointer, threads: Int?) throws {
    try self.init(NetworkGraph(onnx: onnx), threads: threads)
  }

  /// Compiles a graph.
  ///
  /// - Parameter rounds: whether it may compute in bf16 where the processor has instructions for it.
  init(_ graph: NetworkGraph, threads: Int?, rounds: Bool = false) throws {
    handle = try OpenVINO.handle("the model cannot be compiled") { handle, error in
      graph.withHandle {
        mien_openvino_graph_compile($0, Int32(clamping: threads ?? 0), rounds ? 1 : 0, &handle, error)
      }
    }
  }

  /// Takes what ``exported()`` gave on the same processor with the same OpenVINO, undamaged.
  init(exported bytes: [UInt8], threads: Int?, rounds: Bool = false) throws {
    handle = try OpenVINO.handle("the compiled model cannot be read") { handle, error in
      mien_openvino_model_import(bytes, bytes.count, Int32(clamping: threads ?? 0), rounds ? 1 : 0, &handle, error)
    }
  }

  /// The compiled network as bytes.
  func exported() throws -> [UInt8] {
    let buffer = try OpenVINO.handle("the compiled model cannot be written") { buffer, error in
      mien_openvino_model_export(handle, &buffer, error)
    }
    defer { mien_openvino_buffer_free(buffer) }
    return Array(
      UnsafeBufferPointer(start: mien_openvino_buffer_bytes(buffer), count: mien_openvino_buffer_count(buffer)))
  }

  deinit { mien_openvino_model_free(handle) }

  /// How many inputs and outputs the network has.
  func portCounts() throws -> (inputs: Int, outputs: Int) {
    var (inputs, outputs) = (0, 0)
    try OpenVINO.check("the model cannot be read") { mien_openvino_model_ports(handle, &inputs, &outputs, $0) }
    return (inputs, outputs)
  }

  /// The sizes of an input or output, nil for one known at run time.
  func shape(of name: String, isOutput: Bool) throws -> [Int?] {
    var sizes = [Int64](repeating: 0, count: OpenVINO.maximumRank)
    var rank = 0
    let capacity = sizes.count
    try OpenVINO.check("the model does not fit") {
      mien_openvino_model_shape(handle, name, isOutput ? 1 : 0, &sizes, capacity, &rank, $0)
    }
    return sizes.prefix(rank).map { $0 < 0 ? nil : Int($0) }
  }

  /// Runs the network on one tensor and hands the request to `body`, which reads the outputs from it.
  func run<Result>(
    _ input: String, _ values: ArraySlice<Float>, shape: [Int], _ body: (InferenceRequest) throws -> Result
  ) throws -> Result {
    let request = try idle.withLock { $0.popLast() } ?? makeRequest()
    defer { idle.withLock { $0.append(request) } }
    try request.run(input, values, shape: shape)
    return try body(request)
  }

  /// As above, for an input that takes bytes.
  func run<Result>(
    _ input: String, bytes: [UInt8], shape: [Int], _ body: (InferenceRequest) throws -> Result
  ) throws -> Result {
    let request = try idle.withLock { $0.popLast() } ?? makeRequest()
    defer { idle.withLock { $0.append(request) } }
    try request.run(input, bytes: bytes, shape: shape)
    return try body(request)
  }

  private func makeRequest() throws -> InferenceRequest {
    InferenceRequest(
      taking: try OpenVINO.handle("the model cannot run") { mien_openvino_request_create(handle, &$0, $1) })
  }
}

/// A network that was read and can still be changed.
final class NetworkGraph {
  private let handle: OpaquePointer

  /// Reads an ONNX file's bytes.
  init(onnx: UnsafeRawBufferPointer) throws {
    handle = try OpenVINO.handle("the model cannot be read") { handle, error in
      mien_openvino_graph_read(
        onnx.baseAddress?.assumingMemoryBound(to: UInt8.self), onnx.count, &handle, error)
    }
  }

  /// Reads a file, whose extension tells its format: `.tflite` or `.onnx`.
  init(contentsOf url: URL) throws {
    handle = try OpenVINO.handle("the network cannot be read") { mien_openvino_graph_read_file(url.path, &$0, $1) }
  }

  deinit { mien_openvino_graph_free(handle) }

  fileprivate func withHandle(_ body: (OpaquePointer) -> Int32) -> Int32 { body(handle) }

  /// Makes a convolutional network take inputs of any size; see mien_openvino.h.
  func makeConvolutional() throws {
    try OpenVINO.check("the network cannot be cut") { mien_openvino_graph_make_convolutional(handle, $0) }
  }

  /// Gives the one input this shape.
  func reshape(_ shape: [Int]) throws {
    let sizes = shape.map(Int64.init)
    try OpenVINO.check("the network does not take the shape \(shape)") {
      mien_openvino_graph_reshape(handle, sizes, sizes.count, $0)
    }
  }

  /// Makes the one input take bytes, which become `value * scale + offset`.
  func takeBytes(scale: Float, offset: Float) throws {
    try OpenVINO.check("the network cannot take bytes") { mien_openvino_graph_take_bytes(handle, scale, offset, $0) }
  }
}

/// Room for one run at a time.
final class InferenceRequest: Sendable {
  private let handle: Mutex<OpaquePointer>

  fileprivate init(taking made: sending OpaquePointer) { handle = Mutex(made) }

  deinit { handle.withLock { mien_openvino_request_free($0) } }

  fileprivate func run(_ input: String, _ values: ArraySlice<Float>, shape: [Int]) throws {
    let sizes = shape.map(Int64.init)
    try handle.withLock { handle in
      try values.withUnsafeBufferPointer { values in
        try OpenVINO.check("the model failed") {
          mien_openvino_request_run(handle, input, values.baseAddress, values.count, sizes, sizes.count, $0)
        }
      }
    }
  }

  fileprivate func run(_ input: String, bytes: [UInt8], shape: [Int]) throws {
    let sizes = shape.map(Int64.init)
    try handle.withLock { handle in
      try OpenVINO.check("the network failed") {
        mien_openvino_request_run_bytes(handle, input, bytes, bytes.count, sizes, sizes.count, $0)
      }
    }
  }

  /// The last run's output `name`, which must have exactly `count` values.
  func output(_ name: String, count: Int) throws -> [Float] {
    try handle.withLock { handle in
      var values = [Float](repeating: 0, count: count)
      try OpenVINO.check("the model's output cannot be read") {
        mien_openvino_request_output(handle, name, &values, count, $0)
      }
      return values
    }
  }
}
