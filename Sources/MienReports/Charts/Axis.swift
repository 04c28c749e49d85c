import Glibc
import MienCore

/// One axis of a chart: the values it spans and where its ticks stand.
struct Axis {
  /// The values from one end to the other.
  let range: ClosedRange<Double>
  /// Round values inside ``range``, rising.
  let ticks: [Double]
  private let decimals: Int
  private let isPercent: Bool

  /// An axis over `values`, widened to round numbers, or over `range` where one is given.
  ///
  /// - Parameters:
  ///   - isPercent: whether values are shares, written as percentages.
  ///   - isWhole: whether ticks stand at whole numbers only.
  ///   - parts: about how many parts ticks divide it into.
  init(
    _ values: some Sequence<Double>, range given: ClosedRange<Double>? = nil, isPercent: Bool = false,
    isWhole: Bool = false, parts: Double = 5
  ) {
    let usable = values.filter(Self.isUsable)
    var low = given?.lowerBound ?? usable.min() ?? 0
    var high = given?.upperBound ?? usable.max() ?? 1
    if high <= low {
      let room = low == 0 ? 0.5 : abs(low) / 2
      (low, high) = (low - room, high + room)
    }
    let step = max(Self.step(near: (high - low) / parts), isWhole ? 1 : 0)
    if given == nil {
      low = (low / step).rounded(.down) * step
      high = (high / step).rounded(.up) * step
      // No share is less than 0 or more than 1.
      if isPercent, usable.allSatisfy((0...1).contains) { (low, high) = (max(0, low), min(1, high)) }
    }
    range = low...high
    let first = (low / step - 1e-9).rounded(.up)
    let last = (high / step + 1e-9).rounded(.down)
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
    decimals = max(0, -Int(floor(log10(isPercent ? step * 100 : step) + 1e-9)))
    self.isPercent = isPercent
  }

  /// Whether a value can be drawn at all.
  static func isUsable(_ value: Double) -> Bool { value.isFinite && abs(value) < 1e9 }

  /// Where `value` lies: 0 at the lower end, 1 at the upper one.
  func position(_ value: Double) -> Double {
    (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  }

  /// What the axis' title adds if it begins above 0, where differences look greater than they are; else empty.
  var startNote: String {
    let start = label(range.lowerBound)
    return range.lowerBound > 0 && start != label(0) ? " (axis from \(start))" : ""
  }

  /// A tick's text.
  func label(_ tick: Double) -> String {
    if isPercent { return NumberText.percent(tick, min(decimals, 6)) }
    return decimals == 0 && abs(tick) < 1e9 ? Int(tick.rounded()).grouped : NumberText.fixed(tick, min(decimals, 6))
  }

  /// 1, 2 or 5 times a power of ten, at least `size`.
  private static func step(near size: Double) -> Double {
    let power = pow(10, floor(log10(max(size, 1e-9))))
    return power * ([1, 2, 5].first { $0 * power >= size * (1 - 1e-9) } ?? 10)
  }
}
