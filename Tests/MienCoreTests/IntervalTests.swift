import MienCore
import Testing

/// Intervals and tests by person or sequence.
@Suite struct IntervalTests {
  /// `groups` people with `size` faces each; of the first `right` people every face is right.
  private func people(_ groups: Int, size: Int, right: Int) -> (hits: [Bool], clusters: FaceClusters) {
    let keys = (0..<(groups * size)).map { $0 / size }
    return (keys.map { $0 < right }, FaceClusters(unit: .person, keys: keys))
  }

  @Test func manyFacesOfFewPeopleSayLittle() {
    let (hits, clusters) = people(20, size: 50, right: 10)
    let byFace = ProportionInterval(successes: 500, of: 1000)
    let byPerson = ProportionInterval(hits: hits, clusters: clusters)
    #expect(byFace.upper - byFace.lower < 0.07)
    // As for 20 trials: the standard error is the root of 0.25 / 20.
    #expect(abs(byPerson.lower - 0.29) < 0.04 && abs(byPerson.upper - 0.71) < 0.04, "\(byPerson)")
    #expect(ProportionInterval(hits: hits, clusters: clusters) == byPerson, "the draws have a fixed seed")
  }

  @Test func fewPeopleHaveTheIntervalOfAsManyFaces() {
    let (hits, clusters) = people(2, size: 50, right: 1)
    #expect(ProportionInterval(hits: hits, clusters: clusters) == ProportionInterval(successes: 1, of: 2))
  }

  @Test func independentFacesHaveTheScoreInterval() {
    let hits = (0..<40).map { $0 % 4 != 0 }
    let clusters = FaceClusters(unit: .person, keys: Array(0..<40))
    #expect(ProportionInterval(hits: hits, clusters: clusters) == ProportionInterval(successes: 30, of: 40))
  }

  @Test func whatCannotBeDrawnIsNotCertain() {
    for right in [0, 12] {
      let (hits, clusters) = people(12, size: 5, right: right)
      #expect(
        ProportionInterval(hits: hits, clusters: clusters) == ProportionInterval(successes: right, of: 12))
    }
    let (hits, clusters) = people(1, size: 9, right: 1)
    #expect(ProportionInterval(hits: hits, clusters: clusters) == ProportionInterval(successes: 1, of: 1))
    let none = ProportionInterval(hits: [], clusters: FaceClusters(unit: .person, keys: []))
    #expect(none.lower == 0 && none.upper == 1)
  }

  @Test func groupsAreThoseOfTheSet() throws {
    func set(_ rows: [(subject: String?, sequence: String?)]) throws -> FaceSet {
      try FaceSet(
        source: "s", labelSet: .fer2013, height: 1, width: 1, channels: 1,
        rows: rows.enumerated().map {
          .init(label: .anger, split: .test, subject: $1.subject, sequence: $1.sequence, sourceRow: $0)
        }, pixels: .init(repeating: 1, count: rows.count))
    }
    let people = try set([("a", "1"), ("b", "2"), ("a", "3"), (nil, "4"), (nil, "5")]).clusters(of: [4, 0, 1, 2, 3])
    #expect(people.unit == .person && people.groups == [0, 1, 2, 1, 3] && people.count == 4)
    let sequences = try set([(nil, "1"), (nil, "1"), (nil, "2")]).clusters(of: [0, 1, 2])
    #expect(sequences.unit == .sequence && sequences.groups == [0, 0, 1])
    // A face that several seeds measured is one.
    let faces = try set([(nil, nil), (nil, nil)]).clusters(of: [0, 1, 0])
    #expect(faces.unit == .face && faces.groups == [0, 1, 0] && faces.count == 2)
    #expect(SamplingUnit.person.counted(118) == "118 people" && SamplingUnit.face.counted(1) == "1 face")
  }

  @Test func recallHasAnIntervalWhereThereAreFaces() throws {
    let labels = try LabelSet(name: "l", emotions: [.anger, .fear, .neutral])
    let metrics = try ClassificationMetrics(
      labels: labels, truth: [0, 0, 0, 1], probabilities: [1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0])
    let intervals = metrics.recallIntervals()
    #expect(intervals[0] == ProportionInterval(successes: 2, of: 3) && intervals[2] == nil)
    let report = EvaluationReport(metrics, model: "m", weightsSHA256: "", data: "d", split: nil)
    let neutral = try #require(report.perClass[.neutral])
    #expect(neutral.precision == nil && neutral.recall == nil && neutral.recallInterval == nil && neutral.f1 == nil)
    #expect(String(decoding: try report.json(), as: UTF8.self).contains(#""precision" : null"#))
    #expect(metrics.classes[2].predictedCount == 0 && metrics.classes[1].predictedCount == 2)
  }

  /// The sum over groups of +-difference, by trying all signs.
  private func plainSignFlip(_ differences: [Int]) -> Double {
    let observed = abs(differences.reduce(0, +))
    let extreme = (0..<(1 << differences.count)).count { signs in
      abs(differences.enumerated().reduce(0) { $0 + ((signs >> $1.offset) & 1 == 1 ? $1.element : -$1.element) })
        >= observed
    }
    return Double(extreme) / Double(1 << differences.count)
  }

  @Test(arguments: [[3, 1, -2, 4], [1, 1, 1, 1, 1], [5], [2, -2], [4, 3, 3, -1, 2, 2, 0, 1], [0, 0]])
  func differencesByPersonAreTestedExactly(differences: [Int]) throws {
    var (first, second, keys): ([Bool], [Bool], [Int]) = ([], [], [])
    for (person, difference) in differences.enumerated() {
      // A face that both get right, and as many as differ.
      first += [true] + [Bool](repeating: difference > 0, count: abs(difference))
      second += [true] + [Bool](repeating: difference < 0, count: abs(difference))
      keys += [Int](repeating: person, count: abs(difference) + 1)
    }
    let test = try McNemarTest(
      first: first, second: second, clusters: FaceClusters(unit: .person, keys: keys))
    #expect(abs(test.pValue - plainSignFlip(differences)) < 1e-12, "\(test.pValue)")
    #expect(test.difference == Double(differences.reduce(0, +)) / Double(keys.count))
  }

  @Test func alikeFacesOfOnePersonAreNoEvidence() throws {
    // One person's hundred faces, all of which the first alone gets right.
    let hits = [Bool](repeating: true, count: 100)
    let others = [Bool](repeating: false, count: 100)
    let byFace = try McNemarTest(first: hits, second: others)
    let byPerson = try McNemarTest(
      first: hits, second: others, clusters: FaceClusters(unit: .person, keys: [Int](repeating: 0, count: 100)))
    #expect(byFace.pValue < 1e-20 && byFace.unit == .face)
    #expect(byPerson.pValue == 1 && byPerson.unit == .person)
    #expect(throws: MienError.self) {
      try McNemarTest(first: hits, second: others, clusters: FaceClusters(unit: .person, keys: [1]))
    }
  }
}
