import Foundation
import MienCore
import MienTraining
import Testing

/// Temperatures, and what is said of them.
@Suite struct CalibrationTests {
  private let labels: LabelSet

  init() throws { labels = try LabelSet(name: "three", emotions: [.anger, .happiness, .sadness]) }

  /// Faces whose label is drawn from the softmax of `logits / temperature`, so that this temperature is the right one.
  private func head(count: Int, temperature: Double) -> HeadLogits {
    var generator = SeededRandom(seed: 5)
    var logits: [Float] = []
    var truth: [Int] = []
    for _ in 0..<count {
      let row = (0..<3).map { _ in Double.random(in: -6...6, using: &generator) }
      let weights = row.map { exp($0 / temperature) }
      var rest = Double.random(in: 0..<weights.reduce(0, +), using: &generator)
      var label = 0
      while label < 2, rest >= weights[label] {
        rest -= weights[label]
        label += 1
      }
      logits += row.map(Float.init)
      truth.append(label)
    }
    return HeadLogits(labels: labels, allLogits: logits, truth: truth)
  }

  @Test func temperatureOfOverconfidentLogits() throws {
    let head = head(count: 3000, temperature: 2.5)
    #expect(abs(head.fittedTemperature() - 2.5) < 0.2)
    let raw = try ClassificationMetrics(
      labels: labels, truth: head.truth, probabilities: head.probabilities()
    ).calibration.ece
    let crossFitted = try #require(try head.crossFittedCalibrationError(groups: Array(head.rows)))
    #expect(raw > 0.1)
    #expect(crossFitted < 0.04)
  }

  /// Of five people one is always read wrongly: no temperature that was fitted without that person can know.
  @Test func aPersonsTemperatureIsFittedWithoutThatPerson() throws {
    let people = (0..<500).map { $0 / 100 }
    let head = HeadLogits(
      labels: labels, allLogits: people.flatMap { _ in [Float(4), 0, 0] },
      truth: people.map { $0 == 4 ? 1 : 0 })
    let temperature = head.fittedTemperature()
    let fitted = try ClassificationMetrics(
      labels: labels, truth: head.truth, probabilities: head.probabilities(temperature: temperature)
    ).calibration.ece
    let crossFitted = try #require(try head.crossFittedCalibrationError(groups: people))
    // Fitted on all of them, four fifths of the readings are right, and that is what their probability says.
    #expect(fitted < 0.02)
    #expect(crossFitted > 0.1)
  }

  @Test func fewerThanFivePeopleGiveNoCrossFittedError() throws {
    let head = head(count: 40, temperature: 1)
    #expect(try head.crossFittedCalibrationError(groups: head.rows.map { $0 % 4 }) == nil)
  }

  @Test func facesWithoutALabelAreLeftOut() {
    let head = HeadLogits(
      labels: labels, allLogits: [1, 2, 3, 4, 5, 6, 7, 8, 9], truth: [nil, 2, nil])
    #expect(head.rows == [1])
    #expect(head.logits == [4, 5, 6])
  }
}
