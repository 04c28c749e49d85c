public import Foundation

/// A reader and writer of the safetensors format (https://github.com/huggingface/safetensors): an 8-byte
/// little-endian header length, a JSON header, then the tensors' bytes.
///
/// Every length and offset is checked before it is used, so a corrupt or hostile file gives an error and no more.
/// Opened files are memory-mapped; a tensor's `Data` is a slice of the mapping.
public struct SafeTensors: Sendable {
  /// Element types that Mien reads and writes.
  public enum ElementType: String, Sendable, Codable {
    case u8 = "U8"
    case i8 = "I8"
    case i32 = "I32"
    case i64 = "I64"
    case f16 = "F16"
    case f32 = "F32"
    case f64 = "F64"

    /// Bytes an element.
    public var size: Int {
      switch self {
      case .u8, .i8: 1
      case .f16: 2
      case .i32, .f32: 4
      case .i64, .f64: 8
      }
    }
  }

  /// One tensor: type, shape and little-endian row-major bytes.
  public struct Tensor: Sendable, Equatable {
    /// The element type.
    public let type: ElementType
    /// The sizes, outermost first; empty for a scalar.
    public let shape: [Int]
    /// The elements, little-endian, row-major: exactly `type.size * shape.reduce(1, *)` bytes.
    public let bytes: Data

    /// Makes a tensor.
    ///
    /// - Throws: ``MienError`` where the byte count differs from what type and shape say.
    public init(type: ElementType, shape: [Int], bytes: Data) throws {
      guard let expected = SafeTensors.byteCount(type: type, shape: shape), expected == bytes.count else {
        throw MienError(.format, nil, "\(type.rawValue) \(shape) does not take \(bytes.count) bytes")
      }
      self.type = type
      self.shape = shape
      self.bytes = bytes
    }

    /// Makes a tensor from `values`, row-major.
    public init<Element: SafeTensorElement>(_ values: [Element], shape: [Int]) throws {
      try self.init(
        type: Element.safeTensorType, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
    }

    /// The elements as an array.
    ///
    /// - Throws: ``MienError`` where `Element` is not the tensor's type.
    public func values<Element: SafeTensorElement>(_: Element.Type = Element.self) throws -> [Element] {
      guard type == Element.safeTensorType else {
        throw MienError(
          .format, nil, "expected \(Element.safeTensorType.rawValue) elements, found \(type.rawValue)")
      }
      let count = bytes.count / type.size
      return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
        bytes.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
        initialized = count
      }
    }
  }

  /// The tensors by name.
  public var tensors: [String: Tensor]
  /// The `__metadata__` strings.
  public var metadata: [String: String]

  /// Collects tensors to write.
  public init(tensors: [String: Tensor] = [:], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// The longest header accepted, in bytes, as in the reference implementation.
  public static let maximumHeaderBytes = 100_000_000

  /// Opens and validates a file; tensor bytes stay mapped, not read.
  ///
  /// - Throws: ``MienError`` naming the file where it cannot be read or breaks the format.
  public init(contentsOf url: URL) throws {
    let data: Data
    do { data = try Data(contentsOf: url, options: .alwaysMapped) } catch {
      throw FileProblem.error(reading: url)
    }
    do { try self.init(data: data) } catch let error as MienError { throw error.about(url.relativePath) }
  }

  /// Reads the format from memory.
  public init(data: Data) throws {
    func refuse(_ what: String) -> MienError { MienError(.format, nil, "not a valid safetensors file: \(what)") }
    guard data.count >= 8 else { throw refuse("\(Spelling.counted(data.count, "byte")), a header length needs 8") }
    let length = data.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
    guard length <= UInt64(Self.maximumHeaderBytes), length <= UInt64(data.count - 8) else {
      // Without the header's brace, these eight bytes are no length but the start of another kind of file.
      guard data.dropFirst(8).first == UInt8(ascii: "{") else {
        throw MienError(.format, nil, "is not a safetensors file")
      }
      throw refuse("header of \(length.grouped) bytes in a file of \(data.count.grouped)")
    }
    let body = data.startIndex + 8 + Int(length)
    let header = data[(data.startIndex + 8)..<body]
    guard header.first == UInt8(ascii: "{"),
      let object = try? JSONDecoder().decode([String: HeaderEntry].self, from: Data(header))
    else { throw refuse("its header is not the JSON object of tensors that it must be") }
    guard Self.topLevelKeyCount(header) == object.count else { throw refuse("its header has a name twice") }

    var spans: [(begin: Int, end: Int)] = []
    metadata = [:]
    tensors = [:]
    let available = data.endIndex - body
    for (name, entry) in object {
      switch entry {
      case .metadata(let strings):
        guard name == "__metadata__" else { throw refuse("tensor \(name) has no dtype, shape and data_offsets") }
        metadata = strings
      case .tensor(let type, let shape, let begin, let end):
        guard name != "__metadata__" else { throw refuse("__metadata__ must map strings to strings") }
        guard begin >= 0, begin <= end, end <= available else {
          throw refuse("tensor \(name) spans bytes \(begin)..<\(end) of \(available)")
        }
        guard let type = ElementType(rawValue: type) else {
          throw refuse("tensor \(name) has unsupported type \(type)")
        }
        guard let bytes = Self.byteCount(type: type, shape: shape), bytes == end - begin else {
          throw refuse("tensor \(name) of shape \(shape) does not take \(end - begin) bytes")
        }
        spans.append((begin, end))
        tensors[name] = try Tensor(type: type, shape: shape, bytes: data[(body + begin)..<(body + end)])
      }
    }
    var reached = 0
    for span in spans.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard span.begin == reached else {
        throw refuse("tensors overlap or leave a hole at byte \(min(span.begin, reached))")
      }
      reached = span.end
    }
    guard reached == available else { throw refuse("\(available - reached) bytes belong to no tensor") }
  }

