import Foundation
import Hummingbird
import MienCore
import MienInference

/// What operators and their programs ask: is it alive, does it take work, what does it count, which version and model
/// is it.
struct StatusRoutes: Sendable {
  let engine: InferenceEngine
  let metrics: Metrics
  let places: ConnectionPlaces
  let isStopping: @Sendable () -> Bool

  func add(to routes: inout RouteTable) {
    routes.on(.get, "/healthz") { _, _ in try JSON.response(["status": "alive"]) }
    routes.on(.get, "/readyz") { _, _ in
      guard !isStopping() else { throw APIError(.serviceUnavailable, "stopping", "The server is stopping.") }
      guard !engine.admission.isFull, !places.areTaken else {
        throw APIError(.serviceUnavailable, "busy", "The server is busy.", headers: [.retryAfter: "1"])
      }
      return try JSON.response(["status": "ready"])
    }
    routes.on(.get, "/metrics") { _, _ in
      Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.text)))
    }
    routes.on(.get, "/version") { _, _ in try JSON.response(VersionJSON(engine.recognizer.classifier.card)) }
    routes.on(.get, "/v1/models") { _, _ in try JSON.response(ModelsJSON(models: [ModelJSON(engine.recognizer)])) }
  }

  /// The answer of `/version`: what a program that talks to the server depends on.
  private struct VersionJSON: Encodable {
    let api = StaticFile.contractVersion
    let model: String
    let weightsSHA256: String

    init(_ card: ModelCard) { (model, weightsSHA256) = (card.name, card.weightsSHA256) }
  }

  /// The answer of `/v1/models`.
  private struct ModelsJSON: Encodable {
    let models: [ModelJSON]
  }

  /// The model in use: the parts of its card that concern those who use it.
  private struct ModelJSON: Encodable {
    let name: String
    let summary: String
    let labels: String
    let emotions: [Emotion]
    let parameterCount: Int
    let license: String
    let weightsSHA256: String
    let measurements: [ModelCard.Measurement]

    init(_ recognizer: Recognizer) {
      let card = recognizer.classifier.card
      name = card.name
      summary = card.summary
      labels = recognizer.labels.name
      emotions = recognizer.labels.emotions.sorted()
      parameterCount = card.parameterCount
      license = card.license
      weightsSHA256 = card.weightsSHA256
      measurements = card.measurements
    }
  }
}
