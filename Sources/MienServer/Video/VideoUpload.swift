package import Foundation
import MienVision

/// The bytes of a video in the body of a request: the body as it is, or the first file of a form, taken out while it
/// arrives. What is plainly no video is refused at its first bytes.
struct VideoUpload {
  /// As many bytes as tell pictures and archives.
  private static let startBytes = FileKind.prefix
  /// As many bytes as tell Motion JPEG from a photo, its first picture and the start of the next, and an animated PNG from a
  /// still one: all before its pixels.
  private static let startBytesOfPictures = 4 << 20

  private var form: MultipartFile?
  private let isSaidToBeVideo: Bool
  private var start = Data()
  private var isChecked = false

  /// - Throws: ``APIError`` if the body is a form without a boundary.
  init(contentType: String) throws {
    isSaidToBeVideo = HeaderValue(contentType).value.lowercased().hasPrefix("video/")
    do { form = try MultipartFile(contentType: contentType) } catch let error as MultipartParser.Malformed {
      throw APIError(.badRequest, "malformed_multipart", error.message)
    }
  }

  /// The bytes of the video that the next piece of the body holds.
  ///
  /// - Throws: ``APIError`` if it is no video, or no well-formed form.
  mutating func content(of piece: Data) throws -> Data {
    do { return try check(form?.content(of: piece) ?? piece) } catch let error as MultipartParser.Malformed {
      throw APIError(.badRequest, "malformed_multipart", error.message)
    }
  }

  /// The last bytes of the video.
  ///
  /// - Throws: ``APIError`` if there was none.
  mutating func finish() throws -> Data {
    do { try form?.finish() } catch let error as MultipartParser.Malformed {
      throw APIError(.badRequest, "malformed_multipart", error.message)
    }
    if isChecked { return Data() }
    guard !start.isEmpty else {
      guard let form else { throw APIError.badRequest("The request has no body; expected a video.") }
      let nameless = form.nameless.map { " Part \($0) has neither a name nor a file name." } ?? ""
      throw APIError.badRequest(
        "The form has no file; expected one, as `curl -F video=@clip.mp4` sends it.\(nameless)")
    }
    try refuseOthers()
    return start
  }

  /// Holds the first bytes back until there are enough of them to tell what they are.
  private mutating func check(_ content: Data) throws -> Data {
    if isChecked { return content }
    start += content
    let isPicture = start.starts(with: [0xFF, 0xD8, 0xFF]) || start.starts(with: [0x89, 0x50, 0x4E, 0x47])
    guard start.count >= (isPicture ? Self.startBytesOfPictures : Self.startBytes) else { return Data() }
    try refuseOthers()
    isChecked = true
    return start
  }

  private func refuseOthers() throws {
    if case .picture(let format) = FileKind(of: start), !FileKind.isVideo(start: Array(start)) {
      throw APIError.unsupportedType(
        "Expected a video, found a picture (\(format.rawValue)); POST /v1/detect reads pictures.")
    }
    if start.starts(with: [0x1F, 0x8B]) {
      throw APIError.unsupportedType("The body is compressed with gzip; send the video as it is.")
    }
    let isText = start.allSatisfy { (0x20...0x7E).contains($0) || [0x09, 0x0A, 0x0D].contains($0) }
    if isText, !isSaidToBeVideo, !start.starts(with: "YUV4MPEG2".utf8) {
      throw APIError.unsupportedType("The body is text, expected the bytes of a video.")
    }
  }
}

