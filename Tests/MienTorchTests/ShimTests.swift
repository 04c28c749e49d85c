import CTorch
import Testing

/// The C functions called as C: what they return, and that failures come back as messages.
@Suite struct ShimTests {
  private func message(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32) -> String? {
    var error: UnsafeMutablePointer<CChar>?
    guard body(&error) != 0 else { return nil }
    defer { mien_torch_string_free(error) }
    return error.map { String(cString: $0) } ?? ""
  }

  private func tensor(_ values: [Float], _ sizes: [Int64]) throws -> OpaquePointer {
    var result: OpaquePointer?
    let failure = message { error in
      values.withUnsafeBytes {
        mien_torch_from_bytes(
          MIEN_TORCH_F32, sizes, Int32(sizes.count), $0.baseAddress, Int64($0.count), &result, error)
      }
    }
    #expect(failure == nil)
    return try #require(result)
  }

  @Test func nullTensorIsAnError() {
    var out: OpaquePointer?
    #expect(message { mien_torch_relu(nil, &out, $0) } == "null tensor")
    #expect(out == nil)
  }

  @Test func nullOutParameterIsAnError() throws {
    let x = try tensor([1, 2], [2])
    defer { mien_torch_free(x) }
    #expect(message { mien_torch_relu(x, nil, $0) } == "null out-parameter")
  }

  @Test func byteCountMustFitTheShape() {
    var out: OpaquePointer?
    let found = message { error in
      [Float(1), 2].withUnsafeBytes {
        mien_torch_from_bytes(MIEN_TORCH_F32, [3], 1, $0.baseAddress, Int64($0.count), &out, error)
      }
    }
    #expect(found == "expected 12 bytes, found 8")
    #expect(message { mien_torch_from_bytes(mien_torch_type(99), [1], 1, nil, 4, &out, $0) } == "unknown element type")
    #expect(message { mien_torch_from_bytes(MIEN_TORCH_F32, [-3], 1, nil, 0, &out, $0) } != nil)
  }

  @Test func libtorchsOwnErrorsComeBackWithoutABacktrace() throws {
    let x = try tensor([1, 2], [2])
    let y = try tensor([1, 2, 3], [3])
    defer {
      mien_torch_free(x)
      mien_torch_free(y)
    }
    var out: OpaquePointer?
    let text = try #require(message { mien_torch_add(x, y, &out, $0) })
    #expect(text.contains("must match"))
    #expect(!text.contains("libtorch_cpu.so"))
  }

  @Test func aGroupOfProcessesRefusesWhatDoesNotFit() throws {
    var group: OpaquePointer?
    #expect(message { mien_torch_group_join(nil, &group, $0) } == "null argument")
    func join(host: UnsafePointer<CChar>?, rank: Int32, size: Int32, timeout: Double) -> String? {
      var options = mien_torch_group_options(
        host: host, port: 1, rank: rank, size: size, hosts_store: 0, prefix: nil, timeout_seconds: timeout)
      return message { mien_torch_group_join(&options, &group, $0) }
    }
    #expect(join(host: nil, rank: 2, size: 2, timeout: 1) == "rank 2 of 2")
    #expect(join(host: nil, rank: 0, size: 1, timeout: .nan) == "a timeout that is not above 0")
    #expect(join(host: nil, rank: 0, size: 1, timeout: 1) == "null text")
    #expect(group == nil)
    #expect(message { mien_torch_group_sum_inplace(nil, nil, 1, $0) } == "bad list of numbers")
    var number = 1.0
    #expect(message { mien_torch_group_sum_inplace(nil, &number, 1, $0) } == "null group")
    #expect(message { mien_torch_group_average_inplace(nil, nil, 0, nil, 0, $0) } == "null group")
    #expect(message { mien_torch_group_get(nil, "key", nil, nil, $0) } == "null out-parameter")
    #expect(message { mien_torch_group_set(nil, "key", nil, 1, $0) } == "bad bytes")
    mien_torch_group_free(nil)
    mien_torch_bytes_free(nil)
  }

  @Test func errorPointerMayBeNull() {
    #expect(mien_torch_configure(0, nil) == -1)
  }

  @Test func shapeOfAHigherRankThanTheRoomGivesOnlyTheRank() throws {
    let x = try tensor([1, 2], [1, 2, 1])
    defer { mien_torch_free(x) }
    var (sizes, rank, type) = ([Int64](repeating: -7, count: 2), Int32(0), MIEN_TORCH_U8)
    #expect(message { mien_torch_shape(x, &sizes, 2, &rank, &type, $0) } == nil)
    #expect(rank == 3 && type == MIEN_TORCH_F32 && sizes == [-7, -7])
  }
}
