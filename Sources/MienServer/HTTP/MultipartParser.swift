package import Foundation

/// Reads `multipart/form-data` (RFC 7578, RFC 2046) that is in memory already. Its size is bounded by the caller; parts
/// and header fields are bounded here.
package struct MultipartParser: Sendable {
  /// One part.
  package struct Part: Sendable, Equatable {
    /// The form field's name; empty if the client gave none.
    package var name: String
    /// The name that the client gives the file: a label only, never a path. A long one is cut off and ends with `…`.
    package var fileName: String?
    /// Lower case, without parameters; nil where there is none.
    package var contentType: String?
    /// The content, which shares the body's memory.
    package var body: Data
  }

  /// Why a body is refused, as a sentence for the client.
  package struct Malformed: Error, Equatable {
    /// The sentence.
    package let message: String
  }

  /// Most bytes of a part's header.
  static let headerBytes = 64 << 10
  private static let headerFields = 16
  /// Names are cut off after so many bytes.
  private static let nameBytes = 1024

  /// What stands between parts, with the line's end before it.
  let delimiter: [UInt8]
  private let maxParts: Int

  /// Takes the boundary from a `Content-Type` header.
  ///
  /// - Returns: nil where the type is not `multipart/form-data`.
  /// - Throws: ``Malformed`` where the boundary is missing or not one.
  package init?(contentType: String, maxParts: Int) throws {
    let header = HeaderValue(contentType)
    guard header.value.lowercased() == "multipart/form-data" else { return nil }
    guard let boundary = header.parameters["boundary"], (1...70).contains(boundary.utf8.count),
      boundary.utf8.allSatisfy(Self.isBoundary), boundary.utf8.last != 0x20
    else { throw Malformed(message: "The Content-Type has no valid boundary.") }
    delimiter = Array("\r\n--\(boundary)".utf8)
    self.maxParts = maxParts
  }

  /// The parts, in order.
  ///
  /// - Throws: ``Malformed`` where the body is not what its type says, is cut short, or has too many parts or fields.
  package func parts(of body: Data) throws -> [Part] {
    try body.withUnsafeBytes { bytes in
      var parts: [Part] = []
      // The first delimiter may stand at the very start, without a line before it.
      var position: Int
      if Self.has(delimiter[2...], in: bytes, at: 0) {
        position = delimiter.count - 2
      } else if let first = find(in: bytes, from: 0) {
        position = first + delimiter.count
      } else {
        throw Malformed(message: "The body has no part.")
      }
      while true {
        if Self.has(Array("--".utf8)[...], in: bytes, at: position) { return parts }
        guard parts.count < maxParts else { throw Malformed(message: "More than \(maxParts) parts were sent.") }
        // Spaces may follow a delimiter on its line.
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
        guard Self.has([0x0D, 0x0A], in: bytes, at: position) else {
          throw Malformed(message: "A part does not start on a line of its own, or the body ends early.")
        }
        let number = parts.count + 1
        let (headers, start) = try Self.headers(in: bytes, from: position + 2, part: number)
        guard let end = find(in: bytes, from: start - 2) else { throw Malformed(message: "The last part ends early.") }
        let content = body.startIndex + start..<body.startIndex + max(start, end)
        parts.append(try Self.part(headers, body: body[content], number: number))
        position = end + delimiter.count
      }
    }
  }

  // MARK: - Bytes

  /// Where the next delimiter stands. All begin with a carriage return and have no second one, so no byte is compared
  /// with more than a few.
  private func find(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var position = start
    while position + delimiter.count <= bytes.count {
      guard let next = bytes[position...].firstIndex(of: 0x0D) else { return nil }
      if Self.has(delimiter[...], in: bytes, at: next) { return next }
      position = next + 1
    }
    return nil
  }

  private static func has(_ pattern: ArraySlice<UInt8>, in bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
    offset >= 0 && offset + pattern.count <= bytes.count
      && pattern.enumerated().allSatisfy { bytes[offset + $0.offset] == $0.element }
  }

  private static func isBoundary(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: Array("'()+_,-./:=? ".utf8).contains(byte)
    }
  }

  // MARK: - Header fields

  /// The part whose header `bytes` start with, without its content, and the length of the header.
  ///
  /// - Parameter number: the part's place in the form, from 1 on.
  /// - Throws: ``Malformed`` as ``parts(of:)`` does.
  static func header(of bytes: Data, number: Int) throws -> (part: Part, length: Int) {
    try bytes.withUnsafeBytes { bytes in
      let (fields, end) = try headers(in: bytes, from: 0, part: number)
      return (try part(fields, body: Data(), number: number), end)
    }
  }

  /// The header fields from `start` on, and where the content begins.
  private static func headers(
    in bytes: UnsafeRawBufferPointer, from start: Int, part number: Int
  ) throws -> (fields: [String: String], end: Int) {
    var fields: [String: String] = [:]
    var position = start
    while true {
      let limit = min(bytes.count, start + headerBytes)
      guard let end = bytes[min(position, limit)..<limit].firstIndex(of: 0x0D), has([0x0A], in: bytes, at: end + 1)
      else { throw Malformed(message: "Part \(number): the header has no end, or more than \(headerBytes) bytes.") }
      if end == position { return (fields, end + 2) }
      // Names that are not UTF-8 are Latin-1 in most cases, and only shown.
      let line =
        String(validating: bytes[position..<end], as: UTF8.self)
        ?? String(String.UnicodeScalarView(bytes[position..<end].map { Unicode.Scalar($0) }))
      guard let colon = line.firstIndex(of: ":"), colon != line.startIndex
      else { throw Malformed(message: "Part \(number): the header has a line without a field's name.") }
      let name = line[..<colon].lowercased()
      guard fields.count < headerFields, fields[name] == nil else {
        throw Malformed(message: "Part \(number): the header has a field twice, or more than \(headerFields) fields.")
      }
      fields[name] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      position = end + 2
    }
  }

  private static func part(_ fields: [String: String], body: Data, number: Int) throws -> Part {
    let disposition = HeaderValue(fields["content-disposition"] ?? "form-data")
    guard disposition.value.lowercased() == "form-data" else {
      throw Malformed(
        message: "Part \(number): Content-Disposition must be form-data; found \(APIError.quoted(disposition.value)).")
    }
    if let encoding = fields["content-transfer-encoding"]?.lowercased(), !["binary", "8bit", "7bit"].contains(encoding)
    {
      throw Malformed(
        message: "Part \(number): Content-Transfer-Encoding must be binary; found \(APIError.quoted(encoding)).")
    }
    return Part(
      name: cut(disposition.parameters["name"] ?? ""), fileName: disposition.parameters["filename"].map(cut),
      contentType: fields["content-type"].map { HeaderValue($0).value.lowercased() }, body: body)
  }

  /// A name of at most ``nameBytes`` and `…`.
  private static func cut(_ name: String) -> String {
    if name.utf8.count <= nameBytes { return name }
    var end = name.utf8.index(name.startIndex, offsetBy: nameBytes)
    // The start of a character.
    while end > name.startIndex, end.samePosition(in: name.unicodeScalars) == nil { end = name.utf8.index(before: end) }
    return name[..<end] + "…"
  }
}

