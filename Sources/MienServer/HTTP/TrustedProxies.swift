import Foundation
import Glibc
import HTTPTypes
import Hummingbird
import MienCore
import NIOCore

/// Proxies in front of the server whose word is taken for how a client called them.
package struct TrustedProxies: Sendable {
  /// How a client called the proxy.
  struct Forwarded {
    /// The name that the client called, followed by those by which proxies called one another; empty if none is told.
    let hosts: [String]
    let scheme: String?
  }

  /// A network: its address, and how many bits of it count.
  private struct Network {
    let address: [UInt8]
    let bits: Int
  }

  private let networks: [Network]

  /// Takes addresses (`10.0.0.2`, `::1`) and networks (`10.0.0.0/8`).
  ///
  /// - Throws: ``MienError`` naming the option.
  package init(_ texts: [String] = []) throws {
    networks = try texts.map { text in
      let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      let bits = parts.count == 2 ? Int(parts[1]) : nil
      guard let address = Self.bytes(of: String(parts[0])), parts.count == 1 || bits != nil,
        (0...address.count * 8).contains(bits ?? 0)
      else {
        throw MienError(
          .argument, "--trusted-proxy \(text)", "expected an address, as 10.0.0.2, or a network, as 10.0.0.0/8")
      }
      return Network(address: address, bits: bits ?? address.count * 8)
    }
  }

  /// What a proxy says of a request, in `X-Forwarded-Host` and `X-Forwarded-Proto`; nil if the request comes from
  /// somebody else. Of several values the first is the client's, if no proxy added to what the client itself claimed.
  func forwarded(_ request: Request, from peer: SocketAddress?) -> Forwarded? {
    guard !networks.isEmpty, let address = peer?.ipAddress.flatMap(Self.bytes), isTrusted(address) else { return nil }
    func values(_ name: String) -> [String] {
      (HTTPField.Name(name).flatMap { request.headers[$0] } ?? "").split(separator: ",")
        .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
    return Forwarded(hosts: values("X-Forwarded-Host"), scheme: values("X-Forwarded-Proto").first?.lowercased())
  }

  private func isTrusted(_ address: [UInt8]) -> Bool {
    networks.contains { network in
      guard network.address.count == address.count else { return false }
      return (0..<network.bits).allSatisfy { bit in
        (network.address[bit / 8] ^ address[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
      }
    }
  }

  /// 4 or 16 bytes; an IPv4 address in IPv6 form counts as IPv4.
  private static func bytes(of text: String) -> [UInt8]? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { [UInt8]($0) } }
    var six = in6_addr()
    guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    let bytes = withUnsafeBytes(of: six) { [UInt8]($0) }
    let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
    return bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
  }
}
