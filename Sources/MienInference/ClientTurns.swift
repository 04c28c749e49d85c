/// Places of which there are a few, and who gets the next one: of the clients that wait the one that has the fewest; of several such
/// clients the one that has used least of late; of equals the one whose turn was longest ago.
///
/// No client has more than its share, so that others find some free. Where clients have shares, the last free places are for
/// those that have used little, so that they need not wait for those who use much.
package struct ClientTurns: Sendable {
  private let places: Int
  private let share: Int
  private let reserve: Int
  private let use: RecentUse
  /// How many places each client has.
  private var held: [String: Int] = [:]
  /// When each client last had its turn, counted in turns.
  private var turns: [String: Int] = [:]
  private var turnCount = 0
  /// How many places are taken.
  package private(set) var taken = 0

  /// All places are free.
  ///
  /// - Parameters:
  ///   - places: how many there are.
  ///   - share: how many of them one client may have; `nil` for all.
  ///   - reserve: how many are for clients that use little, if clients have shares.
  ///   - use: how long each client has used what the places stand for.
  package init(places: Int, share: Int? = nil, reserve: Int = 0, use: RecentUse = RecentUse()) {
    self.places = places
    self.share = share ?? places
    self.reserve = self.share < places ? reserve : 0
    self.use = use
  }

  /// Whether a client has a place.
  package func hasPlace(_ client: String) -> Bool { held[client] != nil }

  /// Whether there is a free place that a client may have.
  package func isFree(for client: String, now: ContinuousClock.Instant = .now) -> Bool {
    let free = places - taken
    return held[client, default: 0] < share && free > 0 && (free > reserve || use.isLittle(of: client, now: now))
  }

  /// Which of some clients, each of which waits for a place, gets the next one: of equals the first; `nil` if none may have one.
  package func next<Clients: Collection>(among clients: Clients) -> Clients.Index? where Clients.Element == String {
    let now = ContinuousClock.now
    func rank(_ client: String) -> (Int, Int, Int) {
      (held[client, default: 0], use.rank(of: client, now: now), turns[client, default: 0])
    }
    return clients.indices.filter { isFree(for: clients[$0], now: now) }
      .map { (index: $0, rank: rank(clients[$0])) }.min { $0.rank < $1.rank }?.index
  }

  /// A client takes a place, which is its turn.
  package mutating func take(for client: String) {
    held[client, default: 0] += 1
    taken += 1
    noteTurn(of: client)
  }

  /// A client has had its turn.
  package mutating func noteTurn(of client: String) {
    turnCount += 1
    turns[client] = turnCount
  }

  /// A client gives a place back.
  package mutating func giveBack(by client: String) {
    taken -= 1
    let rest = (held[client] ?? 1) - 1
    held[client] = rest > 0 ? rest : nil
  }
}
