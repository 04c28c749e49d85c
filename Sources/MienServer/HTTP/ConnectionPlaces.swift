import NIOCore
import Synchronization

/// Bounds how many connections have a request that is being answered, and how many are open.
///
/// A connection takes a place when the head of a request is complete, and gives it back after the answer. One that is waited
/// for takes none, whether it is idle or has sent half a head, so nobody is locked out by connections that ask for nothing.
/// If too many are open, those are closed first, and those whose client has taken nothing of its answer for a while: of the
/// address that has most of them, the one that waits longest. A request may be on its way on a connection that seems idle,
/// so its client is told that there is no room, and has some time to read that.
final class ConnectionPlaces: Sendable {
  /// Connections that may be open beyond the number of places. Those without a place get answers to probes only.
  static let reserve = 64

  private struct Connection {
    let address: String
    let refuse: @Sendable () -> Void
    let close: @Sendable () -> Void
    /// Rises from the one that waits longest; `nil` while a request is being answered, and its answer taken.
    var waitsSince: Int?
    var hasPlace = false
    /// When the client took something of the answer last, if more is there for it.
    var stalledAt: ContinuousClock.Instant?

    /// Whether it may have to make room: it has no request, or nothing of the answer has been taken for a while.
    var isWaiting: Bool {
      guard waitsSince != nil else { return false }
      return !hasPlace || stalledAt.map { .now - $0 >= ConnectionPlaces.patience } == true
    }
  }

  private struct State {
    var free: Int
    var connections: [Int: Connection] = [:]
    /// Those that were told to make room and are not closed yet, in that order.
    var leaving: [(number: Int, connection: Connection)] = []
    /// How often something was numbered.
    var steps = 0

    mutating func step() -> Int {
      steps += 1
      return steps
    }

    /// The connection to close to make room for `newest`.
    func evictable(for newest: Int) -> Int? {
      let waiting = connections.filter { $0.value.isWaiting && $0.key != newest }
      let shares = waiting.values.reduce(into: [:]) { $0[$1.address, default: 0] += 1 }
      return waiting.min { one, other in
        let (share, otherShare) = (shares[one.value.address] ?? 0, shares[other.value.address] ?? 0)
        if share != otherShare { return share > otherShare }
        return (one.value.waitsSince ?? 0) < (other.value.waitsSince ?? 0)
      }?.key
    }
  }

  /// A quarter of the reserve is for connections that make room, another one for others that are being closed.
  private static let mostLeaving = reserve / 4

  /// For how long a client takes nothing of its answer before it counts as waiting: networks have pauses.
  private static let patience = Duration.seconds(1)

  private let state: Mutex<State>
  private let mostOpen: Int
  private let onEviction: @Sendable () -> Void

  /// - Parameters:
  ///   - count: how many connections may have a request that is being answered.
  ///   - onEviction: told of each connection that is closed to make room.
  init(_ count: Int, onEviction: @escaping @Sendable () -> Void = {}) {
    state = Mutex(State(free: count))
    mostOpen = count + Self.reserve / 2
    self.onEviction = onEviction
  }

  /// Whether one more request would not be answered.
  var areTaken: Bool { state.withLock { $0.free <= 0 } }

  /// Counts a new connection, and closes another one if there are too many.
  ///
  /// - Parameters:
  ///   - refuse: tells its client that there is no room, and closes it in a while; called on any thread.
  ///   - close: closes it at once; called on any thread.
  /// - Returns: its number.
  func enter(
    from address: String, refuse: @escaping @Sendable () -> Void, close: @escaping @Sendable () -> Void
  ) -> Int {
    let (number, evicted, last) = state.withLock { state in
      let number = state.step()
      state.connections[number] = Connection(address: address, refuse: refuse, close: close, waitsSince: number)
      guard state.connections.count > mostOpen, let other = state.evictable(for: number),
        let evicted = state.connections.removeValue(forKey: other)
      else { return (number, Connection?.none, Connection?.none) }
      if evicted.hasPlace { state.free += 1 }
      state.leaving.append((other, evicted))
      return (
        number, evicted, state.leaving.count > Self.mostLeaving ? state.leaving.removeFirst().connection : nil
      )
    }
    if let evicted {
      evicted.refuse()
      last?.close()
      onEviction()
    }
    return number
  }

  /// The head of a request is complete.
  ///
  /// - Returns: whether the connection has a place now.
  func take(_ number: Int) -> Bool {
    state.withLock { state in
      // One that has to make room is not there.
      guard var connection = state.connections[number] else { return false }
      (connection.waitsSince, connection.stalledAt) = (nil, nil)
      if !connection.hasPlace, state.free > 0 {
        connection.hasPlace = true
        state.free -= 1
      }
      state.connections[number] = connection
      return connection.hasPlace
    }
  }

  /// The connection's requests are answered: it waits for the next one, or for its end.
  func rest(_ number: Int) {
    state.withLock { state in
      guard var connection = state.connections[number], connection.hasPlace || connection.waitsSince == nil else {
        return
      }
      if connection.hasPlace { state.free += 1 }
      (connection.hasPlace, connection.stalledAt) = (false, nil)
      connection.waitsSince = state.step()
      state.connections[number] = connection
    }
  }

  /// The connection's client has more of its answer to take from now on, or has taken all that is there.
  func stall(_ number: Int, isStalled: Bool) {
    state.withLock { state in
      guard var connection = state.connections[number], connection.hasPlace else { return }
      connection.waitsSince = isStalled ? state.step() : nil
      connection.stalledAt = isStalled ? .now : nil
      state.connections[number] = connection
    }
  }

  /// The connection is closed.
  func leave(_ number: Int) {
    state.withLock { state in
      state.leaving.removeAll { $0.number == number }
      if state.connections.removeValue(forKey: number)?.hasPlace == true { state.free += 1 }
    }
  }
}

/// A connection's part in ``ConnectionPlaces``. It stands before TLS, so that a connection that has to make room is closed at
/// once: TLS would wait for the client's goodbye.
final class ConnectionPlace: ChannelInboundHandler {
  typealias InboundIn = Any

  private let places: ConnectionPlaces
  private var number: Int?
  /// Tells the client that there is no room. Called on the connection's event loop.
  var onRefusal: (() -> Void)?

  init(_ places: ConnectionPlaces) { self.places = places }

  func handlerAdded(context: ChannelHandlerContext) {
    let loop = context.eventLoop
    let (bound, place) = (NIOLoopBound(context, eventLoop: loop), NIOLoopBound(self, eventLoop: loop))
    number = places.enter(from: context.remoteAddress?.ipAddress ?? "") {
      loop.execute { place.value.onRefusal?() }
    } close: {
      loop.execute { bound.value.close(promise: nil) }
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    if let number { places.leave(number) }
    (number, onRefusal) = (nil, nil)
  }

  /// The head of a request is complete.
  ///
  /// - Returns: whether the connection has a place now.
  func take() -> Bool { number.map(places.take) ?? false }

  /// The connection's requests are answered: it waits for the next one, or for its end.
  func rest() { if let number { places.rest(number) } }

  /// The client has more of its answer to take from now on, or has taken all that is there.
  func stall(isStalled: Bool) { if let number { places.stall(number, isStalled: isStalled) } }
}
