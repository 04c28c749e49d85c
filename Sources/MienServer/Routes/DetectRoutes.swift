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
    let query = try Query(request, ["minConfidence", "landmarks", "format"] + ReadingChoice.names)
    let minConfidence =
      try query.number("minConfidence", in: 0...1).map { Float($0) } ?? FaceReading.standardMinConfidence
    let landmarks = try query.text("landmarks").map { _ in try query.choice("landmarks", LandmarkDetail.six) }
    let format = try AnswerFormat(query, accept: request.headers[.accept], or: .json)
    let reader = try await engine.reader(ReadingChoice(query), client: context.client)
    return try await bodies.withPictures(of: request, context) { input in
      let results = try await context.whileConnected {
        try await read(input.pictures, by: reader, minConfidence, isList: input.isList)
      }
      if format == .csv {
        let layout = PictureCSV(labels: reader.model.labels, landmarks: landmarks)
        return format.response(layout.header + results.map(layout.rows).joined())
      }
      let pictures = results.map { PictureAnswer(picture: $0, profile: reader.model.profile?.text) }
      return input.isList
        ? try JSON.response(pictures, landmarks: landmarks) : try JSON.response(pictures[0], landmarks: landmarks)
    }
  }

  /// Reads the pictures of a request, a few at a time. The first waits for its turn as any request does; then the request
  /// is accepted and the others wait as long as it takes.
  private func read(
    _ pictures: [PictureInput.Picture], by reader: InferenceEngine.Reader, _ minConfidence: Float, isList: Bool
  ) async throws -> [PictureReadings] {
    @Sendable func result(_ picture: PictureInput.Picture, isAccepted: Bool) async throws -> PictureReadings {
      do {
        let reading = try await engine.read(
          picture.data, by: reader, minConfidence: minConfidence, isAccepted: isAccepted)
        return PictureReadings(
          file: picture.name, width: reading.width, height: reading.height, faces: reading.faces,
          warning: reading.warning)
      } catch let error as APIError where isList && error.status != .tooManyRequests {
        return PictureReadings(file: picture.name, error: error.message)
      }
    }
    var results: [Int: PictureReadings] = [:]
    results[0] = try await result(pictures[0], isAccepted: false)
    try await withThrowingTaskGroup(of: (Int, PictureReadings).self) { group in
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

/// A picture in an answer: as `mien detect --json` writes it, and the profile that it was read with, if any.
private struct PictureAnswer: Encodable {
  let picture: PictureReadings
  let profile: String?

  private enum Keys: String, CodingKey { case profile }

  func encode(to encoder: any Encoder) throws {
    try picture.encode(to: encoder)
    var container = encoder.container(keyedBy: Keys.self)
    try container.encodeIfPresent(profile, forKey: .profile)
  }
}
