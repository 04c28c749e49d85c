import Foundation
import MienCore
import Testing

/// One case of `Fixtures/metrics.json`, made by scripts/golden/metrics.py with scikit-learn.
struct MetricsCase: Decodable, Sendable, CustomTestStringConvertible {
  struct Curve: Decodable {
    let fpr, tpr: [Double]
  }
  struct Calibrated: Decodable {
    struct Bin: Decodable {
      let count: Int
      let confidence, accuracy: Double?
    }
    let ece: Double
    let bins: [Bin]
  }
  let name: String
  let classes: [Emotion]
  let truth: [Int]
  let probabilities: [Float]
  let confusion: [[Int]]
  let accuracy, balancedAccuracy, macroPrecision, macroRecall, macroF1, logLoss: Double
  let precision, recall, f1: [Double]
  let support: [Int]
  let auc: [Double?]
  let roc: [Curve?]
  let calibration: Calibrated
  var testDescription: String { name }

  func measured() throws -> ClassificationMetrics {
    try ClassificationMetrics(
      labels: LabelSet(name: name, emotions: classes), truth: truth, probabilities: probabilities)
  }

  static let all: [MetricsCase] = {
    struct File: Decodable { let cases: [MetricsCase] }
    return (try? Fixtures.decode("metrics.json", as: File.self).cases) ?? []
  }()
}

/// Whether two numbers are equal to a part in 10^9, or both nil.
func isClose(_ a: Double?, _ b: Double?, _ tolerance: Double = 1e-9) -> Bool {
  guard let a, let b else { return a == nil && b == nil }
  return abs(a - b) <= tolerance * max(1, abs(a), abs(b))
}

@Suite struct MetricsGoldenTests {
  @Test func fixtureIsThere() { #expect(MetricsCase.all.count == 5) }

  @Test(arguments: MetricsCase.all) func figuresEqualScikitLearn(_ golden: MetricsCase) throws {
    let metrics = try golden.measured()
    #expect(metrics.confusion == golden.confusion)
    #expect(isClose(metrics.accuracy, golden.accuracy))
    #expect(isClose(metrics.balancedAccuracy, golden.balancedAccuracy))
    #expect(isClose(metrics.macroPrecision, golden.macroPrecision))
    #expect(isClose(metrics.macroRecall, golden.macroRecall))
    #expect(isClose(metrics.macroF1, golden.macroF1))
    // scikit-learn clips in 32 bits, where 1 - 2^-23 is rounded.
    #expect(isClose(metrics.logLoss, golden.logLoss, 1e-6))
    for (index, scores) in metrics.classes.enumerated() {
      #expect(isClose(scores.precision, golden.precision[index]))
      #expect(isClose(scores.recall, golden.recall[index]))
      #expect(isClose(scores.f1, golden.f1[index]))
      #expect(isClose(scores.auc, golden.auc[index]), "\(golden.classes[index])")
      #expect(scores.support == golden.support[index])
    }
  }

  @Test(arguments: MetricsCase.all) func curvesEqualScikitLearn(_ golden: MetricsCase) throws {
    let metrics = try golden.measured()
    for (emotion, expected) in zip(golden.classes, golden.roc) {
      let curve = metrics.rocCurve(of: emotion)
      #expect((curve == nil) == (expected == nil))
      guard let curve, let expected else { continue }
      try #require(curve.points.count == expected.fpr.count)
      for (point, rates) in zip(curve.points, zip(expected.fpr, expected.tpr)) {
        #expect(isClose(point.falsePositiveRate, rates.0) && isClose(point.truePositiveRate, rates.1))
      }
    }
  }

  @Test(arguments: MetricsCase.all) func calibrationEqualsNumPy(_ golden: MetricsCase) throws {
    let calibration = try golden.measured().calibration
    #expect(isClose(calibration.ece, golden.calibration.ece))
    try #require(calibration.bins.count == golden.calibration.bins.count)
    for (bin, expected) in zip(calibration.bins, golden.calibration.bins) {
      #expect(bin.count == expected.count)
      #expect(isClose(bin.confidence, expected.confidence) && isClose(bin.accuracy, expected.accuracy))
    }
  }
}

@Suite struct CalibrationIntervalTests {
  /// 30 people of 10 faces: of half of them all are read rightly, of the others none. All are surest of the first class.
  @Test func binsHaveIntervalsByPerson() throws {
    let labels = try LabelSet(name: "two", emotions: [.happiness, .neutral])
    let people = (0..<300).map { $0 / 10 }
    let truth = people.map { $0 % 2 }
    let metrics = try ClassificationMetrics(
      labels: labels, truth: truth, probabilities: truth.flatMap { _ in [Float(0.9), 0.1] })
    let clusters = FaceClusters(unit: .person, keys: people)
    let (byFace, byPerson) = (metrics.calibration, metrics.calibration(clusters))
    let bin = try #require(byPerson.bins.firstIndex { $0.count == 300 })
    #expect(byFace.bins[bin].accuracyInterval == ProportionInterval(successes: 150, of: 300))
    // All faces are in one bin, so it has the interval of the whole.
    #expect(byPerson.bins[bin].accuracyInterval == metrics.accuracyInterval(clusters))
    #expect(byPerson.ece == byFace.ece && byPerson.bins[bin].accuracy == 0.5)
    for (index, entry) in byPerson.bins.enumerated() where index != bin { #expect(entry.accuracyInterval == nil) }
    let report = EvaluationReport(
      metrics, model: "m", weightsSHA256: "ab", data: "d", split: nil, clusters: clusters,
      corruptions: [
        CorruptionResult(
          name: "blur", severity: 1, parameter: "sigma", value: 1, metrics: metrics, clusters: clusters)
      ])
    #expect(report.calibration == byPerson)
    #expect(report.corruptions?.first?.accuracyInterval == report.accuracyInterval)
  }

  /// Each bin's interval is of its own people only.
  @Test func aBinIsMeasuredByThePeopleInIt() throws {
    let labels = try LabelSet(name: "two", emotions: [.happiness, .neutral])
    let people = (0..<300).map { $0 / 10 }
    let top = people.map { Float($0 < 15 ? 0.9 : 0.6) }
    let truth = people.map { $0 % 3 == 0 ? 1 : 0 }
    let metrics = try ClassificationMetrics(labels: labels, truth: truth, probabilities: top.flatMap { [$0, 1 - $0] })
    let calibration = metrics.calibration(FaceClusters(unit: .person, keys: people))
    let used = calibration.bins.filter { $0.count > 0 }
    #expect(used.map(\.count) == [150, 150])
    let half = ProportionInterval(
      hits: truth.prefix(150).map { $0 == 0 }, clusters: FaceClusters(unit: .person, keys: Array(people.prefix(150))))
    #expect(used.last?.accuracyInterval == half)
  }
}

@Suite struct MetricsPropertyTests {
  /// Predictions of random quality and class balance, with many ties.
  func sample(seed: UInt64) throws -> (labels: LabelSet, truth: [Int], probabilities: [Float]) {
    var random = SeededRandom(seed: seed)
    let labels = seed.isMultiple(of: 2) ? LabelSet.ferplus : .ckplus48
    let count = 1 + Int(random.uniform() * 60)
    var truth: [Int] = []
    var probabilities: [Float] = []
    for _ in 0..<count {
      let label = min(Int(random.uniform() * random.uniform() * Float(labels.count)), labels.count - 1)
      let raw = labels.emotions.indices.map { (4 * random.uniform()).rounded() + ($0 == label ? 1.25 : 0.25) }
      let sum = raw.reduce(0, +)
      truth.append(label)
      probabilities += raw.map { $0 / sum }
    }
    return (labels, truth, probabilities)
  }

