import Foundation
import Hummingbird
import MienCore
import MienInference
import MienONNX
import MienVision

/// `/v1/corrections`: what users say that faces show.
struct CorrectionRoutes: Sendable {
  /// Nil where the server was not told to keep corrections: then every request is refused.
  let store: CorrectionStore?
  let engine: InferenceEngine
  let bodies: BodyReader

  /// Corrections of one answer at most.
  private static let pageSize = 1000

  func add(to routes: inout RouteTable) {
    routes.on(.post, "/v1/corrections", use: add)
    routes.on(.get, "/v1/corrections", use: list)
    routes.on(.delete, "/v1/corrections", use: deleteProfile)
    routes.on(.delete, "/v1/corrections/{id}", use: deleteOne)
  }

  private func open() throws -> CorrectionStore {
    guard let store else { throw APIError.notKept }
    return store
  }

  /// Takes the picture again, and which of its faces is meant, rather than an embedding: what is stored is what this
  /// model makes of the face.
  private func add(_ request: Request, _ context: ServerContext) async throws -> Response {
    let store = try open()
    let query = try Query(request, ["profile", "emotion", "crop", "model", "detector", "minFace"] + Query.boxNames)
    let profile = try Self.profile(query)
    // The query's profile is whose correction it is, not what the face is read with.
    var choice = try ReadingChoice(query)
    choice.profile = nil
    let reader = try await engine.reader(choice, client: context.client)
    let labels = reader.model.labels
    guard let emotion = try query.emotion(of: labels) else {
      throw APIError.badRequest("The query names no emotion: what the face shows.")
    }
    let box = try query.box()
    let keepsCrop = try query.flag("crop") ?? false
    return try await bodies.withPictures(of: request, context, limit: 1) { input in
      let picture = input.pictures[0].data
      let face = try await context.whileConnected {
        try await engine.embedded(picture, box: box, by: reader)
      }
      let correction = Correction(
        profile: profile, owner: context.client, emotion: emotion, readEmotion: face.distribution.top.emotion,
        readProbability: face.distribution.top.probability, labels: labels.name,
        weightsSHA256: reader.model.card.weightsSHA256, embedding: face.embedding, crop: keepsCrop ? face.crop : nil)
      let stored = try await Self.changing { try await store.add(correction) }
      return try JSON.response(CorrectionJSON(stored), status: .created)
    }
  }

  private func list(_ request: Request, _ context: ServerContext) async throws -> Response {
    let store = try open()
    let query = try Query(request, "profile", "after", "limit")
    let profile = try query.text("profile").map { _ in try Self.profile(query) }
    let after = try query.integer("after", in: 0...Int.max) ?? 0
    let limit = try query.integer("limit", in: 1...Self.pageSize) ?? Self.pageSize
    let found = try await store.listing(
      of: profile, owner: context.client, after: Int64(after), limit: limit)
    for id in found.unreadable {
      context.logger.warning(
        "a correction cannot be read and is left out",
        metadata: ["id": "\(id)", "remedy": "\(CorrectionStore.deletion(of: id, in: store.url))"])
    }
    return try JSON.response(
      Page(
        corrections: found.corrections.map { CorrectionJSON($0) },
        unreadable: found.unreadable.isEmpty ? nil : found.unreadable, next: found.hasMore ? found.last : nil))
  }

  private func deleteProfile(_ request: Request, _ context: ServerContext) async throws -> Response {
    let store = try open()
    let profile = try Self.profile(try Query(request, "profile"))
    let count = try await Self.changing { try await store.delete(profile: profile, owner: context.client) }
    return try JSON.response(["deleted": count])
  }

  private func deleteOne(_ request: Request, _ context: ServerContext) async throws -> Response {
    let store = try open()
    _ = try Query(request)
    guard let id = context.parameters.get("id").flatMap({ Int(decimal: $0) }),
      try await Self.changing({ try await store.delete(id: Int64(id), owner: context.client) })
    else { throw APIError(.notFound, "not_found", "There is no such correction.") }
    return Response(status: .noContent)
  }

  /// Changes the store.
  ///
  /// - Throws: ``APIError/diskFull`` if there is no room on the disk, which SQLite needs also to delete.
  private static func changing<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let error as MienError where error.kind == .limit { throw APIError.diskFull }
  }

  private struct Page: Encodable {
    let corrections: [CorrectionJSON]
    /// The numbers of rows that hold something else than a correction; absent if there are none.
    let unreadable: [Int64]?
    /// What to ask for `after`; absent at the end.
    let next: Int64?
  }

  static func profile(_ query: Query) throws -> ProfileName {
    guard let name = query.text("profile") else {
      throw APIError.badRequest("The query names no profile, whose corrections these are: profile=NAME.")
    }
    do { return try ProfileName(name) } catch let error as MienError {
      throw APIError.badRequest("profile: \(error.message).")
    }
  }
}

extension InferenceEngine {
  /// A face as the network sees it, and what it makes of it.
  struct EmbeddedFace: Sendable {
    let embedding: [Float]
    let distribution: EmotionDistribution
    /// A PNG file.
    let crop: Data
  }

  /// Reads one face of an encoded picture, as ``read(_:by:minConfidence:isAccepted:)`` does.
  ///
  /// - Parameter box: where the face is, in pixels of the upright picture; nil where it fills the picture.
  /// - Throws: ``APIError`` where there is no room, the picture cannot be read, or the box is not inside it.
  func embedded(_ data: Data, box: Box?, by reader: Reader) async throws -> EmbeddedFace {
    let (classifier, labels) = (reader.model.classifier, reader.model.labels)
    return try await framed(data, box: box, by: reader) { face, _ in
      let output = try classifier.predictions(
        for: classifier.card.preprocessing.input(face), count: 1, outputs: [labels.name, ONNXModel.embeddingName])
      guard let embedding = output[ONNXModel.embeddingName], let distribution = try output.distributions(labels).first
      else { throw MienError(.native, classifier.card.name, "gave no embedding") }
      return EmbeddedFace(
        embedding: Array(embedding.row(0)), distribution: try reader.reweighted(distribution),
        crop: try face.encoded(as: .png))
    }
  }
}
