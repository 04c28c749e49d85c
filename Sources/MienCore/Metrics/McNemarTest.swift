import Glibc

/// Whether two classifiers that saw the same faces differ by more than chance (McNemar, Psychometrika 1947): of the
/// faces that exactly one of them gets right, each should be right about half of the time.
///
/// Faces of one person or sequence are not independent. Where groups are given, the test is the exact sign-flip test on
/// the groups' differences: if both classifiers are equally good, each group's difference could as well be the other way
/// round. With one face per group that is McNemar's test.
public struct McNemarTest: Sendable, Equatable, Codable {
  /// Faces that both get right.
  public let bothRight: Int
  /// Faces that only the first gets right.
  public let onlyFirst: Int
  /// Faces that only the second gets right.
  public let onlySecond: Int
  /// Faces that both get wrong.
  public let bothWrong: Int
  /// The exact two-sided probability, 0…1, of a difference at least as large as that of ``onlyFirst`` and ``onlySecond``
  /// if both are equally good; 1 if they never differ.
  public let pValue: Double
  /// What is independent in the test.
  public let unit: SamplingUnit

  /// Compares two lists of hits, one entry per face.
  ///
  /// - Parameter clusters: [N] which faces belong together; nil if all are independent.
  /// - Throws: ``MienError`` if the lists differ in length or are empty.
  public init(first: [Bool], second: [Bool], clusters: FaceClusters? = nil) throws {
    guard first.count == second.count, !first.isEmpty, clusters.map({ $0.groups.count == first.count }) ?? true else {
      throw MienError(.mismatch, nil, "expected results for the same faces, found \(first.count) and \(second.count)")
    }
    func count(_ a: Bool, _ b: Bool) -> Int { zip(first, second).count { $0 == (a, b) } }
    bothRight = count(true, true)
    onlyFirst = count(true, false)
    onlySecond = count(false, true)
    bothWrong = count(false, false)
    let groups = clusters.flatMap { $0.count < first.count ? $0 : nil }
    unit = groups?.unit ?? .face
    if let groups {
      var differences = [Int](repeating: 0, count: groups.count)
      for (entry, group) in groups.groups.enumerated() {
        differences[group] += (first[entry] ? 1 : 0) - (second[entry] ? 1 : 0)
      }
      pValue = Self.signFlip(differences)
    } else {
      pValue = Self.twoSided(onlyFirst, onlySecond)
    }
  }

  /// The share of all choices of signs of `differences` whose sum is at least as far from 0 as theirs.
  private static func signFlip(_ differences: [Int]) -> Double {
    let sizes = differences.map(abs).filter { $0 > 0 }
    let observed = abs(differences.reduce(0, +))
    let most = sizes.reduce(0, +)
    guard observed > 0 else { return 1 }
    // The distribution of the sum, from -most to most, a group at a time.
    var shares = [Double](repeating: 0, count: 2 * most + 1)
    shares[most] = 1
    var reach = 0
    for size in sizes {
      var next = [Double](repeating: 0, count: shares.count)
      for place in (most - reach)...(most + reach) where shares[place] > 0 {
        next[place - size] += shares[place] / 2
        next[place + size] += shares[place] / 2
      }
      reach += size
      shares = next
    }
    let tail = shares[...(most - observed)].reduce(0, +)
    return min(1, 2 * tail)
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
