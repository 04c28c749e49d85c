package import Foundation
import GRDB
import Glibc
import MienCore
package import MienInference

/// Corrections in an SQLite file, kept until they are deleted; deleted ones are overwritten in the file.
///
/// Several programs may use a file at a time: readers go on beside the one that writes (write-ahead log). Each call is one
/// transaction, so a full disk or a crash leaves what was stored before.
package final class CorrectionStore: Sendable {
  /// What the file may grow to by default, in bytes.
  package static let defaultLimit = 1 << 30
  private static let pageBytes = 4096
  private static let waitSeconds = 10.0

  /// The file.
  package let url: URL
  /// Where a damaged file was put aside to make room for a new one; nil where none was.
  package let damagedFile: URL?
  private let database: DatabasePool

  /// The file used where none is named: `corrections.sqlite` beside the profiles.
  package static func defaultURL(_ profiles: ProfileStore = ProfileStore()) -> URL {
    profiles.folder.appendingPathComponent("corrections.sqlite")
  }

  /// Opens the file at `url`, and makes it where it is missing, for its owner's eyes only. A damaged file is renamed and
  /// a new one begun; see ``damagedFile``.
  ///
  /// - Parameter limit: bytes that the file may grow to.
  /// - Throws: ``MienError`` naming the file.
  package init(url: URL, limit: Int = CorrectionStore.defaultLimit) throws {
    self.url = url
    do {
      (database, damagedFile) = (try Self.open(url, limit: limit), nil)
    } catch let error as DatabaseError where Self.isDamage(error) {
      let aside = try Self.putAside(url)
      do { (database, damagedFile) = (try Self.open(url, limit: limit), aside) } catch {
        throw Self.problem(error, url)
      }
    } catch {
      throw Self.problem(error, url)
    }
  }

  /// Stores a correction.
  ///
  /// - Returns: the same with its number.
  /// - Throws: ``MienError`` where the profile is another owner's (kind `mismatch`), or the disk or the file is full.
  package func add(_ correction: Correction) async throws -> Correction {
    let bytes = correction.embedding.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
    let id = try await naming { [database] in
      try await database.write { db -> Int64 in
        let others = try Int.fetchOne(
          db, sql: "SELECT COUNT(*) FROM correction WHERE profile = ? AND owner <> ?",
          arguments: [correction.profile.text, correction.owner])
        guard others == 0 else {
          throw MienError(.mismatch, "profile \(correction.profile)", "belongs to another client")
        }
        try db.execute(
          sql: """
            INSERT INTO correction (profile, owner, createdMilliseconds, emotion, readEmotion, readProbability, labels,
              weightsSHA256, embedding, crop) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
          arguments: [
            correction.profile.text, correction.owner, Self.milliseconds(correction.created),
            correction.emotion.rawValue, correction.readEmotion.rawValue, Double(correction.readProbability),
            correction.labels, correction.weightsSHA256, bytes, correction.crop,
          ])
        return db.lastInsertedRowID
      }
    }
    var stored = correction
    stored.id = id
    return stored
  }

  /// Stored corrections in the order of their numbers.
  ///
  /// - Parameters:
  ///   - profile: nil for all.
  ///   - owner: nil for all.
  ///   - after: only those of higher numbers.
  ///   - limit: at most so many; nil for all.
  package func corrections(
    of profile: ProfileName? = nil, owner: String? = nil, after: Int64 = 0, limit: Int? = nil
  ) async throws -> [Correction] {
    try await naming { [database] in
      try await database.read { db in
        let rows = try Row.fetchAll(
          db,
          sql: """
            SELECT * FROM correction WHERE id > ? AND (? IS NULL OR profile = ?) AND (? IS NULL OR owner = ?)
            ORDER BY id LIMIT ?
            """,
          arguments: [after, profile?.text, profile?.text, owner, owner, limit ?? -1])
        return try rows.map(Correction.init)
      }
    }
  }

  /// How many corrections each profile has.
  package func counts() async throws -> [String: Int] {
    try await naming { [database] in
      try await database.read { db in
        let rows = try Row.fetchAll(db, sql: "SELECT profile, COUNT(*) AS count FROM correction GROUP BY profile")
        return Dictionary(uniqueKeysWithValues: rows.map { ($0["profile"] as String, $0["count"] as Int) })
      }
    }
  }

  /// Deletes one correction.
  ///
  /// - Parameter owner: nil for whoever's it is.
  /// - Returns: whether there was one.
  package func delete(id: Int64, owner: String? = nil) async throws -> Bool {
    try await delete("id = ? AND (? IS NULL OR owner = ?)", [id, owner, owner]) > 0
  }

  /// Deletes all corrections of a profile.
  ///
  /// - Parameter owner: nil for whoever's they are.
  /// - Returns: how many there were.
  package func delete(profile: ProfileName, owner: String? = nil) async throws -> Int {
    try await delete("profile = ? AND (? IS NULL OR owner = ?)", [profile.text, owner, owner])
  }

  private func delete(_ condition: String, _ arguments: StatementArguments) async throws -> Int {
    try await naming { [database] in
      let count = try await database.write { db in
        try db.execute(sql: "DELETE FROM correction WHERE \(condition)", arguments: arguments)
        return db.changesCount
      }
      // The log still has what was deleted until it is emptied; another reader may hold that up until the next time.
      if count > 0 { _ = try? await database.writeWithoutTransaction { db in try db.checkpoint(.truncate) } }
      return count
    }
  }

  // MARK: - The file

  private static func open(_ url: URL, limit: Int) throws -> DatabasePool {
    try makePrivate(url)
    var configuration = Configuration()
    configuration.busyMode = .timeout(waitSeconds)
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA secure_delete = ON")
      try db.execute(sql: "PRAGMA max_page_count = \(max(1, limit / pageBytes))")
    }
    let pool = try DatabasePool(path: url.path, configuration: configuration)
    let verdict = try pool.read { db in try String.fetchOne(db, sql: "PRAGMA quick_check(1)") }
    guard verdict == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: verdict) }
    let migrator = migrator
    guard try !pool.read({ db in try migrator.hasBeenSuperseded(db) }) else {
      throw MienError(.format, nil, "was made by a later version of Mien")
    }
    try migrator.migrate(pool)
    return pool
  }

  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("corrections") { db in
      try db.execute(
        sql: """
          CREATE TABLE correction (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            profile TEXT NOT NULL,
            owner TEXT NOT NULL,
            createdMilliseconds INTEGER NOT NULL,
            emotion TEXT NOT NULL,
            readEmotion TEXT NOT NULL,
            readProbability REAL NOT NULL,
            labels TEXT NOT NULL,
            weightsSHA256 TEXT NOT NULL,
            embedding BLOB NOT NULL,
            crop BLOB
          );
          CREATE INDEX correctionByProfile ON correction (profile, id);
          """)
    }
    return migrator
  }

  /// Makes the folder and an empty file that only its owner may read; SQLite gives its log the same rights.
  private static func makePrivate(_ url: URL) throws {
    let files = FileManager.default
    do {
      try files.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch { throw MienError(.file, url.deletingLastPathComponent().path, "could not be made") }
    let descriptor = Glibc.open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw MienError(.file, url.path, "could not be opened: \(String(cString: strerror(errno)))")
    }
    close(descriptor)
  }

  private static func isDamage(_ error: DatabaseError) -> Bool {
    error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
  }

  /// Renames a damaged file, and its log, to a name that is free.
  private static func putAside(_ url: URL) throws -> URL {
    let files = FileManager.default
    let aside = (1...).lazy.map { URL(fileURLWithPath: "\(url.path).damaged-\($0)") }
      .first { !files.fileExists(atPath: $0.path) }
    guard let aside else { throw MienError(.file, url.path, "is damaged") }
    for suffix in ["", "-wal", "-shm"] where files.fileExists(atPath: url.path + suffix) {
      guard rename(url.path + suffix, aside.path + suffix) == 0 else {
        throw MienError(
          .file, url.path, "is damaged and could not be renamed: \(String(cString: strerror(errno)))")
      }
    }
    return aside
  }

  private func naming<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    do { return try await body() } catch { throw Self.problem(error, url) }
  }

  private static func problem(_ error: any Error, _ url: URL) -> any Error {
    if let error = error as? MienError { return error.subject == nil ? error.about(url.path) : error }
    guard let error = error as? DatabaseError else { return error }
    switch error.resultCode {
    case .SQLITE_FULL:
      return MienError(
        .limit, url.path, "the disk is full, or the file has reached its limit; what was stored before is kept")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return MienError(.format, url.path, "is damaged; it is put aside when it is opened the next time")
    default:
      return MienError(.file, url.path, "SQLite: \(error.message ?? "error \(error.resultCode.rawValue)")")
    }
  }

  fileprivate static func milliseconds(_ date: Date) -> Int64 { Int64((date.timeIntervalSince1970 * 1000).rounded()) }
}

extension Correction {
  fileprivate init(_ row: Row) throws {
    func emotion(_ column: String) throws -> Emotion {
      let text: String = row[column]
      guard let emotion = Emotion(rawValue: text) else {
        throw MienError(.format, nil, "holds the emotion \"\(text)\", which is none")
      }
      return emotion
    }
    let bytes: Data = row["embedding"]
    guard bytes.count % 4 == 0 else { throw MienError(.format, nil, "holds an embedding that is cut short") }
    let values = [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, initialized in
      bytes.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      initialized = bytes.count / 4
    }
    let milliseconds: Int64 = row["createdMilliseconds"]
    let probability: Double = row["readProbability"]
    try self.init(
      profile: ProfileName(row["profile"]), owner: row["owner"],
      created: Date(timeIntervalSince1970: Double(milliseconds) / 1000), emotion: emotion("emotion"),
      readEmotion: emotion("readEmotion"), readProbability: Float(probability), labels: row["labels"],
      weightsSHA256: row["weightsSHA256"], embedding: values, crop: row["crop"])
    id = row["id"]
  }
}
