import Foundation
import Logging
import MienCore
import MienInference
import MienONNX
import Synchronization

/// The models of a server and their profiles. A profile is read from its file when a request names it, and again when the
/// file has changed: what `mien adapt` or a client has fitted counts from the next request on.
final class ModelRegistry: Sendable {
  private struct Key: Hashable {
    let model: String
    let profile: String
  }

  /// What tells one state of a file from another.
  private struct Stamp: Equatable {
    let number: UInt64
    let size: Int
    let seconds: Int
    let nanoseconds: Int

    /// `nil` if there is no such file.
    init?(_ url: URL) {
      var status = stat()
      guard stat(url.path, &status) == 0 else { return nil }
      number = UInt64(status.st_ino)
      size = Int(status.st_size)
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  private struct Kept {
    let reader: ModelReader
    let info: AdaptedHead.Info
    let stamp: Stamp
    var lastUse: ContinuousClock.Instant
  }

  /// Profiles that are held ready.
  private static let capacity = 64

  /// The models, the default one first.
  let models: [ServerModel]
  /// The folder of profiles.
  let store: ProfileStore
  /// The profiles that every client may use; the first is used where a request names none.
  private let offered: [ProfileName]
  /// Whether every client may use every profile: there is only one, as no token is asked for.
  let isOpen: Bool
  private let plain: [String: ModelReader]
  private let adapted = Mutex<[Key: Kept]>([:])
  private let files = NativeQueue(width: 1)
  private let batches: NativeQueue
  private let metrics: Metrics
  private let logger: Logger

  /// Compiles the models, and reads the profiles that are offered.
  ///
  /// - Parameter runs: how many batches run at a time.
  /// - Throws: ``MienError`` if a model or a profile cannot be used.
  init(
    _ models: [ServerModel], profiles offered: [ProfileName], in store: ProfileStore, isOpen: Bool, runs: Int,
    metrics: Metrics, logger: Logger
  ) throws {
    guard !models.isEmpty else { throw MienError(.argument, "--model", "expected a model") }
    self.models = models
    self.offered = offered
    self.store = store
    self.isOpen = isOpen
    self.metrics = metrics
    self.logger = logger
    batches = NativeQueue(width: runs)
    let queue = batches
    plain = Dictionary(
      uniqueKeysWithValues: try models.map {
        ($0.name, try ModelReader($0, queue: queue, metrics: metrics))
      })
    for name in offered {
      let head = try store.head(of: name)
      _ = try load(name, head, for: (model(of: head) ?? models[0]).name, stamp: Stamp(store.url(of: name)))
    }
  }

  /// The model that is read with where a request names none, with the profile that goes with it.
  var standard: ModelReader {
    // There is one for each model.
    get throws { try plain[models[0].name].map { try standard(of: $0) } ?? unknown(models[0].name) }
  }

  /// A model as it is read with where a request names it and no profile.
  func standard(of model: ModelReader) throws -> ModelReader {
    guard let name = offered.first else { return model }
    return try adaptedReader(model.name, name) ?? model
  }

  /// The models as they are, the default one first.
  var readers: [ModelReader] { models.compactMap { plain[$0.name] } }

  /// The model and profile that a request chooses.
  ///
  /// - Throws: ``APIError`` if there is none of these names, or the profile is another model's or another client's.
  func reader(_ choice: ReadingChoice, client: AccessTokens.Client) async throws -> ModelReader {
    if let name = choice.model, plain[name] == nil { return try unknown(name) }
    let named = choice.model.flatMap { plain[$0] }
    switch choice.profile {
    case nil:
      if offered.isEmpty { return try named ?? standard }
      return try await files.run { try named.map { try self.standard(of: $0) } ?? self.standard }
    case "": return try named ?? plain[models[0].name] ?? unknown(models[0].name)
    case let text?:
      let name = try ProfileName(text)
      return try await files.run { try self.reader(named?.name, profile: name, client: client) }
    }
  }

  /// The profiles that a client may use, by name, with what they were made from. Blocks.
  func profiles(of client: AccessTokens.Client) -> [(name: ProfileName, info: AdaptedHead.Info)] {
    store.entries().compactMap { entry in
      guard let name = try? ProfileName(entry.name), case .success(let info) = entry.info,
        isAllowed(name, info, client)
      else { return nil }
      return (name, info)
    }
  }

  /// Checks that a client may write or remove a profile: nobody has it, or it is the client's own and not one that the
  /// operator offers to everybody. Blocks.
  ///
  /// - Throws: ``APIError``.
  func checkOwner(of name: ProfileName, client: AccessTokens.Client) throws {
    if isOpen || !FileManager.default.fileExists(atPath: store.url(of: name).path) { return }
    // Of a file that cannot be read nobody knows whose it is.
    guard !offered.contains(name), let info = try? store.head(of: name).info, info.owner == client else {
      throw APIError.profileTaken
    }
  }

  /// Removes a profile's file. Blocks.
  ///
  /// - Throws: ``APIError`` if the client has no such profile, or may not remove it.
  func remove(_ name: ProfileName, client: AccessTokens.Client) throws {
    guard let info = try? store.head(of: name).info, isAllowed(name, info, client) else { throw APIError.noProfile }
    try checkOwner(of: name, client: client)
    try store.delete(name)
  }

  // MARK: - Profiles

  private func isAllowed(_ name: ProfileName, _ info: AdaptedHead.Info, _ client: AccessTokens.Client) -> Bool {
    isOpen || offered.contains(name) || info.owner == client
  }

  /// A model with a profile that a client asks for. Blocks.
  private func reader(
    _ model: String?, profile name: ProfileName, client: AccessTokens.Client
  ) throws -> ModelReader {
    if offered.contains(name) {
      for model in model.map({ [$0] }) ?? models.map(\.name) {
        if let reader = try adaptedReader(model, name) { return reader }
      }
    }
    let url = store.url(of: name)
    guard let stamp = Stamp(url) else { throw APIError.noProfile }
    if let kept = kept(model, name, stamp) {
      guard isAllowed(name, kept.info, client) else { throw APIError.noProfile }
      return kept.reader
    }
    let head: AdaptedHead
    do { head = try AdaptedHead(contentsOf: url) } catch {
      logger.error("a profile cannot be read", metadata: ["profile": "\(name)", "error": "\(error)"])
      throw APIError.noProfile
    }
    guard isAllowed(name, head.info, client) else { throw APIError.noProfile }
    guard let model = model.map({ name in models.first { $0.name == name } }) ?? self.model(of: head),
      plain[model.name]?.card.weightsSHA256 == head.info.weightsSHA256
    else {
      throw APIError(
        .conflict, "profile_mismatch",
        "The profile was fitted to another model, \(head.info.model); fit it again, or name that model.")
    }
    return try load(name, head, for: model.name, stamp: stamp)
  }

  /// The model that a profile was fitted to.
  private func model(of head: AdaptedHead) -> ServerModel? {
    models.first { plain[$0.name]?.card.weightsSHA256 == head.info.weightsSHA256 }
  }

  /// The default profile of a model; `nil` if that profile is another model's. A file that has gone or cannot be read
  /// leaves what was read of it before: readings do not change without a word.
  private func adaptedReader(_ model: String, _ name: ProfileName) throws -> ModelReader? {
    let last = adapted.withLock { $0[Key(model: model, profile: name.text)] }
    guard let last else { return nil }
    let stamp = Stamp(store.url(of: name))
    if stamp == last.stamp { return last.reader }
    do {
      return try load(name, try store.head(of: name), for: model, stamp: stamp)
    } catch {
      logger.warning(
        "the profile's file has changed and cannot be used; it is read with as it was before",
        metadata: ["profile": "\(name)", "error": "\(error)"])
      if let stamp {
        adapted.withLock {
          $0[Key(model: model, profile: name.text)] = Kept(
            reader: last.reader, info: last.info, stamp: stamp, lastUse: .now)
        }
      }
      return last.reader
    }
  }

  /// What is held ready of a profile, if its file has not changed since.
  private func kept(_ model: String?, _ name: ProfileName, _ stamp: Stamp) -> Kept? {
    adapted.withLock { adapted in
      // A profile is one model's.
      let found = adapted.first { key, kept in
        key.profile == name.text && (model == nil || key.model == model) && kept.stamp == stamp
      }
      guard let found else { return nil }
      adapted[found.key]?.lastUse = .now
      return found.value
    }
  }

  private func load(
    _ name: ProfileName, _ head: AdaptedHead, for model: String, stamp: Stamp?
  ) throws -> ModelReader {
    guard let whole = plain[model] else { return try unknown(model) }
    let reader = try ModelReader(whole, profile: name, head: head, queue: batches, metrics: metrics)
    guard let stamp else { return reader }
    adapted.withLock { adapted in
      let others = adapted.filter { !offered.map(\.text).contains($0.key.profile) }
      if others.count >= Self.capacity, let oldest = others.min(by: { $0.value.lastUse < $1.value.lastUse })?.key {
        adapted[oldest] = nil
      }
      adapted[Key(model: model, profile: name.text)] = Kept(
        reader: reader, info: head.info, stamp: stamp, lastUse: .now)
    }
    return reader
  }

  private func unknown(_ name: String) throws -> ModelReader {
    throw APIError.badRequest("model is one of \(models.map(\.name).joined(separator: ", ")).")
  }
}

extension APIError {
  static let noProfile = APIError(.notFound, "no_profile", "There is no such profile.")
}