/// A header's value with parameters: `form-data; name="a"; filename="b.jpg"`. Of a parameter that is given twice, the
/// first counts.
struct HeaderValue {
  /// What stands before the first semicolon.
  let value: String
  /// By lower-case name.
  let parameters: [String: String]

  init(_ text: String) {
    var rest = Substring(text)
    value = String(rest.prefix { $0 != ";" }).trimmingCharacters(in: .whitespaces)
    rest = rest.drop { $0 != ";" }
    var parameters: [String: String] = [:]
    while rest.first == ";" {
      rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
      let name = String(rest.prefix { $0 != "=" && $0 != ";" }).trimmingCharacters(in: .whitespaces).lowercased()
      rest = rest.drop { $0 != "=" && $0 != ";" }
      guard rest.first == "=" else { continue }
      rest = rest.dropFirst()
      var text = ""
      if rest.first == "\"" {
        rest = rest.dropFirst()
        while let next = rest.popFirst(), next != "\"" {
          // Browsers do not escape; curl and others write \" and \\ .
          if next == "\\", let escaped = rest.first, escaped == "\"" || escaped == "\\" {
            text.append(escaped)
            rest = rest.dropFirst()
          } else {
            text.append(next)
          }
        }
        rest = rest.drop { $0 != ";" }
      } else {
        text = String(rest.prefix { $0 != ";" }).trimmingCharacters(in: .whitespaces)
        rest = rest.drop { $0 != ";" }
      }
      if !name.isEmpty, parameters[name] == nil { parameters[name] = text }
    }
    self.parameters = parameters
  }
}
