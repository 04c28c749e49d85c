package import Foundation
package import MienCore
import MienInference

/// What a server is started with.
package struct ServerOptions: Sendable {
  /// The address to listen on.
  package var host = "127.0.0.1"
  /// The port to listen on; 0 for any that is free.
  package var port = 8080
  /// Who may use the server; nil for everybody who reaches it.
  package var tokens: AccessTokens?
  /// The certificate and key to serve TLS with; nil for plain HTTP.
  package var tls: TLSFiles?
  /// Web pages of these origins, as `https://example.org`, may call the server from a browser.
  package var corsOrigins: [String] = []
  /// Names other than this machine's own by which the server may be called, as a proxy in front of it passes them on.
  package var allowedHosts: [String] = []
  /// Addresses and networks of proxies whose `X-Forwarded-Host` and `X-Forwarded-Proto` are believed.
  package var trustedProxies: [String] = []
  /// What finds faces where a request does not say: a name of ``FaceDetectors``, or a YuNet network's file.
  package var detector = FaceDetectors.standard
  /// Side of the smallest face that this detector finds, in pixels; `nil` for the detector's default.
  package var minFace: Int?
  /// The profiles that every client may use; the first is used where a request names none.
  package var profiles: [String] = []
  /// The mix of emotions to expect where a request does not say.
  package var prior = ClassPrior.data
  /// The address of a second port with `/metrics`, `/healthz` and `/readyz`, for everybody who reaches it; `nil` for none.
  package var metricsAddress: Address?
  /// How much is taken on.
  package var limits = ServerLimits()
  /// `mien-server`, which is run once more for files that are decoded in a process of their own.
  package var program = "/proc/self/exe"
  /// Is told the server's address, as `http://127.0.0.1:8080/`, when it answers there.
  package var whenListening: @Sendable (String) -> Void = { _ in }

  /// Where to listen.
  package struct Address: Sendable, Equatable {
    /// The address.
    package var host: String
    /// The port; 0 for any that is free.
    package var port: Int

    /// Reads `9090`, `0.0.0.0:9090` or `[::]:9090`; without an address, `127.0.0.1`.
    package init?(_ text: String) {
      let colon = text.lastIndex(of: ":")
      guard let port = Int(text[(colon.map { text.index(after: $0) } ?? text.startIndex)...]),
        (0...65_535).contains(port)
      else { return nil }
      let host = colon.map { text[..<$0].trimmingPrefix("[") }
      self.host = host.map { $0.hasSuffix("]") ? String($0.dropLast()) : String($0) } ?? "127.0.0.1"
      self.port = port
      if self.host.isEmpty { return nil }
    }
  }

  /// PEM files.
  package struct TLSFiles: Sendable {
    /// The certificate, followed by those that lead from it to a root.
    package var certificate: URL
    /// The certificate's private key.
    package var key: URL

    /// Names the files.
    package init(certificate: URL, key: URL) {
      self.certificate = certificate
      self.key = key
    }
  }

  /// The defaults: this machine only, plain HTTP, no token.
  package init() {}

  /// Whether only programs on this machine reach ``host``.
  package var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    return parts.count == 4 && parts[0] == 127 && !parts.contains(nil)
  }

  /// The names by which the server may be called, in lower case; nil for any name. Without a token it is this machine's
  /// own and those that are allowed besides, so that no other name leads a page of another site to it.
  var hosts: Set<String>? {
    guard !allowedHosts.isEmpty || isLoopback && tokens == nil else { return nil }
    return Set((["localhost", "127.0.0.1", "[::1]", host] + allowedHosts).map { $0.lowercased() })
  }

  /// Checks what belongs together.
  ///
  /// - Throws: ``MienError`` of kind `argument`.
  package func validate() throws {
    guard (0...65_535).contains(port) else {
      throw MienError(.argument, "--port \(port)", "expected 0 to 65535")
    }
    guard isLoopback || tokens != nil else {
      throw MienError(
        .argument, "--host \(host)",
        "without --token-file only this machine is served: expected 127.0.0.1, ::1 or localhost; other addresses, which "
          + "other machines may reach, need --token-file")
    }
    let everywhere = ["0.0.0.0", "::"]
    if port != 0, let metricsAddress, metricsAddress.port == port,
      metricsAddress.host == host || everywhere.contains(host) || everywhere.contains(metricsAddress.host)
    {
      throw MienError(.argument, "--metrics-port \(port)", "expected another port than --port")
    }
    for origin in corsOrigins {
      guard let url = URL(string: origin), ["http", "https"].contains(url.scheme), url.host() != nil,
        url.path().isEmpty, url.query == nil, url.user() == nil
      else {
        throw MienError(.argument, "--cors-origin \(origin)", "expected an origin, as https://example.org")
      }
    }
    for name in allowedHosts {
      let isName =
        !name.isEmpty
        && name.utf8.allSatisfy { byte in
          switch byte {
          case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
          default: "-._:[]".utf8.contains(byte)
          }
        }
      guard isName, !name.contains("//") else {
        throw MienError(.argument, "--allowed-host \(name)", "expected a host's name, as mien.example.org")
      }
    }
    _ = try TrustedProxies(trustedProxies)
    try limits.validate()
  }
}
