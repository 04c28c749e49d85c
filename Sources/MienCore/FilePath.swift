import Foundation
import Glibc

/// A path as the file system knows it: bytes, of which a `String` or `URL` holds only those that are UTF-8.
package struct FilePath: Sendable, Hashable {
  /// The bytes, without the final zero.
  package let bytes: [UInt8]

  /// The path of these bytes; what follows a zero is left out.
  package init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes.prefix { $0 != 0 }) }

  /// The path that `text` names.
  package init(_ text: String) { self.init(bytes: text.utf8) }

  /// For messages and results: UTF-8, each byte that is none replaced by U+FFFD.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// What follows the last slash.
  package var name: FilePath { FilePath(bytes: bytes.suffix(while: { $0 != UInt8(ascii: "/") })) }

  /// The path from the root, without empty components and those that are `.`; links and `..` stay as they are.
  package var absolute: FilePath {
    var path = FilePath("/")
    let from = bytes.first == UInt8(ascii: "/") ? [] : Array(FileManager.default.currentDirectoryPath.utf8)
    for component in (from + [UInt8(ascii: "/")] + bytes).split(separator: UInt8(ascii: "/")) where component != [46] {
      path = path.appending(FilePath(bytes: component))
    }
    return path
  }

  /// The path with a component, or a relative path, behind a slash.
  package func appending(_ path: FilePath) -> FilePath {
    if bytes.isEmpty { return path }
    let slash = bytes.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
    return FilePath(bytes: bytes + slash + path.bytes)
  }

  /// The path that ``text`` was made from: for a component with U+FFFD, which may stand for bytes that are not UTF-8, the
  /// entry of its folder that reads the same.
  ///
  /// - Returns: `nil` if several entries read the same.
  package static func resolving(_ text: String) -> FilePath? {
    guard text.unicodeScalars.contains("\u{FFFD}") else { return FilePath(text) }
    var path = FilePath(text.hasPrefix("/") ? "/" : "")
    for component in text.split(separator: "/") {
      let plain = FilePath(String(component))
      guard component.unicodeScalars.contains("\u{FFFD}"), path.appending(plain).withCString({ access($0, F_OK) }) != 0
      else {
        path = path.appending(plain)
        continue
      }
      let folder = path.bytes.isEmpty ? FilePath(".") : path
      let matches = (folder.contents() ?? []).filter { $0.text.unicodeScalars.elementsEqual(component.unicodeScalars) }
      guard matches.count < 2 else { return nil }
      path = path.appending(matches.first ?? plain)
    }
    return path
  }

  /// The names in a folder but `.` and `..`, in the order of their bytes; `nil`, with `errno` set, if it cannot be read.
  package func contents() -> [FilePath]? {
    guard let stream = withCString({ opendir($0) }) else { return nil }
    defer { closedir(stream) }
    let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    var names: [FilePath] = []
    while let entry = readdir(stream) {
      // The record is shorter than the type says, so the name is read in place.
      let name = UnsafeRawPointer(entry).advanced(by: nameOffset).assumingMemoryBound(to: CChar.self)
      let path = FilePath(bytes: UnsafeRawBufferPointer(start: name, count: strlen(name)))
      if path.bytes != [46] && path.bytes != [46, 46] { names.append(path) }
    }
    return names.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }

  /// Lends the path to a C function.
  package func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try (bytes.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
      try buffer.baseAddress.map(body) ?? body("")
    }
  }
}

extension [UInt8] {
  /// The longest end of which all elements satisfy `holds`.
  fileprivate func suffix(while holds: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    self[(lastIndex { !holds($0) }.map { $0 + 1 } ?? 0)...]
  }
}
