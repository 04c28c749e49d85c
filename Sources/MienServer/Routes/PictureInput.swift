import Foundation
import MienCore
import MienVision

/// The pictures of a request, told by its content whatever its `Content-Type` says: the bytes of a picture, their base64
/// or a data URI, a JSON object with these, or the parts of a form.
struct PictureInput: Sendable {
  /// A picture, not decoded yet.
  struct Picture: Sendable {
    /// The name that the client gave it; nil where there is none.
    let name: String?
    let data: Data
  }

  /// The pictures, in order.
  let pictures: [Picture]
  /// Whether the client sent a list, so that the answer is one.
  let isList: Bool
  /// Bytes that were made of text.
  let decodedBytes: Int

  /// Fields of a form that are no pictures: that many are passed over.
  private static let otherFields = 32
  /// How curl sends a picture as it is.
  static let curlOptions = "--data-binary @photo.jpg -H 'Content-Type: image/jpeg'"

  /// Whether the body is said to be fields of a form, which is what curl's `-d` and `--data-binary` say without `-H`.
  static func isSentAsFields(_ contentType: String) -> Bool {
    HeaderValue(contentType).value.lowercased() == "application/x-www-form-urlencoded"
  }

  /// The keys of a JSON body with one picture.
  private static let keys = ["image", "img"]

  /// Takes `body` apart.
  ///
  /// - Parameters:
  ///   - contentType: names the boundary of a form; of other bodies it only helps to say what is wrong.
  ///   - limit: the most pictures.
  /// - Throws: ``APIError``.
  init(_ body: Data, contentType: String, limit: Int) throws {
    guard !body.isEmpty else {
      throw APIError.badRequest("The file is empty: the request has no body; expected a picture.")
    }
    let type = HeaderValue(contentType).value.lowercased()
    if let form = try Self.form(body, contentType, limit: limit) {
      (pictures, isList, decodedBytes) = (form, true, 0)
      return
    }
    let kind = FileKind(of: body)
    if kind.isPicture {
      (pictures, isList, decodedBytes) = ([Picture(name: nil, data: body)], false, 0)
      return
    }
    if let json = try Self.json(body, isSaidToBe: type == "application/json") {
      guard json.pictures.count <= limit else { throw APIError.tooManyPictures(limit: limit) }
      (pictures, isList) = json
    } else if let data = try Self.decoded(body) {
      (pictures, isList) = ([Picture(name: nil, data: data)], false)
    } else {
      throw Self.refusal(of: body, kind, type: type)
    }
    decodedBytes = pictures.reduce(0) { $0 + $1.data.count }
  }

  /// The pictures of a form: files, and fields whose text or bytes are a picture. Nil if the body is no form.
  private static func form(_ body: Data, _ contentType: String, limit: Int) throws -> [Picture]? {
    do {
      guard let parser = try MultipartParser(contentType: contentType, maxParts: limit + otherFields) else {
        return nil
      }
      let pictures = try parser.parts(of: body).compactMap { part -> Picture? in
        let isPicture = FileKind(of: part.body).isPicture
        let data = isPicture ? nil : try? decoded(part.body)
        // What browsers send for a file field in which nothing was chosen.
        if part.fileName == "", part.body.isEmpty { return nil }
        // Whatever a file holds: its place in the answer says what is wrong with it.
        guard part.fileName != nil || data != nil || isPicture else { return nil }
        return Picture(name: part.fileName, data: data ?? part.body)
      }
      guard !pictures.isEmpty else {
        throw APIError.badRequest("The form has no picture; expected a file, as `curl -F picture=@photo.jpg` sends it.")
      }
      guard pictures.count <= limit else { throw APIError.tooManyPictures(limit: limit) }
      return pictures
    } catch let error as MultipartParser.Malformed {
      throw APIError(.badRequest, "malformed_multipart", error.message)
    }
  }

