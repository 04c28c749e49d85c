import Glibc

/// The learning rate relative to its peak, as a pure function of how far a run is.
///
/// Times are in epochs. Every rule but ``Rule/oneCycle(rise:initial:final:)`` may follow a linear ``warmup``.
public struct Schedule: Sendable, Equatable {
  /// A warm restart of a cosine.
  public struct Restart: Sendable, Equatable {
    /// The epoch it begins at.
    public let epoch: Double
    /// The rate it begins with, relative to the first peak.
    public let peak: Double

    /// A restart at `epoch`.
    public init(epoch: Double, peak: Double) {
      self.epoch = epoch
      self.peak = peak
    }
  }

  /// How the rate goes after the warm-up.
  public enum Rule: Sendable, Equatable {
    /// Always the peak.
    case constant
    /// Times `factor` after every `epochs` epochs.
    case step(epochs: Double, factor: Double)
    /// `factor` to the power of the epochs done.
    case exponential(factor: Double)
    /// Half a cosine down to `final`; each restart is another one from its peak (Loshchilov and Hutter 2017).
    case cosine(final: Double, restarts: [Restart])
    /// Half a cosine up from `initial` over `rise` epochs, then one down to `final` (Smith and Topin 2018).
    case oneCycle(rise: Double, initial: Double, final: Double)
    /// Times `factor` whenever `patience` epochs bring no better score.
    case plateau(patience: Int, factor: Double)
  }

  /// How the rate goes.
  public let rule: Rule
  /// Epochs of linear rise from 0.
  public let warmup: Double
  /// Epochs of the whole run.
  public let epochs: Double

  /// A schedule over `epochs` epochs.
  public init(_ rule: Rule, warmup: Double = 0, epochs: Double) {
    self.rule = rule
    self.warmup = warmup
    self.epochs = epochs
  }

  /// The rate relative to the peak.
  ///
  /// - Parameters:
  ///   - epoch: epochs done at the end of the step, above 0 and at most ``epochs``.
  ///   - scores: what each finished epoch came to, higher is better; only ``Rule/plateau(patience:factor:)`` asks.
  public func factor(epoch: Double, scores: [Double] = []) -> Double {
    if case .oneCycle(let rise, let initial, let final) = rule {
      return epoch < rise
        ? Self.halfCosine(from: initial, to: 1, share: epoch / rise)
        : Self.halfCosine(from: 1, to: final, share: (epoch - rise) / (epochs - rise))
    }
    if epoch < warmup { return epoch / warmup }
    switch rule {
    case .constant, .oneCycle: return 1
    case .step(let every, let factor): return pow(factor, max(0, (epoch / every).rounded(.up) - 1))
    case .exponential(let factor): return pow(factor, epoch - warmup)
    case .cosine(let final, let restarts):
      let current = restarts.last { $0.epoch < epoch }
      let begin = current?.epoch ?? warmup
      let end = restarts.first { $0.epoch >= epoch }?.epoch ?? epochs
      return Self.halfCosine(from: current?.peak ?? 1, to: final, share: (epoch - begin) / (end - begin))
    case .plateau(let patience, let factor): return pow(factor, Double(Self.plateaus(scores, patience: patience)))
    }
  }

  private static func halfCosine(from: Double, to: Double, share: Double) -> Double {
    to + (from - to) * (1 + cos(.pi * min(1, max(0, share)))) / 2
  }

  /// How often `patience` epochs in a row brought no score above the best before.
  private static func plateaus(_ scores: [Double], patience: Int) -> Int {
    var (best, waited, found) = (-Double.infinity, 0, 0)
    for score in scores {
      if score > best {
        (best, waited) = (score, 0)
      } else {
        waited += 1
        if waited == patience { (waited, found) = (0, found + 1) }
      }
    }
    return found
  }
}
