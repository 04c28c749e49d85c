import Foundation
import Hummingbird
import MienCore
import MienInference
import MienVision

/// `POST /v1/explain`: which regions of a face support an emotion.
struct ExplainRoutes: Sendable {
  let engine: InferenceEngine
  let bodies: BodyReader

  func add(to routes: inout RouteTable) {
    routes.on(.post, "/v1/explain", use: explain)
  }

  private func explain(_ request: Request, _ context: ServerContext) async throws -> Response {
    let query = try Query(request, ["emotion", "model", "profile", "detector", "minFace"] + Query.boxNames)
    let reader = try await engine.reader(ReadingChoice(query), client: context.client)
    let emotion = try query.emotion(of: reader.model.labels)
    let box = try query.box()
    return try await bodies.withPictures(of: request, context, limit: 1) { input in
      let picture = input.pictures[0].data
      let answer = try await context.whileConnected {
        try await explanation(of: picture, box: box, emotion, by: reader)
      }
      return try JSON.response(answer)
    }
  }

  private func explanation(
    of picture: Data, box: Box?, _ emotion: Emotion?, by reader: InferenceEngine.Reader
  ) async throws -> ExplanationJSON {
    let (classifier, labels) = (try reader.model.classifier(prior: reader.prior), reader.model.labels)
    return try await engine.framed(picture, box: box, by: reader) { face, square in
      let found = try classifier.maps(
        of: emotion.map { [$0] } ?? [], for: classifier.card.preprocessing.input(face), count: 1, labels: labels)
      guard let face = found.first, let map = face.maps.first else {
        throw MienError(.native, classifier.card.name, "gave no map")
      }
      return ExplanationJSON(
        emotion: map.emotion, method: classifier.mapMethods(labels)[0].rawValue,
        scores: face.distribution.scores,
        area: .init(square),
        map: .init(width: map.width, height: map.height, values: map.values.map { ($0 * 1000).rounded() / 1000 }))
    }
  }

  private struct ExplanationJSON: Encodable, Sendable {
    let emotion: Emotion
    let method: String
    let scores: [Emotion: Float]
    /// What of the picture the map covers, in pixels; it may reach over the picture's edge.
    let area: Area
    let map: Map

    struct Area: Encodable, Sendable {
      let x: Double
      let y: Double
      let side: Double
      /// How far it is turned clockwise about its centre, as the head is.
      let degrees: Double

      /// The square to hundredths.
      init(_ square: TurnedSquare) {
        func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
        (x, y) = (rounded(square.center.x - square.side / 2), rounded(square.center.y - square.side / 2))
        (side, degrees) = (rounded(square.side), rounded(square.degrees))
      }
    }

    struct Map: Encodable, Sendable {
      let width: Int
      let height: Int
      /// [height, width] row by row, 0…1.
      let values: [Float]
    }
  }
}
