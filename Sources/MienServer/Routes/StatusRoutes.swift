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
    addProbes(to: &routes)
    addModels(to: &routes)
  }

  /// The probes and the metrics, which may have a port of their own.
  func addProbes(to routes: inout RouteTable) {
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
  }

  private func addModels(to routes: inout RouteTable) {
    routes.on(.get, "/version") { _, _ in try JSON.response(VersionJSON(engine.models.standard)) }
    routes.on(.get, "/v1/models") { _, _ in
      let models = engine.models
      return try JSON.response(
        ModelsJSON(
          models: models.readers.map { reader in
            ModelJSON(
              reader, isDefault: reader.name == models.models[0].name,
              profile: try models.standard(of: reader).profile?.text, prior: engine.prior)
          }))
    }
  }

  /// The answer of `/version`: what a program that talks to the server depends on.
  private struct VersionJSON: Encodable {
    let api = StaticFile.contractVersion
    let model: String
    @WrittenNull var profile: String?
    let weightsSHA256: String

    init(_ reader: ModelReader) {
      (model, profile, weightsSHA256) = (reader.name, reader.profile?.text, reader.card.weightsSHA256)
    }
  }

  /// The answer of `/v1/models`.
  private struct ModelsJSON: Encodable {
    let models: [ModelJSON]
  }

  /// A model: the parts of its card that concern those who use it.
  private struct ModelJSON: Encodable {
    let name: String
    /// Whether it reads where a request names no model.
    let isDefault: Bool
    /// The profile that it reads with where a request names none.
    @WrittenNull var profile: String?
    /// The mix of emotions that it expects where a request does not say.
    let prior: String
    let priorStrength: Float
    let summary: String
    let labels: String
    let emotions: [Emotion]
    let parameterCount: Int
    let license: String
    let weightsSHA256: String
    let measurements: [ModelCard.Measurement]

    init(_ reader: ModelReader, isDefault: Bool, profile: String?, prior: ClassPrior) {
      let card = reader.card
      name = reader.name
      self.isDefault = isDefault
      self.profile = profile
      self.prior = prior.text
      priorStrength = prior.strength
      summary = card.summary
      labels = reader.labels.name
      emotions = reader.labels.emotions.sorted()
      parameterCount = card.parameterCount
      license = card.license
      weightsSHA256 = card.weightsSHA256
      measurements = card.measurements
    }

    private enum CodingKeys: String, CodingKey {
      case name
      case isDefault = "default"
      case profile, prior, priorStrength, summary, labels, emotions, parameterCount, license, weightsSHA256
      case measurements
    }
  }
}
