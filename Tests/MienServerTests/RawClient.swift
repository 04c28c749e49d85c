import Foundation
import Glibc
import MienInference

/// A connection on which tests send what no well-behaved client sends. Calls block, on threads of their own.
final class RawClient: Sendable {
  private let descriptor: Int32
  private static let queue = NativeQueue(width: 8)

  /// Why a test's connection failed.
  struct Failure: Error {
    let call: String
    let number = errno
  }

  /// - Parameter host: the last number of the address that it connects from, 127.0.0.1 to 127.0.0.254.
  init(port: Int, from host: UInt32 = 1) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(call: "socket") }
    guard Self.withAddress(host, port: 0, { bind(descriptor, $0, $1) }) == 0 else { throw Failure(call: "bind") }
    guard Self.withAddress(1, port: port, { connect(descriptor, $0, $1) }) == 0 else { throw Failure(call: "connect") }
    // A server that never answers fails the test instead of hanging it.
    var patience = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  private static func withAddress(
    _ host: UInt32, port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0000 + host).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  deinit { close(descriptor) }

  /// Sends bytes; false where the server has closed the connection.
  @discardableResult func send(_ data: Data) async throws -> Bool {
    let bytes = [UInt8](data)
    return try await Self.queue.run { [descriptor] in
      var sent = 0
      while sent < bytes.count {
        let rest = Array(bytes[sent...])
        let count = Glibc.send(descriptor, rest, rest.count, Int32(MSG_NOSIGNAL))
        guard count > 0 else { return false }
        sent += count
      }
      return true
    }
  }

  /// All that the server sends until it closes the connection, or until `end` has come.
  func receive(upTo end: String? = nil) async throws -> String {
    try await Self.queue.run { [descriptor] () throws -> String in
      var received: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN { throw Failure(call: "recv") }
        guard count > 0 else { return String(decoding: received, as: UTF8.self) }
        received += buffer[..<count]
        if let end, received.suffix(end.utf8.count).elementsEqual(end.utf8) {
          return String(decoding: received, as: UTF8.self)
        }
      }
    }
  }

  /// Says that no more will be sent.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Closes the connection as a program does that has ended. Nothing more can be received.
  func hangUp() {
    // Its number stays this object's own.
    let end = open("/dev/null", O_RDONLY | O_CLOEXEC)
    dup2(end, descriptor)
    close(end)
  }

  /// Sends `request` on a connection of its own and waits for the server to close it.
  static func exchange(port: Int, _ request: String) async throws -> String {
    let client = try RawClient(port: port)
    try await client.send(Data(request.utf8))
    return try await client.receive()
  }
}