/// Takes the first file out of a `multipart/form-data` body, piece by piece: videos are too large to be held in memory.
package struct MultipartFile {
  private enum Place {
    /// Before a delimiter: what comes until then belongs to the file or to nothing.
    case content(isFile: Bool)
    case afterDelimiter
    case header
    case end
  }

  private static let maxParts = 64
  /// Spaces that may follow a delimiter on its line.
  private static let lineBytes = 4096
  /// Names of fields that are taken for the file though they have no file name.
  private static let names = ["video", "file"]

  private let delimiter: Data
  private var place = Place.content(isFile: false)
  /// What has come and may be the start of a delimiter or of a header. The first delimiter has no line before it.
  private var rest = Data("\r\n".utf8)
  /// Bytes at the start of ``rest`` that are not the file's: the line's end before its first byte.
  private var skipped = 2
  /// Bytes at the start of ``rest`` in which no header ends.
  private var searched = 0
  private var parts = 0
  private var hasFile = false
  /// The first part without a name and a file name, from 1 on. It is taken for no file.
  private(set) var nameless: Int?

  /// Nil if the type is not `multipart/form-data`.
  ///
  /// - Throws: ``MultipartParser/Malformed`` if it names no valid boundary.
  package init?(contentType: String) throws {
    guard let parser = try MultipartParser(contentType: contentType, maxParts: Self.maxParts) else { return nil }
    delimiter = Data(parser.delimiter)
  }

  /// The bytes of the file that the next piece of the body holds.
  ///
  /// - Throws: ``MultipartParser/Malformed`` if the body is not what its type says, or has a second file.
  package mutating func content(of piece: Data) throws -> Data {
    rest += piece
    var content = Data()
    while true {
      switch place {
      case .end:
        rest.removeAll()
        return content
      case .content(let isFile):
        let found = rest.range(of: delimiter)
        // A delimiter may have begun.
        let end = found?.lowerBound ?? max(rest.startIndex, rest.endIndex - delimiter.count + 1)
        let first = min(rest.startIndex + skipped, rest.endIndex)
        if isFile, end > first { content += rest[first..<end] }
        skipped = max(0, skipped - (end - rest.startIndex))
        rest = Data(rest[(found?.upperBound ?? end)...])
        guard found != nil else { return content }
        skipped = 0
        place = .afterDelimiter
      case .afterDelimiter:
        if rest.starts(with: Data("--".utf8)) {
          place = .end
          continue
        }
        let line = rest.drop { $0 == 0x20 || $0 == 0x09 }
        guard line.count >= 2 else {
          guard rest.count < Self.lineBytes else { throw Self.malformed("A delimiter's line has no end.") }
          return content
        }
        guard line.starts(with: Data("\r\n".utf8)) else {
          throw Self.malformed("A part does not start on a line of its own.")
        }
        rest = Data(line.dropFirst(2))
        place = .header
      case .header:
        // Two line ends, or one at once: a part without header fields.
        let isEmpty = rest.starts(with: Data("\r\n".utf8))
        let unseen = rest.startIndex + max(0, searched - 3)..<rest.endIndex
        let hasEnd = isEmpty || rest.range(of: Data("\r\n\r\n".utf8), in: unseen) != nil
        guard hasEnd || rest.count > MultipartParser.headerBytes else {
          searched = rest.count
          return content
        }
        searched = 0
        parts += 1
        guard parts <= Self.maxParts else { throw Self.malformed("More than \(Self.maxParts) parts were sent.") }
        let (part, length) = try MultipartParser.header(of: rest, number: parts)
        // The line's end before the content may be that before a delimiter.
        rest = Data(rest.dropFirst(length - 2))
        skipped = 2
        let isFile = part.fileName != nil || Self.names.contains(part.name)
        guard !isFile || !hasFile else { throw Self.malformed("More than one file was sent.") }
        hasFile = hasFile || isFile
        if part.name.isEmpty, !isFile { nameless = nameless ?? parts }
        place = .content(isFile: isFile)
      }
    }
  }

  /// Checks that the body has come to its end.
  ///
  /// - Throws: ``MultipartParser/Malformed``.
  package func finish() throws {
    guard case .end = place else { throw Self.malformed("The form ends early.") }
  }

  private static func malformed(_ message: String) -> MultipartParser.Malformed { .init(message: message) }
}
