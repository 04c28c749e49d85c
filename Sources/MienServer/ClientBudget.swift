import Synchronization

/// What clients hold of something that is scarce. Where clients have tokens, each may hold as much as then stays free.
final class ClientBudget: Sendable {
  /// Why there is no room.
  enum Shortage {
    /// The client holds as much as one may.
    case ofOwn
    /// All together hold everything.
    case ofAll
  }

  private struct State {
    var used = 0
    var byClient: [AccessTokens.Client: Int] = [:]
  }

  private let limit: Int
  private let boundsAll: Bool
  private let state = Mutex(State())

  /// - Parameter boundsAll: whether all clients together are bounded here; if not, something else does it.
  init(limit: Int, boundsAll: Bool = true) { (self.limit, self.boundsAll) = (limit, boundsAll) }

  /// Takes `count` for a request of a client.
  ///
  /// - Parameter held: what that request holds already.
  /// - Returns: why nothing was taken; nil if it was.
  func take(_ count: Int, for client: AccessTokens.Client, held: Int = 0) -> Shortage? {
    state.withLock { state in
      let own = state.byClient[client, default: 0]
      guard
        AccessTokens.mayTake(held + count, own: own - held, others: state.used - own, of: limit, for: client)
      else { return .ofOwn }
      guard !boundsAll || state.used + count <= limit else { return .ofAll }
      state.used += count
      state.byClient[client] = own + count
      return nil
    }
  }

  /// Gives `count` back.
  func give(_ count: Int, of client: AccessTokens.Client) {
    state.withLock { state in
      state.used -= count
      let left = state.byClient[client, default: 0] - count
      state.byClient[client] = left > 0 ? left : nil
    }
  }
}
