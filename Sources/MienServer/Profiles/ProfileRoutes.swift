import Foundation
import Hummingbird
import MienCore
import MienInference

/// `/v1/profiles`: models fitted to corrections.
struct ProfileRoutes: Sendable {
  /// `nil` if the server keeps no corrections: then nothing can be fitted.
  let corrections: CorrectionStore?
  let models: ModelRegistry
  private let queue = NativeQueue(width: 1)
  /// Fits take a while each: one at a time, and few wait.
  private let admission = Admission(places: 1, capacity: 4)
  private static let patience = 20.0

  init(corrections: CorrectionStore?, models: ModelRegistry) {
    self.corrections = corrections
    self.models = models
  }

  func add(to routes: inout RouteTable) {
    routes.on(.get, "/v1/profiles") { request, context in
      _ = try Query(request)
      let client = context.client
      let profiles = try await queue.run { models.profiles(of: client) }
      return try JSON.response(["profiles": profiles.map { ProfileJSON($0.name, $0.info) }])
    }
    routes.on(.put, "/v1/profiles/{profile}", use: fit)
    routes.on(.delete, "/v1/profiles/{profile}") { request, context in
      _ = try Query(request)
      let (name, client) = (try Self.name(context), context.client)
      try await queue.run { try models.remove(name, client: client) }
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
    let listing = try await corrections.listing(of: name, owner: context.client, withCrops: false)
    guard !listing.corrections.isEmpty else {
      throw APIError(.conflict, "no_corrections", "The profile has no corrections of this client.")
    }
    let (store, made) = (models.store, listing.corrections)
    return try await admission.withPlace(for: context.client, patience: Self.patience) {
      try await context.whileConnected {
        try await queue.run {
          let fitting: ProfileFitting
          do { fitting = try ProfileFitting(name, made, model: model.file) } catch let error as MienError
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
          try models.checkOwner(of: name, client: context.client)
          let head = fitting.head
          try store.write(head, as: name)
          return try JSON.response(ProfileJSON(name, head.info))
        }
      }
    }
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
  static let profileTaken = APIError(
    .conflict, "profile_taken",
    "A profile of this name is another client's or the operator's; only they may change it. Choose another name.")
}
