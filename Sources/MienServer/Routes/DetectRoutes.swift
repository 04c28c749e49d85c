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
    let query = try Query(request, "minConfidence", "detector")
    let minConfidence = Float(try query.number("minConfidence", in: 0...1) ?? 0)
    let detector = try query.choice("detector", InferenceEngine.Detector.blazeface)
    try PictureInput.checkContentType(of: request)
    return try await bodies.withBody(of: request, limit: bodies.limits.bodyBytes) { body in
      let input = try PictureInput(request, body: body, limit: bodies.limits.pictures)
      guard input.isForm else {
        let reading = try await engine.read(body, detector: detector, minConfidence: minConfidence)
        return try JSON.response(PictureJSON(file: nil, reading))
      }
      let results = try await read(input.pictures, detector, minConfidence)
      return try JSON.response(results)
    }
  }

  /// Reads the pictures of a form, a few at a time. The first waits for its turn as any request does; then the request
  /// is accepted and the others wait as long as it takes.
  private func read(
    _ pictures: [PictureInput.Picture], _ detector: InferenceEngine.Detector, _ minConfidence: Float
  ) async throws -> [PictureJSON] {
    @Sendable func result(_ picture: PictureInput.Picture, isAccepted: Bool) async throws -> PictureJSON {
      do {
        let reading = try await engine.read(
          picture.data, detector: detector, minConfidence: minConfidence, isAccepted: isAccepted)
        return PictureJSON(file: picture.name, reading)
      } catch let error as APIError where error.status != .tooManyRequests {
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
  init(file: String?, _ reading: InferenceEngine.Reading) {
    self.init(file: file, width: reading.width, height: reading.height, faces: reading.faces)
  }
}
