import Foundation
import Hummingbird
import MienInference

/// `POST /v1/detect`: the faces of pictures.
struct DetectRoutes: Sendable {
  let engine: InferenceEngine
  let bodies: BodyReader

  func add(to routes: inout RouteTable) {
    routes.on(.post, "/v1/detect", use: detect)
  }

  private func detect(_ request: Request, _ context: ServerContext) async throws -> Response {
    let query = try Query(request, "minConfidence", "detector", "landmarks")
    let minConfidence =
      try query.number("minConfidence", in: 0...1).map { Float($0) } ?? FaceReading.standardMinConfidence
    let detector = try query.choice("detector", InferenceEngine.Detector.blazeface)
    let landmarks = try query.text("landmarks").map { _ in try query.choice("landmarks", LandmarkDetail.six) }
    return try await bodies.withPictures(of: request, context) { input in
      let results = try await context.whileConnected {
        try await read(input.pictures, detector, minConfidence, landmarks, isList: input.isList)
      }
      return input.isList ? try JSON.response(results) : try JSON.response(results[0])
    }
  }

  /// Reads the pictures of a request, a few at a time. The first waits for its turn as any request does; then the request
  /// is accepted and the others wait as long as it takes.
  private func read(
    _ pictures: [PictureInput.Picture], _ detector: InferenceEngine.Detector, _ minConfidence: Float,
    _ landmarks: LandmarkDetail?, isList: Bool
  ) async throws -> [PictureJSON] {
    @Sendable func result(_ picture: PictureInput.Picture, isAccepted: Bool) async throws -> PictureJSON {
      do {
        let reading = try await engine.read(
          picture.data, detector: detector, minConfidence: minConfidence, isAccepted: isAccepted)
        return PictureJSON(file: picture.name, reading, landmarks: landmarks)
      } catch let error as APIError where isList && error.status != .tooManyRequests {
        return PictureJSON(file: picture.name, error: error.message)
      }
    }
    var results: [Int: PictureJSON] = [:]
    results[0] = try await result(pictures[0], isAccepted: false)
    try await withThrowingTaskGroup(of: (Int, PictureJSON).self) { group in
      for index in pictures.indices.dropFirst() {
        if index > ProcessInfo.processInfo.activeProcessorCount, let (done, picture) = try await group.next() {
          results[done] = picture
        }
        group.addTask { (index, try await result(pictures[index], isAccepted: true)) }
      }
      for try await (done, picture) in group { results[done] = picture }
    }
    return pictures.indices.compactMap { results[$0] }
  }
}

extension PictureJSON {
  init(file: String?, _ reading: InferenceEngine.Reading, landmarks: LandmarkDetail?) {
    self.init(
      file: file, width: reading.width, height: reading.height, faces: reading.faces, landmarks: landmarks,
      warning: reading.warning)
  }
}
