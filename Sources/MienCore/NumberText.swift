extension BinaryInteger {
  /// The number as people read it, with a comma before every three digits: `1,372,705`. Not for JSON and CSV.
  package var grouped: String {
    let digits = Array(String(magnitude))
    return (self < 0 ? "-" : "")
      + digits.indices.map { (($0 > 0 && (digits.count - $0).isMultiple(of: 3)) ? "," : "") + String(digits[$0]) }
      .joined()
  }
}

extension Double {
  /// The number as text, without `.0` if it is whole.
  package var shortText: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}

/// Numbers as people read them: a fixed count of decimals, a point, no locale.
public enum NumberText {
  /// A number with `decimals` decimals; `-` where it is not finite, an exponent from 10^12 on.
  public static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return "-" }
    guard abs(value) < 1e12 else { return "\(value)" }
    let scale = (0..<decimals).reduce(1) { product, _ in product * 10 }
    let rounded = Int((value * Double(scale)).rounded())
    let whole = (rounded < 0 ? "-" : "") + "\(abs(rounded) / scale)"
    guard decimals > 0 else { return whole }
    let fraction = String(abs(rounded) % scale)
    return whole + "." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }

  /// A share in 0…1 as `85.00 %`.
  public static func percent(_ share: Double, _ decimals: Int = 2) -> String {
    share.isFinite ? fixed(share * 100, decimals) + " %" : "-"
  }

  /// The probability of a reading as `98 %`. No reading is certain: one that is neither 0 nor 1 but would round to them is
  /// written as `<1 %` or `>99 %` (`<0.1 %`, `>99.9 %` with one decimal).
  public static func probability(_ probability: some BinaryFloatingPoint, _ decimals: Int = 0) -> String {
    let value = Double(probability)
    let step = (0..<decimals).reduce(0.01) { step, _ in step / 10 }
    switch percent(value, decimals) {
    case percent(0, decimals) where value > 0: return "<" + percent(step, decimals)
    case percent(1, decimals) where value < 1: return ">" + percent(1 - step, decimals)
    case let text: return text
    }
  }

  /// An interval of shares as `85.00 to 87.50 %`.
  package static func range(_ interval: ProportionInterval, _ decimals: Int = 2) -> String {
    "\(fixed(interval.lower * 100, decimals)) to \(percent(interval.upper, decimals))"
  }

  /// A length of time as `4.2 s`, `12 min 5 s` or `1 h 30 min`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "-" }
    if seconds < 60 { return fixed(seconds, 1) + " s" }
    let whole = Int(seconds.rounded())
    return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
