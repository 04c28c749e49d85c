import Foundation
import GRDB
import MienCore
import MienInference
import MienServer
import MienTestSupport
import Synchronization
import Testing

@Suite struct CorrectionStoreTests {
  let folder: TemporaryFolder
  let url: URL

  init() throws {
    folder = try TemporaryFolder()
    url = folder.file("store/corrections.sqlite")
  }

  private func correction(
    _ profile: String = "me", owner: String = "", emotion: Emotion = .contempt, crop: Data? = nil
  ) throws -> Correction {
    Correction(
      profile: try ProfileName(profile), owner: owner, emotion: emotion, readEmotion: .happiness,
      readProbability: 0.75, labels: "ferplus", weightsSHA256: "abc", embedding: [1.5, -2, .pi], crop: crop)
  }

  @Test func whatIsStoredIsThereAfterwards() async throws {
    let given = try correction(crop: Data([1, 2, 3]))
    let stored = try await CorrectionStore(url: url).add(given)
    #expect(stored.id > 0)
    // Another start of the program; the file needs no further migration.
    let store = try CorrectionStore(url: url)
    #expect(store.damagedFile == nil)
    let found = try await store.listing().corrections
    #expect(found == [stored])
    #expect(found.first?.embedding == [1.5, -2, .pi] && found.first?.crop == Data([1, 2, 3]))
    #expect(found.first?.created == given.created)
    let rights = try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
    #expect(rights == 0o600)
  }

  /// The table of earlier versions, which takes values of any type.
  private func makeLooseFile() throws {
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let database = try DatabaseQueue(path: url.path)
    try database.write { db in
      try db.execute(
        sql: """
          CREATE TABLE correction (id INTEGER PRIMARY KEY AUTOINCREMENT, profile TEXT NOT NULL, owner TEXT NOT NULL,
            createdMilliseconds INTEGER NOT NULL, emotion TEXT NOT NULL, readEmotion TEXT NOT NULL,
            readProbability REAL NOT NULL, labels TEXT NOT NULL, weightsSHA256 TEXT NOT NULL, embedding BLOB NOT NULL,
            crop BLOB);
          CREATE INDEX correctionByProfile ON correction (profile, id);
          CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
          INSERT INTO grdb_migrations VALUES ('corrections');
          """)
    }
    try database.close()
  }

  private func change(_ assignment: String, id: Int64) throws {
    let database = try DatabaseQueue(path: url.path)
    try database.write { try $0.execute(sql: "UPDATE correction SET \(assignment) WHERE id = ?", arguments: [id]) }
    try database.close()
  }

  @Test(arguments: [
    "createdMilliseconds = 'x'", "createdMilliseconds = 1e300", "createdMilliseconds = x'00'",
    "createdMilliseconds = 9223372036854775807", "createdMilliseconds = -1", "emotion = 'joy'", "emotion = x'FF00'",
    "emotion = 7", "readEmotion = ''", "readProbability = 'much'", "readProbability = 1e300", "readProbability = -1",
    "readProbability = x'01'", "embedding = 5", "embedding = 'text'", "embedding = x'00'", "embedding = x''",
    "embedding = x'0000807F'", "crop = 'text'", "crop = 3", "profile = '../x'", "profile = x'FF'", "labels = x'FF'",
  ])
  func aRowThatHoldsSomethingElseIsPassedOverAndNamed(assignment: String) async throws {
    try makeLooseFile()
    let store = try CorrectionStore(url: url)
    for _ in 0..<3 { _ = try await store.add(correction(crop: Data([1]))) }
    try change(assignment, id: 2)
    let reopened = try CorrectionStore(url: url)
    #expect(reopened.damagedFile == nil)
    let listing = try await reopened.listing()
    #expect(listing.corrections.map(\.id) == [1, 3] && listing.unreadable == [2] && listing.last == 3)
    #expect(listing.corrections.first?.embedding == [1.5, -2, .pi])
    // It is one of the rows that a page looks at.
    let page = try await reopened.listing(limit: 2)
    #expect(page.corrections.map(\.id) == [1] && page.unreadable == [2] && page.last == 2 && page.hasMore)
    #expect(try await reopened.delete(id: 2))
    #expect(try await reopened.listing().unreadable.isEmpty)
  }

