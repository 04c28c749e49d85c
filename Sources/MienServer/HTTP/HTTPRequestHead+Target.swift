import NIOHTTP1

extension HTTPRequestHead {
  /// Whether more requests may follow: the decoder reads nothing behind one that offers another protocol, which is not taken.
  var isKeptAlive: Bool {
    isKeepAlive && version != .http1_0 && method != .CONNECT && !headers.contains(name: "upgrade")
  }

  /// Where the target is an address, its host counts instead of the `Host` field (RFC 9112, section 3.2.2).
  ///
  /// - Throws: ``APIError`` if it is neither a path nor an address with a host.
  mutating func takeHost() throws {
    guard method != .CONNECT, !uri.hasPrefix("/"), uri != "*", headers["host"].count < 2 else {
      return
    }
    let scheme = uri.prefix { $0 != "/" }
    let address = uri.dropFirst(scheme.count + 2)
    let host = address.prefix { !"/?#".contains($0) }
    guard ["http:", "https:"].contains(scheme.lowercased()), uri.dropFirst(scheme.count).hasPrefix("//"),
      !host.isEmpty, !host.contains("@")
    else {
      throw APIError.badRequest("The request's target is neither a path nor an http or https address with a host.")
    }
    // Without the field, a request of HTTP/1.1 is refused all the same.
    if headers.contains(name: "host") || version == .http1_0 {
      headers.replaceOrAdd(name: "Host", value: String(host))
    }
    let path = address.dropFirst(host.count)
    uri = path.hasPrefix("/") ? String(path) : "/" + path
  }
}
