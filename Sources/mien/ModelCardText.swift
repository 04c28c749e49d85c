import Foundation
import MienCore
import MienReports

/// A model's card as people read it.
struct ModelCardText {
  private let card: ModelCard
  private let place: String

  /// Lays out the card of the model in the file `place`.
  init(_ card: ModelCard, place: String) { (self.card, self.place) = (card, place) }

  /// The lines to print.
  var lines: [String] {
    let input = card.preprocessing
    let colour = input.channels == 1 ? "grey" : "colour"
    var lines = [card.name, card.summary, ""]
    func fact(_ name: String, _ text: String) {
      if !text.isEmpty { lines.append(Console.padded(name, 18) + text) }
    }
    fact("file", place)
    fact("network", "\(card.architecture), \(card.parameterCount.grouped) parameters")
    fact("reads", "\(colour) faces of \(input.width)x\(input.height)\(input.equalize ? ", histogram equalised" : "")")
    fact("framing", framing)
    for output in card.outputs {
      fact("labels \(output.name)", output.emotions.map(\.rawValue).joined(separator: ", "))
    }
    for data in card.training { fact("trained on", data.text) }
    fact("run", "seed \(card.seed), weights of epoch \(card.epochs)")
    fact("licence", card.license)
    fact("weights", card.weightsSHA256)
    guard !card.measurements.isEmpty else { return lines }
    let distinct = card.measurements.map(\.note).filter { !$0.isEmpty }.reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let hasMarks = distinct.count > 1
    let isCalibrated = card.measurements.contains { $0.calibrationError != nil }
    var table = TextTable(
      header: ["measured on", "labels", "faces", "accuracy", "balanced"] + (isCalibrated ? ["calibration error"] : [])
        + (hasMarks ? ["note"] : []))
    for measurement in card.measurements {
      let calibration = measurement.calibrationError.map { NumberText.percent($0) } ?? "-"
      let mark = distinct.firstIndex(of: measurement.note).map { "\($0 + 1)" } ?? ""
      let names = Spelling.wrapped("\(measurement.source) \(measurement.split)", width: 40)
      table.add(
        [
          names.first ?? "", measurement.labels, measurement.count.grouped,
          NumberText.percent(measurement.accuracy), NumberText.percent(measurement.balancedAccuracy),
        ] + (isCalibrated ? [calibration] : []) + (hasMarks ? [mark] : []))
      for name in names.dropFirst() { table.add(["  " + name]) }
    }
    let notes = distinct.enumerated().map { hasMarks ? "\($0 + 1): \($1)" : "(\($1))" }
    let calibration =
      "calibration error: by cross-fitting in five parts; `mien evaluate` gives slightly different values on these faces"
    return lines + [""] + table.text.split(separator: "\n").map(String.init)
      + notes + (isCalibrated ? ["(\(calibration))"] : [])
  }

  private var framing: String {
    let framing = card.framing
    let anchor = framing.anchor == .box ? "the detector's box" : "the square of the eyes and the mouth"
    let shift =
      framing.shiftDown == 0
      ? "" : ", \(NumberText.percent(Double(abs(framing.shiftDown)), 0)) \(framing.shiftDown > 0 ? "lower" : "higher")"
    let turned = framing.isTurned ? ", turned upright" : ""
    return "\(NumberText.fixed(Double(framing.scale), 2)) times \(anchor)\(shift)\(turned)"
  }
}
