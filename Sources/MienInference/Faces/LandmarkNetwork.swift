import Glibc
import MienResources
import MienVision

/// MediaPipe's face mesh (Kartynnik et al. 2019): the 468 points of a face in a square picture, and whether there is one.
final class LandmarkNetwork: Sendable {
  private let network: FaceNetwork
  private static let size = FaceNetwork.Size(width: 192, height: 192)
  private static let points = "conv2d_20"
  private static let logit = "conv2d_30"

  /// How much larger than the face the square is that the network looks at.
  private static let surroundings = 1.5

  init(cache: NetworkCache) {
    network = FaceNetwork(
      FaceNetwork.Source(
        name: "face_landmark 2efcb4f4de43c761",
        read: { try .embedded(Resource.data(Resource.faceLandmarks)) },
        input: "input_1", encoding: .rgb(scale: 1 / 255, offset: 0)), cache: cache)
  }

  func prepare() throws { try network.prepared(Self.size) }

  /// The points of the face in `square`; `nil` if the network gives no finite numbers.
  func landmarks(in square: TurnedSquare, of picture: PictureCopies) throws -> FaceLandmarks? {
    let looked = square.moved(scale: Self.surroundings)
    guard looked.side >= 1, looked.side <= 1_000_000 else { return nil }
    let side = Self.size.width
    let crop = try picture.crop(looked, size: side).rgb
    let (values, logit) = try network.run(crop.pixels, Self.size) { request in
      (
        try request.output(Self.points, count: 3 * FaceLandmarks.count),
        Double(try request.output(Self.logit, count: 1)[0])
      )
    }
    let scale = looked.side / Double(side)
    let (sine, cosine) = (sin(looked.degrees * .pi / 180) * scale, cos(looked.degrees * .pi / 180) * scale)
    let points = (0..<FaceLandmarks.count).map { index in
      let x = Double(values[3 * index]) - Double(side) / 2
      let y = Double(values[3 * index + 1]) - Double(side) / 2
      return FaceLandmarks.Point3(
        x: looked.center.x + x * cosine - y * sine, y: looked.center.y + x * sine + y * cosine,
        z: Double(values[3 * index + 2]) * scale)
    }
    return FaceLandmarks(points: points, probability: 1 / (1 + exp(-logit)))
  }
}
