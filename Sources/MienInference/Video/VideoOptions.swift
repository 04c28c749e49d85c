import MienCore

/// How ``VideoReadings`` reads a video.
public struct VideoOptions: Sendable, Hashable {
  /// Every how many frames one is read, at least 1.
  public var every: Int
  /// Side of the smallest face to find, in pixels, at least 20; nil: 5 % of the shorter side, at least 24.
  public var minFace: Int?
  /// How faces are followed and their readings smoothed.
  public var tracking: ReadingTrackerOptions

  /// Sets what differs from the defaults.
  public init(every: Int = 1, minFace: Int? = nil, tracking: ReadingTrackerOptions = .init()) {
    self.every = every
    self.minFace = minFace
    self.tracking = tracking
  }

  func validate() throws {
    guard every >= 1 else { throw MienError(.argument, "every", "expected at least 1, found \(every)") }
    try tracking.validate()
  }
}