  @Test(arguments: UInt64(0)..<40) func figuresEqualAPlainVersion(seed: UInt64) throws {
    let (labels, truth, p) = try sample(seed: seed)
    let metrics = try ClassificationMetrics(labels: labels, truth: truth, probabilities: p)
    let k = labels.count
    let rows = truth.indices.map { Array(p[($0 * k)..<(($0 + 1) * k)]) }
    let predictions = rows.map { row in row.indices.first { row[$0] == row.max() } }
    #expect(metrics.predictions == predictions)
    #expect(metrics.confusion.joined().reduce(0, +) == truth.count)
    #expect(isClose(metrics.accuracy, Double(zip(truth, predictions).count { $0 == $1 }) / Double(truth.count)))
    var recalls: [Double] = []
    for label in 0..<k {
      let own = truth.indices.filter { truth[$0] == label }
      let rest = truth.indices.filter { truth[$0] != label }
      if !own.isEmpty { recalls.append(Double(own.count { predictions[$0] == label }) / Double(own.count)) }
      // Mann and Whitney: the area is the chance that a positive scores above a negative.
      var wins = 0.0
      for a in own {
        for b in rest { wins += rows[a][label] > rows[b][label] ? 1 : rows[a][label] == rows[b][label] ? 0.5 : 0 }
      }
      let area = own.isEmpty || rest.isEmpty ? nil : wins / Double(own.count * rest.count)
      #expect(isClose(metrics.classes[label].auc, area))
    }
    #expect(isClose(metrics.balancedAccuracy, recalls.reduce(0, +) / Double(recalls.count)))
    #expect(metrics.calibration.bins.reduce(0) { $0 + $1.count } == truth.count)
    #expect((0...1).contains(metrics.calibration.ece))
    #expect(metrics.accuracyInterval.lower <= metrics.accuracy && metrics.accuracy <= metrics.accuracyInterval.upper)
  }

