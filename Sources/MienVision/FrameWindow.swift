import Foundation
import MienCore

/// A window on the screen that shows frames, by OpenCV's highgui, which is loaded when the first frame is shown.
package struct FrameWindow {
  private let title: String

  /// What ended a window.
  package enum Answer: Sendable {
    /// Nothing did.
    case open
    /// It was closed, or `q` or the escape key was pressed.
    case closed
  }

  /// Prepares a window.
  ///
  /// - Throws: ``MienError`` where there is no display.
  package init(title: String, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    let hasDisplay = ["DISPLAY", "WAYLAND_DISPLAY"].contains { environment[$0]?.isEmpty == false }
    guard hasDisplay else {
      throw MienError(.native, nil, "there is no display to open a window on")
    }
    self.title = title
  }

  /// Shows a frame in place of the last. Always from the same thread.
  package func show(_ image: Image) throws -> Answer {
    let functions = try VideoShim.functions()
    let frame = image.rgb
    var key: Int32 = -1
    try VideoShim.check(functions) {
      functions.window_show(
        title, frame.pixels, frame.pixels.count, Int32(clamping: frame.width), Int32(clamping: frame.height), &key, $0)
    }
    return [-2, 27, Int32(UInt8(ascii: "q"))].contains(key < 0 ? key : key & 0xFF) ? .closed : .open
  }
}
