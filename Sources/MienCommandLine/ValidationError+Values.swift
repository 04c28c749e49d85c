package import ArgumentParser
import Foundation

// What is said of the values of options: the option, what was found, and what was expected.
extension ValidationError {
  /// Checks the value of an option that takes numbers from `least` on.
  ///
  /// - Parameters:
  ///   - value: `nil` if the option was not given.
  ///   - unit: what the number counts, in the plural; empty for nothing.
  /// - Throws: ``ValidationError``, as `--min-face 3: expected at least 12 pixels`.
  package static func check(_ value: Int?, of option: String, atLeast least: Int, _ unit: String = "") throws {
    guard let value, value < least else { return }
    throw ValidationError("\(option) \(value): expected at least \(least)\(unit.isEmpty ? "" : " \(unit)")")
  }

  /// Checks the value of an option that takes 0…1.
  ///
  /// - Throws: ``ValidationError``, as `--min-confidence 50: expected a number from 0 to 1, such as 0.5`.
  package static func check(share value: Double?, of option: String) throws {
    guard let value, !(0...1).contains(value) else { return }
    throw ValidationError("\(option) \(number(value)): expected a number from 0 to 1, such as 0.5")
  }

  /// Checks the value of an option that takes numbers between two, neither of them included.
  ///
  /// - Parameter value: `nil` if the option was not given.
  /// - Throws: ``ValidationError``, as `--crop-scale 20: expected a number above 0.1 and below 10`.
  package static func check(
    _ value: Double?, of option: String, above least: Double, below most: Double = .infinity
  ) throws {
    guard let value, !(value > least && value < most) else { return }
    throw ValidationError(
      "\(option) \(number(value)): expected a number above \(number(least))"
        + (most.isFinite ? " and below \(number(most))" : ""))
  }

  /// A number as people type it: 50, where Swift says 50.0.
  private static func number(_ value: Double) -> String { String(format: "%g", value) }
}
