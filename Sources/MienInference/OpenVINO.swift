import COpenVINO
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
    throw MienError(status == MIEN_OPENVINO_INVALID ? .mismatch : .native, nil, "\(what): \(text)")
  }

  /// The most axes of a tensor that Mien looks at.
  static let maximumRank = 8
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
  init(onnx: [UInt8], threads: Int?) throws {
    var compiled: OpaquePointer?
    try OpenVINO.check("the model cannot be compiled") {
      mien_openvino_model_compile(onnx, onnx.count, Int32(clamping: threads ?? 0), &compiled, $0)
    }
    guard let compiled else { throw MienError(.native, nil, "the model cannot be compiled") }
    handle = compiled
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

  private func makeRequest() throws -> InferenceRequest {
    var made: OpaquePointer?
    try OpenVINO.check("the model cannot run") { mien_openvino_request_create(handle, &made, $0) }
    guard let made else { throw MienError(.native, nil, "the model cannot run") }
    return InferenceRequest(taking: made)
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
