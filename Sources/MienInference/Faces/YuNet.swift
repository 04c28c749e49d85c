import Foundation
import MienCore
import MienONNX
import MienVision

/// YuNet (Wu, Peng and Yu 2023), as OpenCV's `FaceDetectorYN` runs it: at strides of 8, 16 and 32 pixels a class and an
/// object score, a box and five points. The file is the user's.
final class YuNet: FaceSearch {
  let name: String
  let sureScore = 0.85
  let leastScore = 0.3
  private let network: FaceNetwork

  private static let strides = [8, 16, 32]

  /// Reads the file and checks that its outputs are YuNet's.
  ///
  /// - Throws: ``MienError`` that names the file and says what was expected.
  init(contentsOf url: URL, cache: NetworkCache) throws {
    name = url.path
    var card: ModelCard?
    do {
      let model = try ONNXModel(contentsOf: url)
      card = try? model.unverifiedCard()
      guard model.inputs.count == 1, let input = model.inputs.first else {
        throw MienError(.mismatch, nil, "it has \(model.inputs.count) inputs")
      }
      network = FaceNetwork(
        FaceNetwork.Source(
          name: "yunet " + SHA256.hexadecimal(of: model.data),
          read: { try model.data.withUnsafeBytes { try NetworkGraph(onnx: $0) } }, input: input.name,
          encoding: .bgrPlanes), cache: cache)
      // A size that every part of a picture has at least: the outputs are checked before a picture is read.
      _ = try run([UInt8](repeating: 0, count: 64 * 64 * 3), FaceNetwork.Size(width: 64, height: 64))
    } catch let error as MienError {
      if error.kind == .missing { throw error }
      // What OpenVINO says of a network that is none of YuNet's is of use to nobody.
      var reason = error.kind == .native ? "" : "; \(error.message)"
      if card != nil { reason = "; it is a model that reads faces, which --model takes" }
      throw MienError(
        error.kind == .native ? .mismatch : error.kind, url.relativePath,
        "is not a YuNet face detector: expected an ONNX file with an input [1, 3, H, W] and the outputs cls_S, obj_S, "
          + "bbox_S and kps_S for S of 8, 16 and 32, such as face_detection_yunet_2023mar.onnx of OpenCV's model zoo "
          + "(github.com/opencv/opencv_zoo)\(reason)")
    }
  }

  func prepare(_ size: FaceNetwork.Size) throws { _ = try network.prepared(size) }

  func candidates(_ pixels: [UInt8], _ size: FaceNetwork.Size) throws -> [FaceCandidate] {
    try run(pixels, size)
  }

  private func run(_ pixels: [UInt8], _ size: FaceNetwork.Size) throws -> [FaceCandidate] {
    try network.run(pixels, size) { request in
      var found: [FaceCandidate] = []
      for stride in Self.strides {
        let (columns, rows) = (size.width / stride, size.height / stride)
        let count = columns * rows
        let classes = try request.output("cls_\(stride)", count: count)
        let objects = try request.output("obj_\(stride)", count: count)
        let boxes = try request.output("bbox_\(stride)", count: 4 * count)
        let points = try request.output("kps_\(stride)", count: 10 * count)
        for cell in 0..<count {
          let score = (Double(max(0, min(1, classes[cell]))) * Double(max(0, min(1, objects[cell])))).squareRoot()
          guard score >= leastScore else { continue }
          let (column, row) = (Double(cell % columns), Double(cell / columns))
          func point(_ index: Int) -> Point {
            Point(
              x: (column + Double(points[10 * cell + 2 * index])) * Double(stride),
              y: (row + Double(points[10 * cell + 2 * index + 1])) * Double(stride))
          }
          let (right, left) = (point(3), point(4))
          let mouth = Point(x: (right.x + left.x) / 2, y: (right.y + left.y) / 2)
          // The first point is the person's right eye, on the picture's left.
          let six = FacePoints(leftEye: point(0), rightEye: point(1), nose: point(2), mouth: mouth)
          let width = exp(Double(boxes[4 * cell + 2])) * Double(stride)
          let height = exp(Double(boxes[4 * cell + 3])) * Double(stride)
          let center = Point(
            x: (column + Double(boxes[4 * cell])) * Double(stride),
            y: (row + Double(boxes[4 * cell + 1])) * Double(stride))
          let candidate = FaceCandidate(
            score: score, square: TurnedSquare(center: center, side: max(width, height), degrees: six.degrees),
            points: six)
          if candidate.isFinite { found.append(candidate) }
        }
      }
      return found
    }
  }
}
