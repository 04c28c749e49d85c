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
        return format.response(layout.header + results.map { $0.csv(layout) }.joined())
      }
      let pictures = results.map { PictureAnswer($0, profile: reader.model.profile?.text, landmarks: landmarks) }
      return input.isList ? try JSON.response(pictures) : try JSON.response(pictures[0])
    }
  }

  /// Reads the pictures of a request, a few at a time. The first waits for its turn as any request does; then the request
  /// is accepted and the others wait as long as it takes.
  private func read(
    _ pictures: [PictureInput.Picture], by reader: InferenceEngine.Reader, _ minConfidence: Float, isList: Bool
  ) async throws -> [PictureResult] {
    @Sendable func result(_ picture: PictureInput.Picture, isAccepted: Bool) async throws -> PictureResult {
      do {
        let reading = try await engine.read(
          picture.data, by: reader, minConfidence: minConfidence, isAccepted: isAccepted)
        return PictureResult(name: picture.name, reading: .success(reading))
      } catch let error as APIError where isList && error.status != .tooManyRequests {
        return PictureResult(name: picture.name, reading: .failure(error))
      }
    }
    var results: [Int: PictureResult] = [:]
    results[0] = try await result(pictures[0], isAccepted: false)
    try await withThrowingTaskGroup(of: (Int, PictureResult).self) { group in
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

/// What came of a picture of a request.
private struct PictureResult: Sendable {
  let name: String?
  let reading: Result<InferenceEngine.Reading, APIError>

  /// Its rows.
  func csv(_ layout: PictureCSV) -> String {
    switch reading {
    case .success(let reading): layout.rows(file: name, faces: reading.faces)
    case .failure(let error): layout.rows(file: name, faces: [], error: error.message)
    }
  }
}

/// A picture in an answer: as `mien detect --json` writes it, and the profile that it was read with, if any.
private struct PictureAnswer: Encodable {
  private let picture: PictureJSON
  private let profile: String?

  private enum Keys: String, CodingKey { case profile }

  init(_ result: PictureResult, profile: String?, landmarks: LandmarkDetail?) {
    self.profile = profile
    switch result.reading {
    case .success(let reading):
      picture = PictureJSON(
        file: result.name, width: reading.width, height: reading.height, faces: reading.faces, landmarks: landmarks,
        warning: reading.warning)
    case .failure(let error): picture = PictureJSON(file: result.name, error: error.message)
    }
  }

  func encode(to encoder: any Encoder) throws {
    try picture.encode(to: encoder)
    var container = encoder.container(keyedBy: Keys.self)
    try container.encodeIfPresent(profile, forKey: .profile)
  }
}
