import Foundation
import MienResources
import MienVision

/// MediaPipe's full-range face detector (Bazarevsky et al. 2019): a score, a box and six points at every fourth pixel.
final class BlazeFace: FaceSearch {
  let name = "blazeface"
  let sureScore = 0.75
  let leastScore = 0.1
  private let network: FaceNetwork

  private static let stride = 4
  private static let boxes = "reshaped_regressor_face_4"
  private static let scores = "reshaped_classifier_face_4"

  init(cache: NetworkCache) {
    network = FaceNetwork(
      FaceNetwork.Source(
        name: "face_detection_full_range 99bf9494d84f50ac",
        read: { try .embedded(Resource.data(Resource.faceDetector)) },
        input: "input", encoding: .rgb(scale: 2 / 255, offset: -1), isConvolutional: true,
        rounds: true), cache: cache)
  }

  func prepare(_ size: FaceNetwork.Size) throws { try network.prepared(size) }

  func candidates(_ pixels: [UInt8], _ size: FaceNetwork.Size) throws -> [FaceCandidate] {
    let (columns, rows) = (size.width / Self.stride, size.height / Self.stride)
    let leastLogit = Float(log(leastScore / (1 - leastScore)))
    return try network.run(pixels, size) { request in
      let logits = try request.output(Self.scores, count: columns * rows)
      // NaN is no face.
      let cells = logits.indices.filter { logits[$0] >= leastLogit }
      guard !cells.isEmpty else { return [] }
      let values = try request.output(Self.boxes, count: columns * rows * 16)
      return cells.compactMap { cell in
        let (x, y) = (
          (Double(cell % columns) + 0.5) * Double(Self.stride), (Double(cell / columns) + 0.5) * Double(Self.stride)
        )
        func value(_ index: Int) -> Double { Double(values[cell * 16 + index]) }
        func point(_ index: Int) -> Point { Point(x: x + value(index), y: y + value(index + 1)) }
        let points = FacePoints(
          leftEye: point(4), rightEye: point(6), nose: point(8), mouth: point(10), leftEar: point(12),
          rightEar: point(14))
        let candidate = FaceCandidate(
          score: 1 / (1 + exp(-Double(logits[cell]))),
          square: TurnedSquare(center: point(0), side: (value(2) + value(3)) / 2, degrees: points.degrees),
          points: points)
        return candidate.isFinite ? candidate : nil
      }
    }
  }
}
