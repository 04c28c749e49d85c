import ArgumentParser
import MienInference

/// How faces are found, followed and smoothed.
struct TrackingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Side of the smallest face to find, in pixels.", valueName: "px"))
  var minFace: Int?

  @Option(help: ArgumentHelp("Under this smoothed probability a face is unsure, 0 to 1.", valueName: "p"))
  var minConfidence: Float = 0

  @Flag(name: .customLong("no-smooth"), help: "Report each frame by itself: no average over time, no hysteresis.")
  var isUnsmoothed = false

  /// Whether readings are averaged over time.
  var isSmoothed: Bool { !isUnsmoothed }

  func validate() throws {
    if let minFace, minFace < 20 { throw ValidationError("--min-face is at least 20 pixels.") }
    guard (0...1).contains(minConfidence) else { throw ValidationError("--min-confidence is 0 to 1.") }
  }

  /// The options of the library.
  func videoOptions(every: Int = 1) -> VideoOptions {
    var tracking = isSmoothed ? ReadingTrackerOptions() : .unsmoothed
    tracking.minConfidence = minConfidence
    return VideoOptions(every: every, minFace: minFace, tracking: tracking)
  }
}
