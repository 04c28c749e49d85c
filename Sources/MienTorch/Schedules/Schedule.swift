import Glibc

/// The learning rate as a pure function of progress, relative to its peak.
public enum Schedule: Sendable, Equatable {
  /// A warm restart of a cosine.
  public struct Restart: Sendable, Equatable {
    /// Where it begins, as a share of the run, 0…1.
    public let start: Double
    /// The rate it begins with, relative to the first peak.
    public let peak: Double

    /// A restart at `start`.
    public init(start: Double, peak: Double) {
      self.start = start
      self.peak = peak
    }
  }

  /// Always the peak.
  case constant
  /// Linear from 0 over `warmup`, then half a cosine down to `final`; each restart is another half cosine from its peak
  /// (Loshchilov and Hutter 2017).
  ///
  /// - Parameters:
  ///   - warmup: share of the run, 0..<1.
  ///   - final: rate at the end of each half cosine, relative to the first peak.
  ///   - restarts: in the order of their starts; empty for none.
  case cosine(warmup: Double, final: Double, restarts: [Restart])

  /// The rate relative to the peak, 0…1, at `progress` (0 at the start, 1 at the end of the run).
  public func factor(progress: Double) -> Double {
    switch self {
    case .constant: return 1
    case .cosine(let warmup, let final, let restarts):
      if progress < warmup { return progress / warmup }
      let current = restarts.last { $0.start < progress }
      let begin = current?.start ?? warmup
      let end = restarts.first { $0.start >= progress }?.start ?? 1
      let share = min(1, (progress - begin) / max(end - begin, .leastNonzeroMagnitude))
      return final + ((current?.peak ?? 1) - final) * (1 + cos(.pi * share)) / 2
    }
  }
}
