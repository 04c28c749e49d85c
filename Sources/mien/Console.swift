import MienCore

/// What is written to a terminal.
extension Console {
  /// `text` with spaces up to `width` characters.
  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// `text` without spaces at its end.
  static func trimmed(_ text: String) -> String {
    String(text.reversed().drop { $0 == " " }.reversed())
  }

  /// `text` without characters that move a terminal's cursor: a file's name may hold any.
  static func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
  }

  /// Writes texts, which may hold names out of files, to standard output, each from a line of its own on.
  static func printLines(_ texts: [String]) throws {
    for text in texts {
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) { try print(printable(String(line))) }
    }
  }
}

/// How far long work is: one line that is drawn over on a terminal, a plain line now and then elsewhere.
final class ProgressLine {
  private let what: String
  private let isTerminal: Bool
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant
  private var isDrawn = false

  /// Starts counting `what`, as `faces`.
  init(_ what: String, isTerminal: Bool = Console.isTerminal) {
    self.what = what
    self.isTerminal = isTerminal
    start = clock.now
    last = clock.now
  }

  /// Does `work` and takes the line off when it ends, well or not.
  static func during<Result>(_ what: String, _ work: (ProgressLine) throws -> Result) rethrows -> Result {
    let line = ProgressLine(what)
    defer { line.clear() }
    return try work(line)
  }

  /// Says that `done` of `total` are done, if it is time to say so; without a total there is no time left to tell.
  func update(_ done: Int, of total: Int?) {
    let now = clock.now
    guard now - last >= .milliseconds(isTerminal ? 200 : 10_000) else { return }
    last = now
    let seconds = (now - start) / .seconds(1)
    let rate = Double(done) / seconds
    let rounded = (rate * 10).rounded() / 10
    var line = "\(done) \(total.map { "of \($0) " } ?? "")\(what), \(rounded) per second"
    if let total, rate > 0 {
      let left = Int((Double(total - done) / rate).rounded(.up))
      line += ", \(left / 60) min \(left % 60) s left"
    }
    if isTerminal { Console.redraw(line) } else { Console.error(line) }
    isDrawn = isTerminal
  }

  /// Takes the line off the terminal.
  func clear() {
    guard isDrawn else { return }
    Console.redraw("")
    isDrawn = false
  }
}
