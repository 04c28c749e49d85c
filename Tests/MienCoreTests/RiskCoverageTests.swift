import MienCore
import Testing

@Suite struct RiskCoverageTests {
  @Test func facesBelowAThresholdAreLeftUnread() throws {
    let coverage = RiskCoverage(
      confidences: [0.95, 0.9, 0.55, 0.4, 0.35], hits: [true, true, false, true, false])
    func at(_ threshold: Double) throws -> RiskCoverage.Point {
      try #require(coverage.table.first { $0.minConfidence == threshold })
    }
    #expect(try at(0).coverage == 1 && at(0).accuracy == 0.6)
    #expect(try at(0.4).coverage == 0.8 && at(0.4).accuracy == 0.75, "a face at the threshold is read")
    #expect(try at(0.5).coverage == 0.6 && at(0.9).accuracy == 1)
    #expect(coverage.curve.map(\.coverage) == [0.2, 0.4, 0.6, 0.8, 1])
    #expect(coverage.curve.last?.accuracy == 0.6)
  }

  @Test func nobodyReadIsUndefined() {
    let coverage = RiskCoverage(confidences: [0.2, 0.2], hits: [true, false])
    #expect(coverage.table.last?.coverage == 0 && coverage.table.last?.accuracy == nil)
    // Faces of one probability are read together.
    #expect(coverage.curve == [coverage.table[0]].map { _ in coverage.curve[0] } && coverage.curve[0].accuracy == 0.5)
  }

  @Test func theCurveStaysShort() {
    var random = SeededRandom(seed: 3)
    let confidences = (0..<20_000).map { _ in random.uniform() }
    let coverage = RiskCoverage(confidences: confidences, hits: confidences.map { $0 > 0.5 })
    #expect((150...202).contains(coverage.curve.count))
    #expect(coverage.curve.last?.coverage == 1 && coverage.curve.first?.accuracy == 1)
    #expect(coverage.curve.map(\.coverage) == coverage.curve.map(\.coverage).sorted())
  }
}
