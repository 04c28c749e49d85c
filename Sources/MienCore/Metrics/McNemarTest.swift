import Glibc

/// Whether two classifiers that saw the same faces differ by more than chance (McNemar, Psychometrika 1947): of the
/// faces that exactly one of them gets right, each should be right about half of the time.
public struct McNemarTest: Sendable, Equatable, Codable {
  /// Faces that both get right.
  public let bothRight: Int
  /// Faces that only the first gets right.
  public let onlyFirst: Int
  /// Faces that only the second gets right.
  public let onlySecond: Int
  /// Faces that both get wrong.
  public let bothWrong: Int
  /// The exact two-sided binomial probability, 0…1, of a split at least as uneven as that of ``onlyFirst`` and
  /// ``onlySecond`` where both are equally good; 1 where they never differ.
  public let pValue: Double

  /// Compares two lists of hits, one entry a face.
  ///
  /// - Throws: ``MienError`` where the lists differ in length or are empty.
  public init(first: [Bool], second: [Bool]) throws {
    guard first.count == second.count, !first.isEmpty else {
      throw MienError(.mismatch, nil, "expected results for the same faces, found \(first.count) and \(second.count)")
    }
    func count(_ a: Bool, _ b: Bool) -> Int { zip(first, second).count { $0 == (a, b) } }
    bothRight = count(true, true)
    onlyFirst = count(true, false)
    onlySecond = count(false, true)
    bothWrong = count(false, false)
    pValue = Self.twoSided(onlyFirst, onlySecond)
  }

  /// How many faces.
  public var count: Int { bothRight + onlyFirst + onlySecond + bothWrong }
  /// The first's accuracy minus the second's, -1…1.
  public var difference: Double { Double(onlyFirst - onlySecond) / Double(count) }

  /// Twice the smaller tail of a binomial with probability 1/2, at most 1. Summed from the tail's largest term down, in
  /// logarithms, so that it holds for any count.
  private static func twoSided(_ a: Int, _ b: Int) -> Double {
    let n = a + b
    guard n > 0 else { return 1 }
    // ln of "k of n", from k to k + 1 by (n - k) / (k + 1).
    var logarithm = -Double(n) * log(2.0)
    var logarithms = [logarithm]
    for k in 0..<min(a, b) {
      logarithm += log(Double(n - k) / Double(k + 1))
      logarithms.append(logarithm)
    }
    return min(1, 2 * logarithms.reversed().reduce(0) { $0 + exp($1) })
  }
}
