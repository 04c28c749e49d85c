package import Foundation
import GRDB
import Glibc
import HTTPTypes
import MienCore
package import MienInference
import Synchronization

/// Corrections in an SQLite file, kept until they are deleted; deleted ones are overwritten in the file.
///
/// Several programs may use a file at a time: readers go on beside the one that writes (write-ahead log). Each call is one
/// transaction, so a full disk or a crash leaves what was stored before.
package final class CorrectionStore: Sendable {
  /// What the file may grow to by default, in bytes.
  package static let defaultLimit = 1 << 30
  /// Room that a correction may take besides its embedding and its picture: pages of the table and of its index.
  private static let overhead = 16 << 10
  private static let waitSeconds = 10.0

  /// The file.
  package let url: URL
  /// Where a damaged file was put aside to make room for a new one; nil where none was.
  package let damagedFile: URL?
  private let limit: Int
  private let isReadOnly: Bool
  private let onReplaced: @Sendable () -> Void
  private let opened: Mutex<Opened>

  /// The connections to a file, and which file that is: its name may come to lead to another one.
  private struct Opened {
    var database: DatabasePool
    var number: UInt64
  }

  /// Corrections as far as they can be read.
  package struct Listing: Sendable {
    /// In the order of their numbers.
    package var corrections: [Correction] = []
    /// The numbers of the rows that hold something else than a correction.
    package var unreadable: [Int64] = []
    /// Whether there are further rows beyond the limit.
    package var hasMore = false

    /// Whether there are no rows at all, readable or not.
    package var isEmpty: Bool { corrections.isEmpty && unreadable.isEmpty }

    /// How many readable corrections each profile has.
    package var counts: [String: Int] { Dictionary(corrections.map { ($0.profile.text, 1) }, uniquingKeysWith: +) }

    /// How many clients sent the readable corrections of each profile.
    package var clients: [String: Int] {
      Dictionary(grouping: corrections, by: \.profile.text).mapValues { Set($0.map(\.owner)).count }
    }

    /// The number of the last row that was looked at; 0 if there was none.
    package var last: Int64 { max(corrections.last?.id ?? 0, unreadable.last ?? 0) }
  }

  /// The file used where none is named: `corrections.sqlite` beside the profiles.
  package static func defaultURL(_ profiles: ProfileStore = ProfileStore()) -> URL {
    profiles.folder.appendingPathComponent("corrections.sqlite")
  }

  /// Opens the file at `url`, and makes it where it is missing, for its owner's eyes only. A damaged file of corrections
  /// is renamed and a new one begun; see ``damagedFile``. Files of other kinds and databases of other programs are refused
  /// and stay as they are.
  ///
  /// - Parameters:
  ///   - isReadOnly: whether corrections are only read: then no file is made or renamed.
  ///   - limit: bytes that the file may grow to.
  ///   - onReplaced: called when the file has been removed or replaced while it was in use, and the one that is there now,
  ///     or a new one, has been opened.
  /// - Throws: ``MienError`` naming the file.
  package init(
    url: URL, isReadOnly: Bool = false, limit: Int = CorrectionStore.defaultLimit,
    onReplaced: @escaping @Sendable () -> Void = {}
  ) throws {
    self.url = url
    self.isReadOnly = isReadOnly
    self.onReplaced = onReplaced
    self.limit = limit
    do {
      do {
        let found = try Self.open(url, isReadOnly: isReadOnly)
        opened = Mutex(found)
        damagedFile = nil
      } catch let error as DatabaseError
        where !isReadOnly && Self.isDamage(error) && (try? Self.hasTable(url, isReadOnly)) == true
      {
        let aside = try Self.putAside(url)
        let made = try Self.open(url, isReadOnly: false)
        opened = Mutex(made)
        damagedFile = aside
      }
    } catch {
      throw Self.problem(error, url)
    }
  }

  /// Stores a correction. Owners may have as much of the file as they leave free.
  ///
  /// - Returns: the same with its number.
  /// - Throws: ``APIError`` if the file, or its owner's share of it, has reached its limit; ``MienError`` (kind `limit`) if the
  ///   disk is full.
  package func add(_ correction: Correction) async throws -> Correction {
    let id = try await naming {
      try await database().write { db -> Int64 in
        let bytes = correction.embedding.count * 4 + (correction.crop?.count ?? 0) + Self.overhead
        let size = try Self.size(db)
        guard size + bytes <= limit else { throw APIError.correctionsFull(limit: limit) }
        // Below, nobody can have more than half.
        if size + bytes > limit / 2 {
          let own = Int(Double(size) * (try Self.share(of: correction.owner, db)))
          guard AccessTokens.mayTake(bytes, own: own, others: size - own, of: limit, for: correction.owner) else {
            throw APIError.correctionsFull(limit: limit, ofOwn: true)
          }
        }
        try CorrectionRow(correction).insert(db)
        return db.lastInsertedRowID
      }
    }
    var stored = correction
    stored.id = id
    return stored
  }

  /// Bytes of the file that are in use. Pages of deleted corrections are free for new ones.
  private static func size(_ db: Database) throws -> Int {
    func number(_ name: String) throws -> Int { try Int.fetchOne(db, sql: "PRAGMA \(name)") ?? 0 }
    return (try number("page_count") - number("freelist_count")) * (try number("page_size"))
  }

  /// Which part of the corrections is an owner's, 0…1.
  private static func share(of owner: String, _ db: Database) throws -> Double {
    try Double.fetchOne(
      db, sql: "SELECT TOTAL(owner = ?) / MAX(COUNT(*), 1) FROM correction", arguments: [owner]) ?? 0
  }

  /// Stored corrections in the order of their numbers. A row that holds something else is named and passed over.
  ///
  /// - Parameters:
  ///   - profile: nil for all.
  ///   - owner: nil for all.
  ///   - after: only those of higher numbers.
  ///   - limit: look at so many rows at most; nil for all.
  ///   - withCrops: whether the pictures of faces are read too.
  package func listing(
    of profile: ProfileName? = nil, owner: String? = nil, after: Int64 = 0, limit: Int? = nil, withCrops: Bool = true
  ) async throws -> Listing {
    try await naming {
      try await database().read { db in
        // Only conditions that are there: with `? IS NULL OR owner = ?`, SQLite uses no index and reads the whole file.
        let conditions = ["id > ?"] + (owner == nil ? [] : ["owner = ?"]) + (profile == nil ? [] : ["profile = ?"])
        let texts = [owner, profile?.text].compactMap(\.self)
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT id, profile, owner, createdMilliseconds, emotion, readEmotion, readProbability, labels, weightsSHA256,
              embedding, \(withCrops ? "crop" : "NULL AS crop") FROM correction
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY id LIMIT ?
            """,
          arguments: [after] + StatementArguments(texts) + [limit.map { $0 + 1 } ?? -1])
        var listing = Listing()
        var count = 0
        while let row = try rows.next() {
          count += 1
          guard count <= limit ?? Int.max else {
            listing.hasMore = true
            break
          }
          // A copy has values with their types; of the row itself SQLite would convert them, a text to 0 for instance.
          // What a row holds is not told: it is data of a person.
          do { listing.corrections.append(try CorrectionRow.correction(in: row.copy())) } catch {
            listing.unreadable.append(try row.decode(Int64.self, forColumn: "id"))
          }
        }
        return listing
      }
    }
  }

  /// Gives the corrections of one owner to another: a server that knows its clients by other names than before.
  ///
  /// - Parameter names: the new name of each old one.
  package func renameOwners(_ names: [String: String]) async throws {
    try await naming {
      try await database().write { db in
        for (old, new) in names {
          try db.execute(sql: "UPDATE correction SET owner = ? WHERE owner = ?", arguments: [new, old])
        }
      }
    }
  }

  /// How many corrections belong to nobody of `owners`.
  package func count(ofOthersThan owners: Set<String>) async throws -> Int {
    try await naming {
      try await database().read { db in
        // As JSON, since SQLite limits how many arguments there are.
        let list = String(decoding: try JSON.encode(Array(owners)), as: UTF8.self)
        return try Int.fetchOne(
          db, sql: "SELECT COUNT(*) FROM correction WHERE owner NOT IN (SELECT value FROM json_each(?))",
          arguments: [list]) ?? 0
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
    try await naming {
      let database = try database()
      let count = try await database.write { db in
        try db.execute(sql: "DELETE FROM correction WHERE \(condition)", arguments: arguments)
        return db.changesCount
      }
      // The log still has what was deleted until it is emptied; another reader may hold that up until the next time.
      if count > 0 { _ = try? await database.writeWithoutTransaction { db in try db.checkpoint(.truncate) } }
      return count
    }
  }

  /// The command that deletes a correction which cannot be read.
  package static func deletion(of id: Int64, in url: URL) -> String {
    "mien corrections delete --id \(id) --corrections \(url.path)"
  }

  // MARK: - The file

  /// The connections to the file that ``url`` leads to now. Corrections that were written to a file which has been removed
  /// meanwhile would be lost without a word.
  private func database() throws -> DatabasePool {
    let (database, isNew) = try opened.withLock { opened in
      if Self.number(of: url) == opened.number { return (opened.database, false) }
      // Its log has the name that the new file's will have. Who still reads holds it open a little longer.
      try? opened.database.close()
      opened = try Self.open(url, isReadOnly: isReadOnly)
      return (opened.database, true)
    }
    if isNew { onReplaced() }
    return database
  }

  /// What the file system tells files apart by; nil if there is no such file.
  private static func number(of url: URL) -> UInt64? {
    var status = stat()
    return stat(url.path, &status) == 0 ? UInt64(status.st_ino) : nil
  }

  private static func open(_ url: URL, isReadOnly: Bool) throws -> Opened {
    // SQLite changes the file when it opens it, so the kind of the file is looked at before.
    let hasTable = try hasTable(url, isReadOnly)
    if !isReadOnly { try makePrivate(url) }
    var configuration = Configuration()
    configuration.busyMode = .timeout(waitSeconds)
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA secure_delete = ON")
    }
    let pool = try DatabasePool(path: url.path, configuration: configuration)
    let verdict = try pool.read { db in try String.fetchOne(db, sql: "PRAGMA quick_check(1)") }
    guard verdict == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: verdict) }
    if !hasTable { try checkTables(pool, isReadOnly: isReadOnly) }
    let migrator = migrator
    guard try !pool.read({ db in try migrator.hasBeenSuperseded(db) }) else {
      throw MienError(.format, nil, "was made by a later version of Mien")
    }
    if !isReadOnly { try migrator.migrate(pool) }
    guard let number = number(of: url) else { throw MienError(.file, nil, "was removed while it was opened") }
    return Opened(database: pool, number: number)
  }

  /// New files have a strict table, which takes no values of other types. In files of earlier versions the table stays as
  /// it is: rows that do not fit could not be moved, and are passed over when they are read.
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
            readProbability REAL NOT NULL CHECK (readProbability BETWEEN 0 AND 1),
            labels TEXT NOT NULL,
            weightsSHA256 TEXT NOT NULL,
            embedding BLOB NOT NULL CHECK (length(embedding) % 4 = 0),
            crop BLOB
          ) STRICT;
          CREATE INDEX correctionByProfile ON correction (profile, id);
          """)
    }
    migrator.registerMigration("owners") { db in
      try db.execute(
        sql: """
          CREATE INDEX correctionByOwner ON correction (owner);
          CREATE INDEX correctionByOwnerAndProfile ON correction (owner, profile);
          """)
    }
    return migrator
  }

  /// Whether the first page of the file says that it is one of corrections; false if it has no table yet, and, unless
  /// corrections are only read, if the file is missing or empty.
  ///
  /// - Throws: ``MienError`` if the file is something else.
  private static func hasTable(_ url: URL, _ isReadOnly: Bool) throws -> Bool {
    let largestPage = 65_536
    guard let file = try? FileHandle(forReadingFrom: url), let read = try? file.read(upToCount: largestPage) ?? Data()
    else {
      if isReadOnly { throw FileProblem.error(reading: url) }
      return false
    }
    let start = [UInt8](read)
    if start.isEmpty {
      if isReadOnly { throw isEmpty }
      return false
    }
    guard start.starts(with: "SQLite format 3\0".utf8), start.count >= 512 else {
      let kind = FileSignature(start)?.name ?? "no SQLite database"
      throw MienError(.format, nil, "is \(kind), expected a file of corrections; name another one")
    }
    // The layout is in "Database File Format" (sqlite.org): the size of a page at byte 16, 65,536 as 1; the page's kind at
    // 100, 13 for a leaf; the number of its entries at 103. The texts of a small schema are on this page.
    func number(at offset: Int) -> Int { Int(start[offset]) << 8 | Int(start[offset + 1]) }
    let pageSize = number(at: 16) == 1 ? largestPage : number(at: 16)
    let schema = String(decoding: start.prefix(pageSize), as: UTF8.self)
    if schema.contains(/CREATE TABLE "?correction"? ?\(/), schema.contains("weightsSHA256") { return true }
    guard start[100] == 13, number(at: 103) == 0 else { throw isOfAnotherProgram }
    return false
  }

  private static let isEmpty = MienError(.format, nil, "is empty, expected a file of corrections")
  private static let isOfAnotherProgram = MienError(
    .format, nil, "is an SQLite database of another program, expected a file of corrections; name another one")

  /// Looks at the tables of a database whose first page has none, but whose log may have some.
  private static func checkTables(_ pool: DatabasePool, isReadOnly: Bool) throws {
    let tables = try pool.read { db in
      try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
    }
    guard !tables.contains("correction") else { return }
    guard tables.allSatisfy({ $0 == "grdb_migrations" }) else { throw isOfAnotherProgram }
    if isReadOnly { throw isEmpty }
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
    // Some writes, such as one over a quota, are told as errors of input and output.
    let isDiskFull =
      error.resultCode == .SQLITE_FULL || (error.resultCode == .SQLITE_IOERR && APIError.isDiskFull(at: url))
    switch error.resultCode {
    case _ where isDiskFull:
      return MienError(.limit, url.path, "the disk is full; what was stored before is kept")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      return MienError(
        .format, url.path,
        "is damaged; `mien serve --corrections` renames it and begins a new one when it is started the next time")
    default:
      return MienError(.file, url.path, "SQLite: \(error.message ?? "error \(error.resultCode.rawValue)")")
    }
  }
}

extension APIError {
  /// - Parameter ofOwn: whether it is the client's share that is used up.
  static func correctionsFull(limit: Int, ofOwn: Bool = false) -> APIError {
    APIError(
      .insufficientStorage, "full",
      "This server keeps \(limit / 1_048_576) MiB of corrections at most, and "
        + (ofOwn ? "one client may have as much as it leaves free" : "they are used up") + "; delete some first.")
  }
}
