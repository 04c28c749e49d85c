import Foundation
import MienCore
import MienEvaluation
import MienInference
import MienTestSupport
import MienVision
import Testing

@Suite struct CorruptionTests {
  /// A face-like picture: smooth shades with some texture.
  private func face(channels: Int = 1, side: Int = 48) throws -> Image {
    var random = SeededRandom(seed: 3)
    let pixels = (0..<(side * side * channels)).map { index -> UInt8 in
      let (x, y) = (index / channels % side, index / channels / side)
      return UInt8(60 + x + 2 * y * 48 / side + Int(random.uniform() * 40))
    }
    return try Image(width: side, height: side, channels: channels, pixels: pixels)
  }

  private func distance(_ a: Image, _ b: Image) -> Double {
    zip(a.pixels, b.pixels).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(a.pixels.count)
  }

  @Test(arguments: Corruption.Kind.allCases, [1, 3])
  func eachKeepsTheSizeRepeatsAndGrowsWithSeverity(kind: Corruption.Kind, channels: Int) throws {
    let face = try face(channels: channels)
    let distances = try (1...5).map { severity in
      let corruption = try Corruption(kind, severity: severity)
      let result = try corruption.applied(to: face, index: 12)
      #expect(result.width == 48 && result.height == 48 && result.channels == channels)
      #expect(try corruption.applied(to: face, index: 12) == result)
      return distance(face, result)
    }
    #expect(distances[0] > 0.2)
    #expect(zip(distances, distances.dropFirst()).allSatisfy { $0 < $1 }, "\(distances)")
  }

  @Test func allAreFiveSeveritiesOfEightKinds() {
    #expect(Corruption.all.count == 40 && Set(Corruption.all).count == 40)
    #expect(throws: MienError.self) { try Corruption(.blur, severity: 6) }
    #expect(throws: MienError.self) { try Corruption(.blur, severity: 0) }
  }

  @Test func randomPartsDifferBetweenFaces() throws {
    let face = try face()
    for kind in [Corruption.Kind.noise, .occlusion] {
      let corruption = try Corruption(kind, severity: 3)
      #expect(try corruption.applied(to: face, index: 0) != corruption.applied(to: face, index: 1))
    }
    let blur = try Corruption(.blur, severity: 3)
    #expect(try blur.applied(to: face, index: 0) == blur.applied(to: face, index: 1))
  }

  @Test func parametersMeanWhatTheySay() throws {
    let grey = try Image(width: 48, height: 48, channels: 1, pixels: [UInt8](repeating: 100, count: 2304))
    // A flat picture has nothing to blur, turn, shrink or flatten.
    for kind in [Corruption.Kind.blur, .rotation, .lowResolution, .lowContrast] {
      #expect(try Corruption(kind, severity: 5).applied(to: grey, index: 0) == grey)
    }
    #expect(try Corruption(.lowLight, severity: 2).applied(to: grey, index: 0).pixels.allSatisfy { $0 == 50 })
    let noisy = try Corruption(.noise, severity: 2).applied(to: grey, index: 0).pixels.map { Double($0) - 100 }
    let deviation = (noisy.reduce(0) { $0 + $1 * $1 } / 2304).squareRoot()
    // 2,304 draws: the deviation is within 1.5 % of 16 two times in three, within 8 % but once in 10^7.
    #expect(abs(deviation - 16) < 1.3, "\(deviation)")
    let covered = try Corruption(.occlusion, severity: 4).applied(to: grey, index: 0).pixels
    #expect(covered.count { $0 == 128 } == 24 * 24)
  }

  @Test func rotationTurnsBySoMuch() throws {
    // A bright dot right of the centre moves along a circle: its angle tells the turn.
    var pixels = [UInt8](repeating: 0, count: 49 * 49)
    for y in 23...25 { for x in 39...41 { pixels[y * 49 + x] = 255 } }
    let face = try Image(width: 49, height: 49, channels: 1, pixels: pixels)
    let turned = try Corruption(.rotation, severity: 4).applied(to: face, index: 5)
    var (sumX, sumY, sum) = (0.0, 0.0, 0.0)
    for y in 0..<49 {
      for x in 0..<49 {
        let weight = Double(turned.pixels[y * 49 + x])
        (sumX, sumY, sum) = (sumX + weight * Double(x - 24), sumY + weight * Double(y - 24), sum + weight)
      }
    }
    // Rows run downwards: clockwise as one sees it is the greater angle.
    var random = SeededRandom(seed: 2019, stream: 5)
    let degrees = random.uniform() < 0.5 ? 30.0 : -30
    #expect(abs(atan2(sumY / sum, sumX / sum) * 180 / .pi - degrees) < 1)
    #expect(try turned == face.rotated(degrees: -degrees))
  }

  @Test func evaluationMeasuresCorruptedFaces() async throws {
    // PixelGraph reads single white pixels, which a strong blur wipes out.
    let faces = try FaceSet(
      source: "pixels", labelSet: .fer2013, height: 48, width: 48, channels: 1,
      rows: (0..<8).map { .init(label: LabelSet.fer2013.emotions[$0 % 4 + 1], split: .test, sourceRow: $0) },
      pixels: Data((0..<8).flatMap { PixelGraph.face($0 % 4 + 1) }))
    let classifier = try EmotionClassifier(model: PixelGraph.model())
    let clean = try await Evaluation(classifier, on: faces, labels: .own, split: .test)
    let dark = try await Evaluation(
      classifier, on: faces, labels: .own, split: .test, corruption: Corruption(.lowLight, severity: 5))
    #expect(clean.metrics.accuracy == 1 && clean.indices == Array(0..<8))
    #expect(dark.metrics.logLoss > 10 * clean.metrics.logLoss)
  }
}