  @Test func newFilesTakeNoValuesOfOtherTypes() async throws {
    let store = try CorrectionStore(url: url)
    _ = try await store.add(correction())
    for assignment in [
      "createdMilliseconds = 'x'", "createdMilliseconds = 1e300", "emotion = x'00'", "readProbability = 'x'",
      "readProbability = 1e300", "embedding = 5", "embedding = x'00'",
    ] {
      #expect(throws: DatabaseError.self) { try change(assignment, id: 1) }
    }
    #expect(try await store.listing().corrections.count == 1)
  }

  @Test(arguments: [[""], ["", "-wal", "-shm"]])
  func aFileThatIsRemovedIsMadeAnew(suffixes: [String]) async throws {
    let notices = Mutex(0)
    let store = try CorrectionStore(url: url) { notices.withLock { $0 += 1 } }
    _ = try await store.add(correction())
    for suffix in suffixes { try? FileManager.default.removeItem(atPath: url.path + suffix) }
    let stored = try await store.add(correction("you"))
    #expect(notices.withLock { $0 } == 1)
    #expect(try await store.listing().corrections == [stored])
    #expect(try await CorrectionStore(url: url).listing().corrections == [stored])
  }

  @Test func profilesAndOwnersAreApart() async throws {
    let store = try CorrectionStore(url: url)
    for _ in 0..<3 { _ = try await store.add(correction("a", owner: "one")) }
    _ = try await store.add(correction("b", owner: "two"))
    let (a, b) = (try ProfileName("a"), try ProfileName("b"))
    #expect(try await store.listing(withCrops: false).counts == ["a": 3, "b": 1])
    #expect(try await store.listing(of: b).corrections.count == 1)
    #expect(try await store.listing(of: a, owner: "two").corrections.isEmpty)
    let ids = try await store.listing(owner: "one", limit: 2).corrections.map(\.id)
    #expect(ids.count == 2)
    #expect(try await store.listing(owner: "one", after: ids[1]).corrections.count == 1)
    // Another owner's profile may have the same name.
    let other = try await store.add(correction("a", owner: "two"))
    #expect(try await store.listing(of: a, owner: "two").corrections == [other])
    #expect(try await store.listing(withCrops: false).clients == ["a": 2, "b": 1])
    #expect(try await store.delete(id: ids[0], owner: "two") == false)
    #expect(try await store.delete(id: ids[0], owner: "one"))
    #expect(try await store.delete(id: ids[0]) == false)
    #expect(try await store.delete(profile: a, owner: "two") == 1)
    #expect(try await store.delete(profile: a) == 2)
    #expect(try await store.listing(withCrops: false).counts == ["b": 1])
  }

  @Test func whatIsDeletedIsGoneFromTheDisk() async throws {
    let store = try CorrectionStore(url: url)
    let mark = Data("a face that nobody else may see".utf8)
    _ = try await store.add(correction(crop: mark))
    func holds() throws -> Bool {
      let files = try FileManager.default.contentsOfDirectory(
        at: url.deletingLastPathComponent(), includingPropertiesForKeys: nil)
      return try files.contains { try Data(contentsOf: $0).range(of: mark) != nil }
    }
    #expect(try holds())
    #expect(try await store.delete(profile: ProfileName("me")) == 1)
    #expect(try !holds())
  }