  /// The pictures of a JSON object; nil if the body is none.
  private static func json(_ body: Data, isSaidToBe: Bool) throws -> (pictures: [Picture], isList: Bool)? {
    let expected = "expected {\"image\": TEXT} or {\"images\": [TEXT, …]}, each text a picture as base64 or a data URI"
    let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    guard isSaidToBe || first == UInt8(ascii: "{") else { return nil }
    guard let object = try JSON.object(body) else {
      throw APIError(.badRequest, "malformed_json", "The body is no JSON object in UTF-8; \(expected).")
    }
    guard object.count == 1, let (key, value) = object.first else {
      throw APIError(
        .badRequest, "malformed_json",
        "The JSON body has \(object.count) keys; \(expected). Options belong into the query.")
    }
    if keys.contains(key), let text = value as? String { return ([try picture(text)], false) }
    if key == "images", let texts = value as? [String], !texts.isEmpty {
      // One that cannot be read has its error in the answer, as in a form.
      return (texts.map { text in (try? picture(text)) ?? Picture(name: nil, data: Data(text.utf8)) }, true)
    }
    throw APIError(.badRequest, "malformed_json", "The JSON body is not understood; \(expected).")
  }

  /// A picture that is given as text.
  private static func picture(_ text: String) throws -> Picture {
    if text.hasPrefix("http://") || text.hasPrefix("https://") {
      throw APIError.badRequest("Addresses are not fetched; send the picture itself, as base64.")
    }
    guard let data = try decoded(Data(text.utf8)) else {
      throw APIError.unsupportedType("The text is no base64 of a picture (\(PictureFormat.list)).")
    }
    return Picture(name: nil, data: data)
  }

  /// The picture that a text stands for: its base64, or a data URI (RFC 2397). Nil if it is neither.
  ///
  /// - Throws: ``APIError`` if it is a data URI of something else.
  private static func decoded(_ text: Data) throws -> Data? {
    var code = text[...]
    let isURI = String(decoding: text.prefix(5), as: UTF8.self).lowercased() == "data:"
    if isURI {
      guard let comma = text.prefix(256).firstIndex(of: UInt8(ascii: ",")),
        String(decoding: text[text.startIndex..<comma], as: UTF8.self).lowercased().hasSuffix(";base64")
      else { throw APIError.unsupportedType("The data URI has no base64: expected data:image/jpeg;base64,….") }
      code = text[(comma + 1)...]
    }
    // Few characters tell other texts from base64, so that they are not decoded for nothing.
    guard isURI || code.prefix(64).allSatisfy({ isBase64($0) || isBlank($0) }) else { return nil }
    var plain = Data(capacity: code.count)
    for byte in code where !isBlank(byte) {
      switch byte {
      // The alphabet for addresses (RFC 4648, section 5).
      case UInt8(ascii: "-"): plain.append(UInt8(ascii: "+"))
      case UInt8(ascii: "_"): plain.append(UInt8(ascii: "/"))
      default: plain.append(byte)
      }
    }
    while plain.count % 4 != 0 { plain.append(UInt8(ascii: "=")) }
    // Of text that happens to be base64 the bytes mean nothing; of others the kind is told.
    guard let data = Data(base64Encoded: plain), !data.isEmpty else {
      if isURI { throw APIError.unsupportedType("The data URI holds no valid base64.") }
      return nil
    }
    guard let refusal = FileKind(of: data).refusal else { return data }
    if isURI { throw refusal }
    return nil
  }

  private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

  private static func isBase64(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "+/-_=".utf8.contains(byte)
    }
  }

  /// The error response for a body that holds no picture.
  private static func refusal(of body: Data, _ kind: FileKind, type: String) -> APIError {
    if body.starts(with: [0x1F, 0x8B]) {
      return .unsupportedType("The body is compressed with gzip; send the picture as it is.")
    }
    guard case .other(let other) = kind, other.content == .none, other.advice.isEmpty else {
      return kind.refusal ?? .unsupportedType("The body is no picture.")
    }
    // Files come as bytes; base64 is a choice of those who send text.
    let isFile = type.hasPrefix("image/") || type == "application/octet-stream"
    let message = "Expected a picture (\(PictureFormat.list))\(isFile ? "" : " or its base64"), found \(other.name)."
    guard isSentAsFields(type) else { return .unsupportedType(message) }
    return .unsupportedType(message + " With curl: \(curlOptions), or -F picture=@photo.jpg.")
  }
}

extension APIError {
  static func tooManyPictures(limit: Int) -> APIError {
    APIError(.badRequest, "too_many_pictures", "A request may have \(Spelling.counted(limit, "picture")) at most.")
  }
}
