import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienVision

/// `mien-bench pose --data FACES`: how accuracy depends on how far a head is turned, by the landmarks' own estimate.
struct PoseBenchmark: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pose", abstract: "Measures how accuracy depends on how far heads are turned to the side.")

  @OptionGroup var placed: PlacedFaceOptions

  @Option(help: "The upper ends of the ranges of yaw to either side, in degrees.")
  var limits: [Double] = [15, 30, 45, 55, 65, 90]

  func run() async throws {
    let (classifier, labels, found) = try placed.found()
    let frame = FaceFrame(card: classifier.card)
    let hits = try PlacedFace.hits(
      classifier, labels, found.map { (try frame.face($0.face, of: $0.image), $0.label) })
    let turned = zip(found, hits).compactMap { face, hit in
      (face.face.landmarks?.pose).map { (yaw: abs($0.yaw), hit: hit) }
    }
    try Console.print(
      "\(found.count) faces found, of \(turned.count) the pose is known; \(Self.share(hits)) of all are classified correctly"
    )
    var low = 0.0
    for limit in limits.sorted() {
      let part = turned.filter { $0.yaw >= low && $0.yaw < limit }.map(\.hit)
      try Console.print(
        String(format: "yaw %2.0f to %2.0f degrees: %4d faces, ", low, limit, part.count) + Self.share(part))
      low = limit
    }
  }

  private static func share(_ hits: [Bool]) -> String {
    guard !hits.isEmpty else { return "-" }
    let right = hits.count { $0 }
    let interval = ProportionInterval(successes: right, of: hits.count)
    return String(
      format: "%.1f %% (%.1f to %.1f %%)", 100 * Double(right) / Double(hits.count), 100 * interval.lower,
      100 * interval.upper)
  }
}
