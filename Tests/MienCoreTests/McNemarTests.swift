import MienCore
import Testing

@Suite struct McNemarTests {
  /// Hits of two classifiers that differ on `onlyFirst` + `onlySecond` faces and agree on ten more.
  private func test(_ onlyFirst: Int, _ onlySecond: Int) throws -> McNemarTest {
    let shared = [true, true, true, false, false, false, false, false, false, false]
    func hits(_ first: Bool) -> [Bool] {
      shared + [Bool](repeating: first, count: onlyFirst) + [Bool](repeating: !first, count: onlySecond)
    }
    return try McNemarTest(first: hits(true), second: hits(false))
  }

  /// From scripts/golden/mcnemar.py, by SciPy's binomtest.
  @Test(arguments: [
    (0, 0, 1.0), (1, 0, 1.0), (5, 5, 1.0), (3, 9, 0.14599609375), (10, 2, 0.03857421875),
    (0, 20, 1.9073486328125e-06), (59, 85, 0.036852264522837415), (121, 59, 4.4344492637551645e-06),
    (4000, 3800, 0.024238383243788044), (2000, 0, 0.0),
  ])
  func exactProbabilitiesEqualSciPy(onlyFirst: Int, onlySecond: Int, expected: Double) throws {
    let result = try test(onlyFirst, onlySecond)
    #expect(abs(result.pValue - expected) <= 1e-9 * expected, "\(result.pValue)")
    #expect(try test(onlySecond, onlyFirst).pValue == result.pValue)
  }

  @Test func facesAreCountedByWhoIsRight() throws {
    let result = try test(4, 1)
    #expect(result.bothRight == 3 && result.onlyFirst == 4 && result.onlySecond == 1 && result.bothWrong == 7)
    #expect(result.count == 15 && abs(result.difference - 0.2) < 1e-12)
  }

  @Test func listsThatDoNotFitAreRefused() {
    #expect(throws: MienError.self) { try McNemarTest(first: [true], second: [true, false]) }
    #expect(throws: MienError.self) { try McNemarTest(first: [], second: []) }
  }
}
