import Synchronization

/// How far long work is: one line that is drawn over on a terminal, a plain line now and then elsewhere.
package final class ProgressLine: Sendable {
  private struct State {
    var last: ContinuousClock.Instant
    var isDrawn = false
  }

  private let what: String
  private let isTerminal: Bool
  private let interval: Duration
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  /// Starts counting `what`, as `faces`.
  ///
  /// - Parameters:
  ///   - terminal: the least time between two lines on a terminal.
  ///   - plain: the same elsewhere, as in a log.
  package init(
    _ what: String = "", isTerminal: Bool = Console.isTerminal, terminal: Duration = .milliseconds(200),
    plain: Duration = .seconds(10)
  ) {
    self.what = what
    self.isTerminal = isTerminal
    interval = isTerminal ? terminal : plain
    state = Mutex(State(last: start))
  }

  /// Does `work` and takes the line off when it ends, well or not.
  package static func during<Result>(_ what: String, _ work: (ProgressLine) throws -> Result) rethrows -> Result {
    let line = ProgressLine(what)
    defer { line.clear() }
    return try work(line)
  }

  /// Says that `done` of `total` are done, at which rate and for how long still, if it is time to say so; without a total
  /// there is no time left to tell.
  package func update(_ done: Int, of total: Int?) {
    show {
      let rate = Double(done) / ((ContinuousClock.now - start) / .seconds(1))
      let counted =
        "\(done.grouped) \(total.map { "of \($0.grouped) " } ?? "")\(what), \((rate * 10).rounded() / 10) per second"
      guard let total, rate > 0 else { return counted }
      return "\(counted), \(Self.left(Double(total - done) / rate))"
    }
  }

  /// A time left as `6 s left`, `2 min 5 s left` or `1 h 30 min left`.
  package static func left(_ seconds: Double) -> String {
    guard seconds.isFinite, (0..<1e9).contains(seconds) else { return "? left" }
    let whole = Int(seconds.rounded(.up))
    if whole < 60 { return "\(whole) s left" }
    return whole < 3600
      ? "\(whole / 60) min \(whole % 60) s left" : "\(whole / 3600) h \(whole % 3600 / 60) min left"
  }

  /// Shows `line` if it is time to.
  package func show(_ line: () -> String) {
    state.withLock { state in
      let now = ContinuousClock.now
      guard now - state.last >= interval else { return }
      state.last = now
      if isTerminal { Console.redraw(line()) } else { Console.error(line()) }
      state.isDrawn = isTerminal
    }
  }

  /// Takes the line off the terminal.
  package func clear() {
    state.withLock { state in
      guard state.isDrawn else { return }
      Console.redraw("")
      state.isDrawn = false
    }
  }
}
