import Foundation
import Logging
import MienCore
import MienInference
import MienONNX
import Synchronization

/// The models of a server and their profiles. A profile is read from its file when a request names it, and again when the
/// file has changed: what `mien adapt` or a client has fitted counts from the next request on.
///
/// Each client has names of its own for the profiles that it fits, and they come before the operator's.
final class ModelRegistry: Sendable {
  private struct Key: Hashable {
    let model: String
    /// The profile's file.
    let file: String
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
  /// The operator's profiles.
  private let store: ProfileStore
  /// The profiles that clients fit.
  private let fitted: ProfileStore
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
  /// - Parameters:
  ///   - store: the operator's profiles.
  ///   - fitted: where the profiles are that clients fit; it may be the same folder.
  ///   - runs: how many batches run at a time.
  /// - Throws: ``MienError`` if a model or a profile cannot be used.
  init(
    _ models: [ServerModel], profiles offered: [ProfileName], in store: ProfileStore, fitted: ProfileStore,
    isOpen: Bool,
    runs: Int, metrics: Metrics, logger: Logger
  ) throws {
    guard !models.isEmpty else { throw MienError(.argument, "--model", "expected a model") }
    self.models = models
    self.offered = offered
    self.store = store
    self.fitted = fitted
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
      let (head, url) = (try store.head(of: name), store.url(of: name))
      _ = try load(name, head, from: url, for: (model(of: head) ?? models[0]).name, stamp: Stamp(url))
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
    func readable(_ store: ProfileStore) -> [(name: ProfileName, info: AdaptedHead.Info)] {
      store.entries().compactMap { entry in
        guard let name = try? ProfileName(entry.name), case .success(let info) = entry.info else { return nil }
        return (name, info)
      }
    }
    let own = ownStore(of: client).map(readable) ?? []
    let names = Set(own.map(\.name))
    let others = readable(store).filter { !names.contains($0.name) && isAllowed($0.name, $0.info, client) }
    return (own + others).sorted { $0.name.text < $1.name.text }
  }

  /// Keeps a profile that a client has fitted. Blocks.
  ///
  /// - Throws: ``MienError`` naming the file.
  func keep(_ head: AdaptedHead, as name: ProfileName, of client: AccessTokens.Client) throws {
    try fittedStore(of: client).write(head, as: name)
  }

  /// Removes a profile of a client: what it fitted, and what `mien adapt` made of its corrections. Blocks.
  ///
  /// - Throws: ``APIError`` if the client has no such profile, or it is the operator's.
  func remove(_ name: ProfileName, client: AccessTokens.Client) throws {
    let own = fittedStore(of: client)
    let isOwn = FileManager.default.fileExists(atPath: own.url(of: name).path)
    if isOwn { try own.delete(name) }
    guard let info = try? store.head(of: name).info, isAllowed(name, info, client) else {
      if isOwn { return }
      throw APIError.noProfile
    }
    if !isOpen, !offered.contains(name) { return try store.delete(name) }
    if !isOwn { throw APIError.operatorsProfile }
  }

  // MARK: - Profiles

  /// Where the profiles are that a client fits: without tokens in the folder itself.
  private func fittedStore(of client: AccessTokens.Client) -> ProfileStore {
    client.isEmpty ? fitted : ProfileStore(folder: fitted.folder.appendingPathComponent("clients/\(client)"))
  }

  /// The same; `nil` if these are the operator's profiles, too.
  private func ownStore(of client: AccessTokens.Client) -> ProfileStore? {
    let own = fittedStore(of: client)
    return own.folder.standardizedFileURL.path == store.folder.standardizedFileURL.path ? nil : own
  }

  /// Whether a client may use a profile of the operator's.
  private func isAllowed(_ name: ProfileName, _ info: AdaptedHead.Info, _ client: AccessTokens.Client) -> Bool {
    isOpen || offered.contains(name) || info.owner == client
  }

