import MienCore

/// How ``VideoReadings`` reads a video.
public struct VideoOptions: Sendable, Hashable {
  /// Every how many frames one is read, at least 1.
  public var every: Int
  /// How faces are followed and their readings smoothed.
  public var tracking: ReadingTrackerOptions

  /// Sets what differs from the defaults.
  public init(every: Int = 1, tracking: ReadingTrackerOptions = .init()) {
    self.every = every
    self.tracking = tracking
  }

  func validate() throws {
    guard every >= 1 else { throw MienError(.argument, "every", "expected at least 1, found \(every)") }
    try tracking.validate()
  }
}
