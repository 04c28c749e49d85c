package import Foundation

/// What a file is by its first bytes, for messages about files of the wrong kind.
package struct FileSignature: Sendable, Equatable {
  /// The kinds that differ in what to do about them.
  package enum Kind: Sendable { case gzip, archive, picture, table, faces, document }

  /// What to do about it.
  package let kind: Kind
  /// Its name in a sentence, as `a zip archive`.
  package let name: String
  /// The command that unpacks an archive, before the file's name; nil for other kinds.
  package let unpacking: String?

  /// How many bytes ``init(_:)`` looks at.
  package static let bytes = 512

  /// Tells a file's kind by its first ``bytes``; nil for kinds that are not known here.
  package init?(_ start: [UInt8]) {
    func begins(_ bytes: [UInt8], at offset: Int = 0) -> Bool { start.dropFirst(offset).starts(with: bytes) }
    func begins(_ text: String, at offset: Int = 0) -> Bool { begins(Array(text.utf8), at: offset) }
    if begins("PK"), String(decoding: start, as: UTF8.self).contains("[Content_Types].xml") {
      self.init(.document, "an Office document; save its table as CSV", nil)
    } else if let archive = Self.archives.first(where: { begins($0.magic, at: $0.offset) }) {
      self.init(archive.command == nil ? .gzip : .archive, archive.name, archive.command)
    } else if let picture = Self.pictures.first(where: { begins($0.magic, at: $0.offset) }) {
      self.init(.picture, picture.name, nil)
    } else if let document = Self.documents.first(where: { begins($0.magic) }) {
      self.init(.document, document.name, nil)
    } else if begins("{\"__metadata__\":{\"\(FaceSet.metadataKey)\"", at: 8) {
      // After the length of the header (safetensors).
      self.init(.faces, "a file of faces", nil)
    } else {
      let text = String(decoding: start.filter { $0 != 0 }, as: UTF8.self).lowercased()
      let header = text.prefix { !$0.isNewline }
      if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") {
        self.init(.document, "a web page, as sites send it to those who are not logged in", nil)
      } else if header.contains("pixels") || (header.contains("usage") && header.contains(",")) {
        self.init(.table, "a table (CSV)", nil)
      } else {
        return nil
      }
    }
  }

  /// The kind of the file at `url`; nil for a file that cannot be read or whose kind is not known here.
  package init?(contentsOf url: URL) {
    guard let file = try? FileHandle(forReadingFrom: url), let start = try? file.read(upToCount: Self.bytes) else {
      return nil
    }
    self.init([UInt8](start))
  }

  private init(_ kind: Kind, _ name: String, _ unpacking: String?) {
    (self.kind, self.name, self.unpacking) = (kind, name, unpacking)
  }

  private static let archives: [(name: String, magic: [UInt8], offset: Int, command: String?)] = [
    ("a gzip file", [0x1F, 0x8B], 0, nil),
    ("a zip archive", [0x50, 0x4B, 0x03, 0x04], 0, "unzip"),
    ("an xz file", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], 0, "xz -dk"),
    ("a bzip2 file", [0x42, 0x5A, 0x68], 0, "bzip2 -dk"),
    ("a Zstandard file", [0x28, 0xB5, 0x2F, 0xFD], 0, "zstd -d"),
    ("a 7-Zip archive", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], 0, "7z x"),
    ("a RAR archive", [0x52, 0x61, 0x72, 0x21], 0, "unrar x"),
    ("a tar archive", Array("ustar".utf8), 257, "tar xf"),
  ]

  private static let pictures: [(name: String, magic: [UInt8], offset: Int)] = [
    ("a JPEG picture", [0xFF, 0xD8, 0xFF], 0),
    ("a PNG picture", [0x89, 0x50, 0x4E, 0x47], 0),
    ("a GIF picture", Array("GIF8".utf8), 0),
    ("a WebP picture", Array("WEBP".utf8), 8),
    ("a TIFF picture", [0x49, 0x49, 0x2A, 0x00], 0),
    ("a TIFF picture", [0x4D, 0x4D, 0x00, 0x2A], 0),
    ("a HEIC or AVIF picture, or a video", Array("ftyp".utf8), 4),
  ]

  private static let documents: [(name: String, magic: [UInt8])] = [
    ("a PDF document", Array("%PDF".utf8)),
    ("a NumPy array", [0x93] + Array("NUMPY".utf8)),
    ("an HDF5 file", [0x89] + Array("HDF".utf8)),
    ("a Parquet file", Array("PAR1".utf8)),
    ("a database of Windows' thumbnails, or an old Office document", [0xD0, 0xCF, 0x11, 0xE0]),
    ("a Git LFS pointer: the file itself was not fetched; run `git lfs pull`", Array("version https://git-lfs".utf8)),
  ]
}