  /// A model with a profile that a client asks for. Blocks.
  private func reader(
    _ model: String?, profile name: ProfileName, client: AccessTokens.Client
  ) throws -> ModelReader {
    if let own = ownStore(of: client), let reader = try reader(model, name, in: own, isAllowed: { _ in true }) {
      return reader
    }
    if offered.contains(name) {
      for model in model.map({ [$0] }) ?? models.map(\.name) {
        if let reader = try adaptedReader(model, name) { return reader }
      }
    }
    let shared = try reader(model, name, in: store) { isAllowed(name, $0, client) }
    guard let shared else { throw APIError.noProfile }
    return shared
  }

  /// A model with a profile of `store`; `nil` if there is none of this name.
  private func reader(
    _ model: String?, _ name: ProfileName, in store: ProfileStore, isAllowed: (AdaptedHead.Info) -> Bool
  ) throws -> ModelReader? {
    let url = store.url(of: name)
    guard let stamp = Stamp(url) else { return nil }
    if let kept = kept(model, url, stamp) {
      guard isAllowed(kept.info) else { throw APIError.noProfile }
      return kept.reader
    }
    let head: AdaptedHead
    do { head = try AdaptedHead(contentsOf: url) } catch {
      logger.error("a profile cannot be read", metadata: ["profile": "\(name)", "error": "\(error)"])
      throw APIError.noProfile
    }
    guard isAllowed(head.info) else { throw APIError.noProfile }
    guard let model = model.map({ name in models.first { $0.name == name } }) ?? self.model(of: head),
      plain[model.name]?.card.weightsSHA256 == head.info.weightsSHA256
    else {
      throw APIError(
        .conflict, "profile_mismatch",
        "The profile was fitted to another model, \(head.info.model); fit it again, or name that model.")
    }
    return try load(name, head, from: url, for: model.name, stamp: stamp)
  }

  /// The model that a profile was fitted to.
  private func model(of head: AdaptedHead) -> ServerModel? {
    models.first { plain[$0.name]?.card.weightsSHA256 == head.info.weightsSHA256 }
  }

  /// The default profile of a model; `nil` if that profile is another model's. A file that has gone or cannot be read
  /// leaves what was read of it before: readings do not change without a word.
  private func adaptedReader(_ model: String, _ name: ProfileName) throws -> ModelReader? {
    let url = store.url(of: name)
    let last = adapted.withLock { $0[Key(model: model, file: url.path)] }
    guard let last else { return nil }
    let stamp = Stamp(url)
    if stamp == last.stamp { return last.reader }
    do {
      return try load(name, try store.head(of: name), from: url, for: model, stamp: stamp)
    } catch {
      logger.warning(
        "the profile's file has changed and cannot be used; it is read with as it was before",
        metadata: ["profile": "\(name)", "error": "\(error)"])
      if let stamp {
        adapted.withLock {
          $0[Key(model: model, file: url.path)] = Kept(
            reader: last.reader, info: last.info, stamp: stamp, lastUse: .now)
        }
      }
      return last.reader
    }
  }

  /// What is held ready of a profile, if its file has not changed since.
  private func kept(_ model: String?, _ url: URL, _ stamp: Stamp) -> Kept? {
    adapted.withLock { adapted in
      // A profile is one model's.
      let found = adapted.first { key, kept in
        key.file == url.path && (model == nil || key.model == model) && kept.stamp == stamp
      }
      guard let found else { return nil }
      adapted[found.key]?.lastUse = .now
      return found.value
    }
  }

  private func load(
    _ name: ProfileName, _ head: AdaptedHead, from url: URL, for model: String, stamp: Stamp?
  ) throws -> ModelReader {
    guard let whole = plain[model] else { return try unknown(model) }
    let reader = try ModelReader(whole, profile: name, head: head, queue: batches, metrics: metrics)
    guard let stamp else { return reader }
    let lasting = Set(offered.map { store.url(of: $0).path })
    adapted.withLock { adapted in
      let others = adapted.filter { !lasting.contains($0.key.file) }
      if others.count >= Self.capacity, let oldest = others.min(by: { $0.value.lastUse < $1.value.lastUse })?.key {
        adapted[oldest] = nil
      }
      adapted[Key(model: model, file: url.path)] = Kept(
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
  static let operatorsProfile = APIError(
    .conflict, "profile_taken", "The profile is the operator's; only they can remove it.")
}