  /// Makes a file of corrections whose first page is whole and whose others are not.
  private func makeDamagedFile() async throws {
    do {
      let store = try CorrectionStore(url: url)
      for _ in 0..<200 { _ = try await store.add(correction(crop: Data(repeating: 7, count: 500))) }
      _ = try await store.delete(id: 1)
    }
    // The last connection to close writes the log into the file and removes it.
    try #require(await eventually { !FileManager.default.fileExists(atPath: url.path + "-wal") })
    var bytes = try Data(contentsOf: url)
    bytes.replaceSubrange(4096..<(bytes.count - 4096), with: Data(repeating: 0xAB, count: bytes.count - 8192))
    try bytes.write(to: url)
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path).sorted()
  }

  @Test func damagedFilesArePutAside() async throws {
    for number in 1...2 {
      try await makeDamagedFile()
      let store = try CorrectionStore(url: url)
      let aside = try #require(store.damagedFile)
      #expect(aside.lastPathComponent == "corrections.sqlite.damaged-\(number)")
      // SQLite may have touched the head of what it opened.
      #expect(try Data(contentsOf: aside).range(of: Data(repeating: 0xAB, count: 256)) != nil)
      #expect(try await store.listing().corrections.isEmpty)
      _ = try await store.add(correction())
      #expect(try await CorrectionStore(url: url).listing().corrections.count == 1)
    }
  }

  @Test func whoOnlyReadsRenamesAndMakesNothing() async throws {
    let missing = #expect(throws: MienError.self) { try CorrectionStore(url: url, isReadOnly: true) }
    #expect(missing?.kind == .missing && !FileManager.default.fileExists(atPath: url.deletingLastPathComponent().path))
    try await makeDamagedFile()
    let damaged = #expect(throws: MienError.self) { try CorrectionStore(url: url, isReadOnly: true) }
    #expect(damaged?.subject == url.path && damaged?.message.contains("is damaged") == true)
    #expect(try Data(contentsOf: url).range(of: Data(repeating: 0xAB, count: 256)) != nil)
    #expect(try names().allSatisfy { !$0.contains("damaged") })
    for name in try names() {
      try FileManager.default.removeItem(at: url.deletingLastPathComponent().appending(path: name))
    }
    try Data().write(to: url)
    let empty = #expect(throws: MienError.self) { try CorrectionStore(url: url, isReadOnly: true) }
    #expect(empty?.message.contains("is empty") == true)
    #expect(try Data(contentsOf: url).isEmpty && names() == ["corrections.sqlite"])
  }

  @Test(arguments: [true, false])
  func filesOfOtherKindsStayAsTheyAre(isReadOnly: Bool) throws {
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let kinds: [(Data, String)] = [
      (Data([0xFF, 0xD8, 0xFF, 0xE0]) + Data(repeating: 1, count: 5000), "is a JPEG picture"),
      (Data(repeating: UInt8(ascii: "x"), count: 5000), "is no SQLite database"),
      (Data("SQLite format 3\0".utf8), "is no SQLite database"),
    ]
    for (bytes, words) in kinds {
      try bytes.write(to: url)
      let error = #expect(throws: MienError.self) { try CorrectionStore(url: url, isReadOnly: isReadOnly) }
      #expect(error?.subject == url.path && error?.message.hasPrefix(words) == true, "\(error as Any)")
      #expect(error?.message.contains("expected a file of corrections") == true)
      #expect(try Data(contentsOf: url) == bytes && names() == ["corrections.sqlite"])
    }
  }

  @Test(arguments: [true, false], ["CREATE TABLE note (text TEXT)", "CREATE TABLE correction (text TEXT)"])
  func databasesOfOtherProgramsStayAsTheyAre(isReadOnly: Bool, sql: String) throws {
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let database = try DatabaseQueue(path: url.path)
    try database.write { try $0.execute(sql: sql) }
    try database.close()
    let bytes = try Data(contentsOf: url)
    let error = #expect(throws: MienError.self) { try CorrectionStore(url: url, isReadOnly: isReadOnly) }
    #expect(error?.subject == url.path && error?.message.contains("of another program") == true, "\(error as Any)")
    #expect(try Data(contentsOf: url) == bytes && names() == ["corrections.sqlite"])
  }

  /// The first page is written after the log, in which the tables are.
  @Test func databasesOfOtherProgramsAreKnownByTheirLogs() throws {
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    let database = try DatabasePool(path: url.path)
    try database.write { try $0.execute(sql: "CREATE TABLE note (text TEXT)") }
    let error = #expect(throws: MienError.self) { try CorrectionStore(url: url) }
    #expect(error?.message.contains("of another program") == true, "\(error as Any)")
    #expect(try database.read { try $0.tableExists("correction") } == false)
    try database.close()
  }

  @Test func aFullFileLosesNothing() async throws {
    let store = try CorrectionStore(url: url, limit: 128 << 10)
    var count = 0
    var error: APIError?
    while error == nil, count < 1000 {
      do {
        _ = try await store.add(correction(crop: Data(repeating: 1, count: 4000)))
        count += 1
      } catch let problem as APIError { error = problem }
    }
    #expect(error?.status.code == 507)
    #expect(count > 5 && count < 40)
    #expect(try await store.listing().corrections.count == count)
    // The limit is that of the file.
    _ = try await store.delete(id: 1)
    let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int
    #expect(try #require(size) <= 128 << 10)
    count -= 1
    // There is room again.
    #expect(try await store.delete(profile: ProfileName("me")) == count)
    _ = try await store.add(correction())
    #expect(try await CorrectionStore(url: url).listing().corrections.count == 1)
  }

  @Test func oneOwnerLeavesRoomToOthers() async throws {
    let store = try CorrectionStore(url: url, limit: 1 << 20)
    func fill(_ owner: String) async throws -> (count: Int, error: APIError?) {
      for count in 0..<1000 {
        do { _ = try await store.add(correction(owner: owner, crop: Data(repeating: 1, count: 4000))) } catch let
          problem as APIError
        { return (count, problem) }
      }
      return (1000, nil)
    }
    let first = try await fill("one")
    #expect(first.error?.status.code == 507 && first.error?.message.contains("leaves free") == true, "\(first)")
    let second = try await fill("two")
    #expect(second.error?.status.code == 507 && second.count > first.count / 4, "\(first), \(second)")
    // Who has none still finds room, and who deletes has room again.
    _ = try await store.add(correction(owner: "three"))
    #expect(try await store.delete(profile: ProfileName("me"), owner: "one") == first.count)
    _ = try await store.add(correction(owner: "one"))
  }

  @Test func severalUseOneFileAtATime() async throws {
    let stores = try (0..<3).map { _ in try CorrectionStore(url: url) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<30 {
        group.addTask { _ = try await stores[index % 3].add(self.correction("p\(index % 2)")) }
      }
      try await group.waitForAll()
    }
    #expect(try await stores[0].listing(withCrops: false).counts == ["p0": 15, "p1": 15])
  }

  @Test func placesThatCannotBeUsedAreNamed() throws {
    let error = #expect(throws: MienError.self) { try CorrectionStore(url: folder.url) }
    #expect(error?.subject == folder.url.path)
    try Data().write(to: folder.file("file"))
    #expect(throws: MienError.self) { try CorrectionStore(url: folder.file("file/corrections.sqlite")) }
  }

  @Test func exportsHoldEverythingOrARowEach() async throws {
    let store = try CorrectionStore(url: url)
    let time = Date(timeIntervalSince1970: 1_700_000_000.25)
    var given = try correction(crop: Data([1, 2, 3]))
    given.created = time
    given.labels = "odd, \"name\""
    let stored = try await store.add(given)
    let json = try JSONSerialization.jsonObject(with: CorrectionExport.json([stored])) as? [[String: Any]]
    let entry = try #require(json?.first)
    #expect(entry["profile"] as? String == "me" && entry["emotion"] as? String == "contempt")
    #expect((entry["embedding"] as? [Double])?.map(Float.init) == [1.5, -2, .pi])
    #expect(entry["crop"] as? String == "AQID" && entry["created"] as? String == "2023-11-14T22:13:20.250Z")
    #expect((entry["read"] as? [String: Any])?["emotion"] as? String == "happiness")
    let lines = String(decoding: CorrectionExport.csv([stored]), as: UTF8.self).split(separator: "\r\n")
    #expect(lines.count == 2)
    #expect(
      lines[1] == "\(stored.id),me,2023-11-14T22:13:20.250Z,contempt,happiness,0.75,\"odd, \"\"name\"\"\",abc,true")
  }
}