  /// The tensor called `name`.
  ///
  /// - Throws: ``MienError`` where there is none or its type or rank is another.
  public func tensor(_ name: String, type: ElementType, rank: Int) throws -> Tensor {
    guard let tensor = tensors[name] else { throw MienError(.format, nil, "tensor \(name) is missing") }
    guard tensor.type == type, tensor.shape.count == rank else {
      throw MienError(
        .format, nil,
        "tensor \(name): expected \(type.rawValue) of rank \(rank), found \(tensor.type.rawValue) \(tensor.shape)")
    }
    return tensor
  }

  /// Writes the file as a whole or not at all: a temporary file beside it is written, synchronised and renamed.
  ///
  /// Tensors are laid out by element size, largest first, then by name: elements are aligned, and equal contents give
  /// equal bytes.
  public func write(to url: URL) throws {
    var offset = 0
    var header: [String: HeaderEntry] = [:]
    let ordered = tensors.sorted { ($1.value.type.size, $0.key) < ($0.value.type.size, $1.key) }
    for (name, tensor) in ordered {
      header[name] = .tensor(
        type: tensor.type.rawValue, shape: tensor.shape, begin: offset, end: offset + tensor.bytes.count)
      offset += tensor.bytes.count
    }
    if !metadata.isEmpty { header["__metadata__"] = .metadata(metadata) }
    var json = try JSONText.line(header)
    while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
    let length = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
    try AtomicFile.write(to: url, chunks: [length, json] + ordered.map(\.value.bytes))
  }

  /// Bytes that `shape` takes, or nil where a size is negative or the product overflows.
  static func byteCount(type: ElementType, shape: [Int]) -> Int? {
    var bytes = type.size
    for size in shape {
      guard size >= 0 else { return nil }
      let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      bytes = product
    }
    return bytes
  }

  /// How many names stand in the outermost object of `json`, which must be valid. The decoder keeps one of equal names,
  /// and which one is left to the parser: two readers could see different tensors in one file.
  private static func topLevelKeyCount(_ json: Data) -> Int {
    var (count, depth) = (0, 0)
    var (isInString, isEscaped) = (false, false)
    for byte in json {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ":") where depth == 1: count += 1
      default: break
      }
    }
    return count
  }

  private enum HeaderEntry: Codable {
    case tensor(type: String, shape: [Int], begin: Int, end: Int)
    case metadata([String: String])

    private struct Fields: Codable {
      let dtype: String
      let shape: [Int]
      let dataOffsets: [Int]

      enum CodingKeys: String, CodingKey {
        case dtype, shape
        case dataOffsets = "data_offsets"
      }
    }

    init(from decoder: any Decoder) throws {
      if let fields = try? Fields(from: decoder), fields.dataOffsets.count == 2 {
        self = .tensor(
          type: fields.dtype, shape: fields.shape, begin: fields.dataOffsets[0], end: fields.dataOffsets[1])
      } else {
        self = .metadata(try [String: String](from: decoder))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .tensor(let type, let shape, let begin, let end):
        try Fields(dtype: type, shape: shape, dataOffsets: [begin, end]).encode(to: encoder)
      case .metadata(let strings): try strings.encode(to: encoder)
      }
    }
  }
}
