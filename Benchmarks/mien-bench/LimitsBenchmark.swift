import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienVision

/// `mien-bench limits --data FACES`: how accuracy falls as faces shrink and darken, for the limits of `small` and `dark`.
struct LimitsBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits", abstract: "Measures how accuracy depends on how small and how dark faces are.")

  @OptionGroup var faces: BenchmarkFaces

  @Option(help: "Widths to which faces are shrunk before they are enlarged again, in pixels.")
  var widths: [Int] = [48, 32, 24, 20, 16, 14, 12]

  @Option(help: "Factors by which faces are darkened.")
  var gains: [Double] = [1, 0.5, 0.2, 0.12, 0.08, 0.05, 0.03]

  func run() async throws {
    let (set, classifier, labels, labelled) = try faces.labelled()
    let originals = try labelled.map { (image: try set.image(at: $0.index), label: $0.label) }
    let scale = Double(classifier.card.framing.scale)
    for width in widths {
      let shrunk = try originals.map { face in
        let height = max(1, width * face.image.height / face.image.width)
        let small = try face.image.resized(width: width, height: height)
        return (try small.resized(width: face.image.width, height: face.image.height), face.label)
      }
      let share = try PlacedFace.accuracy(classifier, labels, shrunk)
      try Console.print(
        String(format: "%4.1f pixels from forehead to chin: %.1f %%", Double(width) / scale, 100 * share))
    }
    for gain in gains {
      let darkened = try originals.map { face in
        let pixels = face.image.pixels.map { UInt8((Double($0) * gain).rounded()) }
        return (
          image: try Image(
            width: face.image.width, height: face.image.height, channels: face.image.channels, pixels: pixels),
          label: face.label
        )
      }
      let means = darkened.map { face in
        face.image.pixels.reduce(0) { $0 + Double($1) } / Double(face.image.pixels.count)
      }
      let share = try PlacedFace.accuracy(classifier, labels, darkened)
      try Console.print(
        String(
          format: "mean brightness %5.1f of 255: %.1f %%", means.reduce(0, +) / Double(means.count), 100 * share))
    }
  }
}
