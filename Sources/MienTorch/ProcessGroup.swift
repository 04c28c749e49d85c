import CTorch
public import Foundation
import MienCore

/// The processes that train one network together, each on its share of every batch.
///
/// PyTorch's `torchrun` starts them and tells each of them, by its environment, where it stands. They add up their
/// gradients through libtorch's c10d with gloo. Every process must make the same calls in the same order; a call waits for
/// the others, half an hour at most, and throws ``MienCore/MienError`` if one of them is gone.
@TorchActor public final class ProcessGroup {
  /// What `torchrun` says of a process.
  public struct Place: Sendable, Equatable {
    /// Which process of the group this is, from 0.
    public let rank: Int
    /// How many processes there are.
    public let size: Int
    /// Which process of this machine this is, from 0.
    public let localRank: Int
    /// How many processes of the group run on this machine.
    public let localSize: Int
    /// How often the group was started again after one of its processes ended early.
    public let restarts: Int
    let host: String
    let port: UInt16
    let usesAgentStore: Bool

    /// Reads `RANK`, `WORLD_SIZE`, `MASTER_ADDR`, `MASTER_PORT` and, where they are set, `LOCAL_RANK`,
    /// `LOCAL_WORLD_SIZE`, `TORCHELASTIC_RESTART_COUNT` and `TORCHELASTIC_USE_AGENT_STORE`; `nil` for a process that
    /// runs alone, which lacks one of the first four.
    ///
    /// - Throws: ``MienCore/MienError`` naming a variable that holds no such number.
    public init?(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
      func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int? {
        guard let text = environment[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
          throw MienError(
            .argument, "\(name)=\(text)",
            "expected a whole number from \(range.lowerBound) to \(range.upperBound); torchrun sets it, or unset it")
        }
        return value
      }
      guard let host = environment["MASTER_ADDR"], let port = try number("MASTER_PORT", 1...65535),
        let size = try number("WORLD_SIZE", 1...65536), let rank = try number("RANK", 0...(size - 1))
      else { return nil }
      (self.host, self.port, self.size, self.rank) = (host, UInt16(port), size, rank)
      localSize = try number("LOCAL_WORLD_SIZE", 1...size) ?? 1
      localRank = try number("LOCAL_RANK", 0...(localSize - 1)) ?? 0
      restarts = try number("TORCHELASTIC_RESTART_COUNT", 0...Int(Int32.max)) ?? 0
      usesAgentStore = environment["TORCHELASTIC_USE_AGENT_STORE"] == "True"
    }
  }

  /// Where this process stands in the group.
  public nonisolated let place: Place
  /// Whether this is the process that writes files and shows progress.
  public nonisolated var isFirst: Bool { place.rank == 0 }
  /// Never reassigned, and used by libtorch's thread alone until it is freed.
  private nonisolated(unsafe) let handle: OpaquePointer
  private var shared = 0

  private static let timeoutSeconds = 1800.0

  /// Joins the group, once every process of it does so.
  ///
  /// - Throws: ``MienCore/MienError`` if the others cannot be reached.
  public init(joining place: Place) throws {
    self.place = place
    var group: OpaquePointer?
    // As torch.distributed: torchrun's agent has a store, else the first process makes one.
    let hostsStore = place.rank == 0 && !place.usesAgentStore
    do {
      try place.host.withCString { host in
        try "mien/attempt_\(place.restarts)".withCString { prefix in
          var options = mien_torch_group_options(
            host: host, port: place.port, rank: Int32(place.rank), size: Int32(place.size),
            hosts_store: hostsStore ? 1 : 0, prefix: prefix, timeout_seconds: Self.timeoutSeconds)
          try Tensor.check { mien_torch_group_join(&options, &group, $0) }
        }
      }
    } catch let error as MienError {
      throw error.about("process \(place.rank) of \(place.size), store at \(place.host):\(place.port)")
    }
    guard let group else { throw MienError(.native, "libtorch", "no group of processes was made") }
    handle = group
  }

  deinit { mien_torch_group_free(handle) }

  /// Replaces the gradients of `parameters`, and the elements of the f32 tensors `values`, by their means over the
  /// processes, which all end with the same bits.
  public func averageInPlace(gradientsOf parameters: [Tensor], values: [Tensor]) throws {
    guard !parameters.isEmpty || !values.isEmpty else { return }
    // Either list may be empty, but a list of handles may not: the joint one is cut in two.
    try Tensor.withHandles(parameters + values) { handles, _ in
      try Tensor.check {
        mien_torch_group_average_inplace(
          handle, handles, Int32(parameters.count), handles + parameters.count, Int32(values.count), $0)
      }
    }
  }

  /// The sums of `numbers` over the processes.
  public func sums(_ numbers: [Double]) throws -> [Double] {
    var numbers = numbers
    try Tensor.check { mien_torch_group_sum_inplace(handle, &numbers, Int32(numbers.count), $0) }
    return numbers
  }

  /// Whether `flag` is true in any of the processes.
  public func any(_ flag: Bool) throws -> Bool { try sums([flag ? 1 : 0])[0] > 0 }

  /// Gives the bytes that `make` makes in the first process to all of them.
  ///
  /// - Throws: what `make` throws, in the first process; the others then wait until `torchrun` ends them.
  public func fromFirst(_ make: () throws -> [UInt8]) throws -> [UInt8] {
    shared += 1
    let key = "shared_\(shared)"
    if isFirst {
      let bytes = try make()
      try bytes.withUnsafeBytes { bytes in
        try Tensor.check { mien_torch_group_set(handle, key, bytes.baseAddress, Int64(bytes.count), $0) }
      }
      return bytes
    }
    var bytes: UnsafeMutableRawPointer?
    var count: Int64 = 0
    try Tensor.check { mien_torch_group_get(handle, key, &bytes, &count, $0) }
    defer { mien_torch_bytes_free(bytes) }
    return Array(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
  }
}