  @Test func curvesRiseFromCornerToCorner() throws {
    let (labels, truth, p) = try sample(seed: 7)
    let metrics = try ClassificationMetrics(labels: labels, truth: truth, probabilities: p)
    for emotion in labels.emotions {
      guard let points = metrics.rocCurve(of: emotion)?.points else { continue }
      #expect(points.first.map { [$0.falsePositiveRate, $0.truePositiveRate] } == [0, 0])
      #expect(points.last.map { [$0.falsePositiveRate, $0.truePositiveRate] } == [1, 1])
      for (a, b) in zip(points, points.dropFirst()) {
        #expect(a.threshold > b.threshold)
        #expect(a.falsePositiveRate <= b.falsePositiveRate && a.truePositiveRate <= b.truePositiveRate)
      }
    }
  }

  @Test func wilsonIntervalsEqualSciPy() throws {
    struct Interval: Decodable {
      let successes, count: Int
      let lower, upper: Double
    }
    struct File: Decodable { let intervals: [Interval] }
    let golden = try Fixtures.decode("metrics.json", as: File.self).intervals
    #expect(golden.count == 5)
    for expected in golden {
      let interval = ProportionInterval(successes: expected.successes, of: expected.count)
      #expect(isClose(interval.lower, expected.lower) && isClose(interval.upper, expected.upper))
    }
    let unknown = ProportionInterval(successes: 0, of: 0)
    #expect(unknown.lower == 0 && unknown.upper == 1)
  }
}

@Suite struct MetricsRefusalTests {
  let two: LabelSet

  init() throws { two = try LabelSet(name: "two", emotions: [.happiness, .neutral]) }

  @Test(
    arguments: [
      ([], [], "no face"), ([0], [0.5], "expected 1 x 2"), ([2], [0.5, 0.5], "label 2"),
      ([-1], [0.5, 0.5], "label -1"),
      ([0], [.nan, 0.5], "face 0"), ([0, 0], [1, 0, 1.5, -0.5], "face 1"), ([0], [0.5, 0.4], "the sum 1"),
    ] as [([Int], [Float], String)])
  func unfitInputIsRefused(truth: [Int], probabilities: [Float], words: String) {
    let error = #expect(throws: MienError.self) {
      try ClassificationMetrics(labels: two, truth: truth, probabilities: probabilities)
    }
    #expect(error?.message.contains(words) == true, "\(String(describing: error))")
  }

  @Test func reportHasTheContractsKeys() throws {
    let metrics = try ClassificationMetrics(labels: two, truth: [0, 0], probabilities: [0.9, 0.1, 0.2, 0.8])
    let report = EvaluationReport(
      metrics, model: "mien-s", weightsSHA256: "ab", data: "mine", split: nil, missingClasses: [.fear])
    let json = try #require(try JSONSerialization.jsonObject(with: report.json()) as? [String: Any])
    #expect(
      Set(json.keys) == [
        "count", "accuracy", "accuracyInterval", "balancedAccuracy", "macroF1", "loss", "classes", "confusion",
        "perClass", "calibration", "weightsSHA256", "labels", "split", "model", "data", "missingClasses", "coverage",
        "intervalUnit", "intervalGroups",
      ])
    let happiness = try #require((json["perClass"] as? [String: [String: Any]])?["happiness"])
    #expect(Set(happiness.keys) == ["precision", "recall", "recallInterval", "f1", "auc", "support"])
    #expect(happiness["auc"] is NSNull)
    #expect(json["confusion"] as? [[Int]] == [[1, 1], [0, 0]])
    let bins = try #require((json["calibration"] as? [String: Any])?["bins"] as? [[String: Any]])
    #expect(bins.count == 15)
    let keys: Set = ["lower", "upper", "count", "confidence", "accuracy", "accuracyInterval"]
    #expect(bins.allSatisfy { Set($0.keys) == keys })
    #expect(try JSONDecoder().decode(EvaluationReport.self, from: report.json()) == report)
  }

  @Test func reportSaysWhichPriorWasUsed() throws {
    let metrics = try ClassificationMetrics(labels: two, truth: [0, 0], probabilities: [0.9, 0.1, 0.2, 0.8])
    func report(_ prior: ClassPrior) -> EvaluationReport {
      EvaluationReport(metrics, model: "m", weightsSHA256: "", data: "d", split: nil, prior: prior)
    }
    let even = try report(ClassPrior(.uniform, strength: 0.3))
    let json = try #require(try JSONSerialization.jsonObject(with: even.json()) as? [String: Any])
    #expect(json["prior"] as? String == "uniform" && json["priorStrength"] as? Double == 0.3)
    #expect(even.notes.contains("Read with the prior uniform, strength 0.3."))
    #expect(try JSONDecoder().decode(EvaluationReport.self, from: even.json()) == even)
    let unchanged = try [report(.data), report(ClassPrior(.uniform, strength: 0))]
    #expect(unchanged.allSatisfy { $0.prior == nil && $0.priorStrength == nil && $0.notes == report(.data).notes })
  }
}
