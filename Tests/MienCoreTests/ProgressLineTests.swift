import Foundation
import Glibc
import MienCore
import Testing

@Suite struct ProgressLineTests {
  /// A line that reaches the last column wraps, and cannot be drawn over.
  @Test(
    arguments: [
      ("epoch 1/2", nil, "epoch 1/2"), ("epoch 1/2", 10, "epoch 1/2"), ("epoch 1/2", 9, "epoch 1…"),
      ("epoch 1/2", 2, "…"),
      ("epoch 1/2", 1, ""), ("", 1, ""), ("东京.mp4", 9, "东京.mp4"), ("东京.mp4", 8, "东京.m…"), ("东京.mp4", 4, "东…"),
    ] as [(String, Int?, String)])
  func linesAreCutToTheTerminal(line: String, columns: Int?, expected: String) {
    #expect(Console.fitted(line, to: columns) == expected)
  }

  @Test func theWidthIsTheTerminals() throws {
    let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    try #require(terminal >= 0)
    defer { close(terminal) }
    var size = winsize(ws_row: 24, ws_col: 61, ws_xpixel: 0, ws_ypixel: 0)
    try #require(ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0)
    #expect(Console.columns(of: terminal) == 61)
    let file = open("/dev/null", O_RDONLY)
    defer { close(file) }
    #expect(Console.columns(of: file) == nil)
  }

  @Test(arguments: [
    (0, "0 s left"), (5.2, "6 s left"), (59.5, "1 min 0 s left"), (125, "2 min 5 s left"), (5400, "1 h 30 min left"),
    (.infinity, "? left"), (.nan, "? left"),
  ])
  func theTimeLeftHasOneStyle(seconds: Double, text: String) { #expect(ProgressLine.left(seconds) == text) }
}
