import Foundation
import Synchronization

/// The sessions that are open. One that is not used for a while is closed.
final class SessionStore: Sendable {
  private struct Entry {
    let session: LiveSession
    let client: AccessTokens.Client
    var lastUse: ContinuousClock.Instant
  }

  private let capacity: Int
  private let idle: Duration
  private let entries = Mutex<[String: Entry]>([:])

  /// - Parameter idleSeconds: how long a session may be unused.
  init(capacity: Int, idleSeconds: Double) {
    self.capacity = capacity
    idle = .seconds(idleSeconds)
  }

  /// How many are open.
  var count: Int {
    let now = ContinuousClock.now
    return entries.withLock { $0.values.count { now - $0.lastUse <= idle } }
  }

  /// Closes those that were not used for too long.
  func removeExpired() { entries.withLock { removeExpired(&$0) } }

  /// Opens a session of `client`.
  ///
  /// - Returns: its name.
  /// - Throws: ``APIError`` where too many are open.
  func open(_ session: LiveSession, client: AccessTokens.Client) throws -> String {
    let id = Identifier.random()
    try entries.withLock { entries in
      removeExpired(&entries)
      guard entries.count < capacity else {
        throw APIError.busy(.sessions, "Too many sessions are open.", retryAfter: 10)
      }
      let own = entries.values.count { $0.client == client }
      guard AccessTokens.mayTake(own: own, others: entries.count - own, of: capacity, for: client) else {
        throw APIError.busy(.sessions, "Too many of your sessions are open.", retryAfter: 10)
      }
      entries[id] = Entry(session: session, client: client, lastUse: .now)
    }
    return id
  }

  /// The session `id`, which is thereby used.
  ///
  /// - Throws: ``APIError`` where there is none of this name, it has expired, or it is another client's: which of these
  ///   is not told.
  func session(_ id: String, client: AccessTokens.Client) throws -> LiveSession {
    try entries.withLock { entries in
      removeExpired(&entries)
      guard let entry = entries[id], entry.client == client else { throw APIError.noSession }
      entries[id]?.lastUse = .now
      return entry.session
    }
  }

  /// Closes the session `id`.
  ///
  /// - Throws: ``APIError`` as ``session(_:client:)`` does.
  func close(_ id: String, client: AccessTokens.Client) throws {
    let session = try session(id, client: client)
    entries.withLock { $0[id] = nil }
    session.events.finish()
  }

  /// Closes the sessions of all but `clients`.
  func close(allBut clients: Set<AccessTokens.Client>) {
    entries.withLock { remove(from: &$0) { !clients.contains($0.client) } }
  }

  /// Ends the answers of those who listen, as a server that stops waits for all its answers.
  func stopListening() {
    let sessions = entries.withLock { $0.values.map(\.session) }
    for session in sessions { session.events.finish() }
  }

  private func removeExpired(_ entries: inout [String: Entry]) {
    let now = ContinuousClock.now
    remove(from: &entries) { now - $0.lastUse > idle }
  }

  private func remove(from entries: inout [String: Entry], where isOver: (Entry) -> Bool) {
    for (id, entry) in entries where isOver(entry) {
      entry.session.events.finish()
      entries[id] = nil
    }
  }
}

/// Names that cannot be guessed: 128 random bits in hexadecimal.
enum Identifier {
  static func random() -> String {
    var system = SystemRandomNumberGenerator()
    let halves = (0..<2).map { _ in String(UInt64.random(in: 0...UInt64.max, using: &system), radix: 16) }
    return halves.map { String(repeating: "0", count: 16 - $0.count) + $0 }.joined()
  }

  /// Whether `text` could be such a name. What a client sends is looked up or made part of a path only if so.
  static func isValid(_ text: String) -> Bool {
    text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}

extension APIError {
  static let noSession = APIError(.notFound, "no_session", "There is no such session; it may have expired.")
}
