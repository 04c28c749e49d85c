import Foundation
import Hummingbird
import MienCore
import MienInference

/// Answers in JSON (keys sorted, slashes as they are), and the JSON of requests.
enum JSON {
  /// Nested lists and objects that a request may have, and values.
  private static let (depth, values) = (16, 100_000)

  /// The object that a request's body is; `nil` if it is none as RFC 8259 defines it, in UTF-8.
  ///
  /// - Parameter expected: what the values of keys may be, in words for an error.
  /// - Throws: ``APIError`` if a key is there twice: parsers disagree on which of them counts; or if a number is larger than any
  ///   `Double`: they do not take it.
  static func object(_ body: Data, expected: [String: String] = [:]) throws -> [String: Any]? {
    var huge: (key: String, text: String)?
    guard try body.withUnsafeBytes({ try isStrict($0, huge: &huge) }) else { return nil }
    if let object = try? JSONSerialization.jsonObject(with: body) { return object as? [String: Any] }
    guard let huge else { return nil }
    guard let expected = expected[huge.key] else {
      throw APIError(
        .badRequest, "malformed_json", "The JSON body has a number that is too large: \(huge.text).")
    }
    throw APIError.unexpected(huge.key, expected, found: "the number \(huge.text)")
  }

  /// Checks what Foundation's parsers do not: repeated keys, a comma before a closing bracket, encodings other than
  /// UTF-8, and the number of values. The rest of the grammar is left to them.
  ///
  /// - Parameter huge: gets a number of the outermost object that is larger than any `Double`, with its key.
  private static func isStrict(
    _ bytes: UnsafeRawBufferPointer, huge: inout (key: String, text: String)?
  ) throws -> Bool {
    // In UTF-16 and UTF-32 brackets have zeros.
    guard !bytes.prefix(4).contains(0) else { return false }
    // The keys of each object that is open, `nil` for a list.
    var open: [Set<String>?] = []
    var commas = 0
    var lastKey = ""
    var last = UInt8(ascii: " ")
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        open.append(byte == UInt8(ascii: "{") ? [] : nil)
        guard open.count <= depth else { return false }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        guard open.popLast() != nil, last != UInt8(ascii: ",") else { return false }
      case UInt8(ascii: ","):
        commas += 1
        guard commas < values else { return false }
      case UInt8(ascii: "\""):
        let start = index - 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
          index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < bytes.count else { return false }
        index += 1
        guard let top = open.indices.last, open[top] != nil, [UInt8(ascii: "{"), UInt8(ascii: ",")].contains(last)
        else { break }
        guard let key = text(bytes[start..<index]) else { return false }
        guard open[top]?.insert(key).inserted == true else {
          throw APIError(
            .badRequest, "malformed_json", "The JSON body has the key \(APIError.quoted(key)) twice.")
        }
        lastKey = key
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let start = index - 1
        while index < bytes.count, isOfNumber(bytes[index]) { index += 1 }
        guard open.count == 1, let text = String(validating: bytes[start..<index], as: UTF8.self) else { break }
        // A number of many digits is shown in part.
        if Double(text)?.isInfinite == true {
          huge = (lastKey, text.count > 24 ? "\(text.prefix(24))…" : text)
        }
      default: break
      }
      last = byte
    }
    return true
  }

  private static func isOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "+-.eE".utf8.contains(byte)
    }
  }

  /// What a string of JSON says, with its quotation marks; `nil` if it is none.
  private static func text(_ string: Slice<UnsafeRawBufferPointer>) -> String? {
    guard string.contains(UInt8(ascii: "\\")) else {
      return String(validating: string.dropFirst().dropLast(), as: UTF8.self)
    }
    return (try? JSONSerialization.jsonObject(with: Data(string), options: .fragmentsAllowed)) as? String
  }

  /// An answer with `value` as its body.
  static func response(
    _ value: some Encodable, landmarks: LandmarkDetail? = nil, status: HTTPResponse.Status = .ok,
    headers: HTTPFields = [:]
  ) throws -> Response {
    var headers = headers
    headers[.contentType] = "application/json"
    return Response(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encode(value, landmarks: landmarks))))
  }

  /// A moment as ISO 8601 in UTC, with milliseconds.
  static func text(_ date: Date) -> String {
    date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
  }

  /// `value` as text; faces with the points that are asked for.
  static func encode(_ value: some Encodable, landmarks: LandmarkDetail? = nil) throws -> Data {
    let encoder = JSONText.encoder()
    encoder.landmarks = landmarks
    return try encoder.encode(value)
  }
}

/// What a value of a request's JSON is, in words for an error.
struct JSONValueWords: Decodable {
  let text: String

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      text = "null"
    } else if let flag = try? container.decode(Bool.self) {
      text = "\(flag)"
    } else if let number = try? container.decode(Double.self) {
      text = "the number \(number.shortText)"
    } else if let string = try? container.decode(String.self) {
      text = "the string \(APIError.quoted(string))"
    } else if (try? container.decode([JSONValueWords].self)) != nil {
      text = "a list"
    } else {
      let isObject = (try? container.decode([String: JSONValueWords].self)) != nil
      text = isObject ? "an object" : "a number too close to 0"
    }
  }
}

/// A value of an answer that is written as `null` where there is none, so that the key is always there.
@propertyWrapper struct WrittenNull<Value: Encodable>: Encodable {
  var wrappedValue: Value?

  init(wrappedValue value: Value?) { wrappedValue = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}
