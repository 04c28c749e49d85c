import Foundation
import Hummingbird
import MienCore
import MienInference

/// `/v1/profiles`: models fitted to corrections.
struct ProfileRoutes: Sendable {
  /// `nil` if the server keeps no corrections: then nothing can be fitted.
  let corrections: CorrectionStore?
  let models: ModelRegistry
  /// Decides whose profile is fitted.
  let admission: Admission
  private let fitting = NativeQueue(width: 1)
  /// Profiles are listed and removed while another one is fitted.
  private let files = NativeQueue(width: 1)
  /// Seconds that a fit waits for its turn.
  private static let patience = 20.0
  /// Corrections of a fit at most: these take about five seconds of a core.
  private static let maximumCorrections = 5000

  init(corrections: CorrectionStore?, models: ModelRegistry, admission: Admission) {
    self.corrections = corrections
    self.models = models
    self.admission = admission
  }

  func add(to routes: inout RouteTable) {
    routes.on(.get, "/v1/profiles") { request, context in
      _ = try Query(request)
      let client = context.client
      let profiles = try await files.run { models.profiles(of: client) }
      return try JSON.response(["profiles": profiles.map { ProfileJSON($0.name, $0.info) }])
    }
    routes.on(.put, "/v1/profiles/{profile}", use: fit)
    routes.on(.delete, "/v1/profiles/{profile}") { request, context in
      _ = try Query(request)
      let (name, client) = (try Self.name(context), context.client)
      try await files.run { try models.remove(name, client: client) }
      return Response(status: .noContent)
    }
  }

  /// Fits a model to the client's corrections of a profile; the next request that names the profile reads by it.
  private func fit(_ request: Request, _ context: ServerContext) async throws -> Response {
    let query = try Query(request, "model", "force")
    let name = try Self.name(context)
    let isForced = try query.flag("force") ?? false
    guard let corrections else { throw APIError.notKept }
    var choice = ReadingChoice()
    choice.model = query.text("model")
    choice.profile = ""
    let reader = try await models.reader(choice, client: context.client)
    guard let model = models.models.first(where: { $0.name == reader.name }) else { throw APIError.noProfile }
    let listing = try await corrections.listing(
      of: name, owner: context.client, limit: Self.maximumCorrections, withCrops: false)
    guard !listing.corrections.isEmpty else {
      throw APIError(.conflict, "no_corrections", "The profile has no corrections of this client.")
    }
    guard !listing.hasMore else {
      throw APIError(
        .conflict, "too_many_corrections",
        "A profile is fitted to \(Self.maximumCorrections.grouped) corrections at most, this one has more; delete some of them."
      )
    }
    let (client, made) = (context.client, listing.corrections)
    return try await context.whileConnected {
      try await admission.withPlace(for: client, patience: Self.patience) {
        try await fitting.run {
          let head = try Self.head(name, made, model, isForced: isForced)
          try NativeQueue.checkCancellation()
          try models.keep(head, as: name, of: client)
          return try JSON.response(ProfileJSON(name, head.info))
        }
      }
    }
  }

  /// Fits `model` to corrections. Blocks.
  ///
  /// - Throws: ``APIError`` if the model cannot be fitted to them, or reads them worse after.
  private static func head(
    _ name: ProfileName, _ corrections: [Correction], _ model: ServerModel, isForced: Bool
  ) throws -> AdaptedHead {
    let fitting: ProfileFitting
    do { fitting = try ProfileFitting(name, corrections, model: model.file) } catch let error as MienError
      where error.kind == .mismatch
    {
      throw APIError(.conflict, "not_adaptable", "The model cannot be fitted: \(error.message).")
    }
    let check = fitting.check
    guard isForced || !check.isWorse else {
      throw APIError(
        .conflict, "worse",
        "With the profile, \(check.after.correct.grouped) of \(check.count.grouped) corrections would be read right (log loss "
          + "\(NumberText.fixed(check.after.logLoss, 3))), without it \(check.before.correct.grouped) (log loss "
          + "\(NumberText.fixed(check.before.logLoss, 3))): it is not kept. force=true keeps it all the same.")
    }
    return fitting.head
  }

  private static func name(_ context: ServerContext) throws -> ProfileName {
    do { return try ProfileName(context.parameters.get("profile") ?? "") } catch let error as MienError {
      throw APIError.badRequest("profile: \(error.message).")
    }
  }

  /// A profile: what its file says of itself.
  private struct ProfileJSON: Encodable {
    let profile: String
    let model: String
    let weightsSHA256: String
    let created: String
    let corrections: Int
    let before: AdaptationCheck.Score
    let after: AdaptationCheck.Score
    /// How far the readings of ordinary faces change on average, in nats.
    let divergence: Double

    init(_ name: ProfileName, _ info: AdaptedHead.Info) {
      (profile, model, weightsSHA256) = (name.text, info.model, info.weightsSHA256)
      created = JSON.text(info.created)
      corrections = info.correctionCount
      (before, after) = (info.check.before, info.check.after)
      divergence = info.divergence
    }
  }
}

extension APIError {
  static let notKept = APIError(
    .notFound, "not_kept", "This server keeps no corrections; `mien serve --corrections FILE` does.")
}
