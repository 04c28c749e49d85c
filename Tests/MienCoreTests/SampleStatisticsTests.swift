import MienCore
import Testing

@Suite struct SampleStatisticsTests {
  @Test func theDenominatorIsOneLessThanTheCount() {
    let found = SampleStatistics([2, 4, 4, 4, 5, 5, 7, 9])
    // Squares of -3 -1 -1 -1 0 0 2 4 sum to 32.
    #expect(found.mean == 5 && found.variance == 32.0 / 7)
    #expect(found.standardDeviation == (32.0 / 7).squareRoot())
    #expect(SampleStatistics([3, 3, 3]).standardDeviation == 0)
  }

  @Test func fewerThanTwoValuesHaveNoSpread() {
    let one = SampleStatistics([0.25])
    #expect(one.mean == 0.25 && one.variance == nil && one.standardDeviation == nil)
    let none = SampleStatistics([])
    #expect(none.mean == 0 && none.variance == nil)
  }
}
