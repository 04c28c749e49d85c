import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienReports
import MienVision

/// `mien-bench framing --data FACES`: how accuracy depends on how a detected face is cropped.
///
/// A face of a set is enlarged and its border repeated, as if it were part of a photo; the detector finds it, and it is
/// cropped at several sizes and heights about the detector's box, as `mien detect` does with a photo.
struct FramingBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "framing", abstract: "Measures how accuracy depends on how much of a detected face is cropped.")

  @OptionGroup var placed: PlacedFaceOptions

  @Option(help: "Sizes of the crop as multiples of the detector's box.")
  var scales: [Double] = [0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5]

  @Option(help: "Shifts of the crop down, as shares of the anchor's side.")
  var shifts: [Double] = [-0.05, 0, 0.05, 0.1]

  @Option(help: "What the crop is laid about: box or points.", transform: Self.anchor)
  var anchor = ModelCard.Framing.Anchor.box

  @Flag(help: "Turn the crop so that the eyes are level.")
  var turned = false

  func run() async throws {
    let (classifier, labels, found) = try placed.found()
    let plain = try PlacedFace.accuracy(classifier, labels, found.map { ($0.original, $0.label) })
    try Console.print("\(Spelling.counted(found.count, "face")) found by the detector; uncropped: \(percent(plain))")
    let sides = found.map { $0.face.square.side / Double($0.image.width) * PlacedFace.padded }
    let downs = found.map { face in
      (Double(face.image.height) / 2 - face.face.square.center.y) / face.face.square.side
    }
    try Console.print(
      String(
        format: "median: the whole face picture is %.2f boxes wide, its centre %.2f box heights below the box's",
        1 / median(sides), median(downs)))
    var rows: [[String]] = []
    for scale in scales {
      let cells = try shifts.map { shift in
        let framing = ModelCard.Framing(
          anchor: anchor, scale: Float(scale), shiftDown: Float(shift), isTurned: turned)
        let frame = FaceFrame(framing: framing, preprocessing: classifier.card.preprocessing)
        return percent(
          try PlacedFace.accuracy(classifier, labels, found.map { (try frame.face($0.face, of: $0.image), $0.label) }))
      }
      rows.append([String(format: "%.2f", scale)] + cells)
    }
    let header = ["scale"] + shifts.map { String(format: "down %.2f", $0) }
    for row in [header] + rows {
      try Console.print(row.map { $0.padding(toLength: 12, withPad: " ", startingAt: 0) }.joined())
    }
  }

  private static func anchor(_ text: String) throws -> ModelCard.Framing.Anchor {
    guard let anchor = ModelCard.Framing.Anchor(rawValue: text) else {
      throw ValidationError("expected box or points, found \(text)")
    }
    return anchor
  }

  private func percent(_ share: Double) -> String { String(format: "%.2f %%", share * 100) }
  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
