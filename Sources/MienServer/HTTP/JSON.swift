import Foundation
import Hummingbird
import MienCore
import MienInference

/// Answers in JSON: keys sorted, slashes as they are.
enum JSON {
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

/// A value of an answer that is written as `null` where there is none, so that the key is always there.
@propertyWrapper struct WrittenNull<Value: Encodable>: Encodable {
  var wrappedValue: Value?

  init(wrappedValue value: Value?) { wrappedValue = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}
