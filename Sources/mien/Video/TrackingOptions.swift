import ArgumentParser
import MienCommandLine
import MienInference
import MienModelOptions

/// How faces are found, followed and smoothed.
struct TrackingOptions: ParsableArguments {
  @OptionGroup var detector: DetectorOptions

  @Option(help: ArgumentHelp("Under this smoothed probability a face is unsure, 0 to 1.", valueName: "p"))
  var minConfidence = FaceReading.standardMinConfidence

  @Flag(name: .customLong("no-smooth"), help: "Report each frame by itself: no average over time, no hysteresis.")
  var isUnsmoothed = false

  /// Whether readings are averaged over time.
  var isSmoothed: Bool { !isUnsmoothed }

  func validate() throws {
    try ValidationError.check(share: Double(minConfidence), of: "--min-confidence")
  }

  /// The options of the library.
  func videoOptions(every: Int = 1) -> VideoOptions {
    var tracking = isSmoothed ? ReadingTrackerOptions() : .unsmoothed
    tracking.minConfidence = minConfidence
    return VideoOptions(every: every, tracking: tracking)
  }
}
