import Foundation
import MienInference
import Synchronization

/// Those who listen to a session: each gets the answer to every picture, whoever sent it.
final class FrameEvents: Sendable {
  /// What a listener gets.
  enum Event: Sendable {
    case frame(FrameReadings)
    /// The session is closed, or the server stops.
    case end
  }

  private struct State {
    var listeners: [Int: AsyncStream<Event>.Continuation] = [:]
    var next = 0
    var isFinished = false
  }

  /// Listeners of one session.
  private static let capacity = 8
  /// Answers that wait for a listener; of one that is slower the oldest are dropped.
  private static let waiting = 16

  private let state = Mutex(State())

  /// Starts to listen.
  ///
  /// - Throws: ``APIError`` if too many do.
  func listen() throws -> AsyncStream<Event> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Event.self, bufferingPolicy: .bufferingNewest(Self.waiting))
    let number = try state.withLock { state in
      guard !state.isFinished else { throw APIError.noSession }
      guard state.listeners.count < Self.capacity else {
        throw APIError.busy(.sessions, "Too many clients listen to this session.", retryAfter: 10)
      }
      state.next += 1
      state.listeners[state.next] = continuation
      return state.next
    }
    continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.listeners[number] = nil } }
    return stream
  }

  /// Tells all listeners of a picture's answer.
  func send(_ answer: FrameReadings) {
    let listeners = state.withLock { Array($0.listeners.values) }
    for listener in listeners { listener.yield(.frame(answer)) }
  }

  /// Tells all listeners that there will be no more.
  func finish() {
    let listeners = state.withLock { state in
      state.isFinished = true
      defer { state.listeners = [:] }
      return Array(state.listeners.values)
    }
    for listener in listeners {
      listener.yield(.end)
      listener.finish()
    }
  }
}
