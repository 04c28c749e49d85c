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

  /// The path with a component, or a relative path, behind a slash.
  package func appending(_ path: FilePath) -> FilePath {
    if bytes.isEmpty { return path }
    let slash = bytes.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
    return FilePath(bytes: bytes + slash + path.bytes)
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
