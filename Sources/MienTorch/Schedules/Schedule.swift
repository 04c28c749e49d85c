#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The learning rate as a pure function of progress, relative to its peak.
public enum Schedule: Sendable, Equatable {
  /// Always the peak.
  case constant
  /// Linear from 0 over `warmup`, then half a cosine down to `final` (Loshchilov and Hutter 2017, without restarts).
  ///
  /// - Parameters:
  ///   - warmup: share of the run, 0..<1.
  ///   - final: rate at the end relative to the peak, 0…1.
  case cosine(warmup: Double, final: Double)

  /// The rate relative to the peak, 0…1, at `progress` (0 at the start, 1 at the end of the run).
  public func factor(progress: Double) -> Double {
    switch self {
    case .constant: return 1
    case .cosine(let warmup, let final):
      if progress < warmup { return progress / warmup }
      let share = min(1, (progress - warmup) / max(1 - warmup, .leastNonzeroMagnitude))
      return final + (1 - final) * (1 + cos(.pi * share)) / 2
    }
  }
}
