import Foundation
import MienCommandLine
import MienCore
import MienDatasets

/// Where a shard's results go: lines of JSON, and a manifest by which a later run knows what is done.
///
/// The lines of a file are written first, then its entry in the manifest. A run that is killed in between leaves lines
/// without an entry, which the next run cuts off.
final class ShardOutput {
  /// Which files are meant.
  let shard: Shard
  /// The file of the results.
  var results: URL { place.results }
  /// How many files were done before, and how many by this run.
  private(set) var before = 0
  private(set) var now = 0
  /// How many of all these failed.
  private(set) var failed = 0
  private let place: ShardPlace
  private let lines: LineFile
  private let manifest: LineFile
  private let lock: FileLock
  /// By their absolute paths: another spelling of a name is no other file.
  private var done: Set<FilePath> = []
  private var length: Int
  /// ``length`` behind the last file that is done.
  private var finishedLength: Int
  /// The folder of pictures of the file that is being done.
  private var begun: String?
  private var checksum = Checksum()
  private let encoder = JSONText.encoder()
  private let clock = ContinuousClock()
  private var synchronized: ContinuousClock.Instant

  /// Starts the shard in `folder`, which is made, or goes on with it.
  ///
  /// - Parameters:
  ///   - command: what is done, as `detect`.
  ///   - settings: options and hashes that decide what the results are; a shard is finished with those it was begun with.
  /// - Throws: ``MienError`` if another process is at work on the shard, if it or others in the folder were begun with
  ///   other settings or for another number of shards, or if something cannot be written.
  init(folder: URL, shard: Shard, command: String, settings: [String: String]) throws {
    self.shard = shard
    place = ShardPlace(folder: folder, shard: shard)
    try Folders.make(folder)
    let header = ShardManifest.Header(
      command: command, shard: shard.number, of: shard.count, settings: settings)
    // Before there is a file of this shard, so that what is refused leaves none behind.
    let others = try ShardPlace.all(in: folder).filter { $0.shard != shard }
    // One of another number of shards, or else any: a folder of thousands is not read by each of thousands of tasks.
    if let other = others.first(where: { $0.shard.count != shard.count }) ?? others.first,
      let begun = Self.header(of: other)
    {
      try Self.check(begun, against: header, other)
    }
    guard let lock = try FileLock(place.manifest, mode: 0o644) else {
      throw MienError(.file, place.results.relativePath, "another process is at work on this shard")
    }
    self.lock = lock
    let found = try ShardManifest(place)
    if let begun = found.header { try Self.check(begun, against: header, place) }
    lines = try LineFile(place.results.relativePath, after: found.resultsLength)
    manifest = try LineFile(place.manifest.relativePath, after: found.length)
    (length, finishedLength) = (found.resultsLength, found.resultsLength)
    synchronized = clock.now
    if found.header == nil { try add(header) }
    for entry in found.files {
      if let name = entry.name { done.insert(name.absolute) }
      if entry.error != nil { failed += 1 }
    }
    before = done.count
    begun = found.unfinishedFolder
    try discard()
  }

  /// Whether the file at this absolute path is done.
  func isDone(_ path: FilePath) -> Bool { done.contains(path) }

  /// Adds lines of the file that is being done.
  ///
  /// - Throws: ``MienError`` if they could not be written; the shard can be gone on with.
  func write(_ data: Data) throws {
    try lines.write(data)
    length += data.count
    checksum.update(data)
  }

  /// Notes before the first picture is written that those in `folder` belong to the next file.
  func begin(_ folder: String) throws {
    try add(ShardManifest.Entry(begun: folder))
    begun = folder
  }

  /// Takes back the lines and the pictures of a file that could not be done.
  func discard() throws {
    if length > finishedLength { try lines.cut(to: finishedLength) }
    (length, checksum) = (finishedLength, Checksum())
    if let begun { try remove(begun) }
    begun = nil
  }

  /// Notes that a file is done, whose lines were written.
  ///
  /// - Parameter error: why it failed.
  func finish(_ name: FilePath, error: String? = nil) throws {
    let isText = String(validating: name.bytes, as: UTF8.self) != nil
    try add(
      ShardManifest.Entry(
        file: name.text, bytes: isText ? nil : Data(name.bytes), end: length, crc32: checksum.value, error: error))
    done.insert(name.absolute)
    (finishedLength, checksum, begun) = (length, Checksum(), nil)
    now += 1
    if error != nil { failed += 1 }
    // Often enough that a loss of power costs little, seldom enough to cost nothing.
    if clock.now - synchronized > .seconds(1) { try synchronize() }
  }

  /// Notes that every file of the shard is done.
  func complete() throws {
    try lines.synchronize()
    try add(ShardManifest.Entry(complete: true))
    try manifest.synchronize()
    try lines.close()
    try manifest.close()
  }

  /// Puts the results on the disk before the manifest that vouches for them.
  private func synchronize() throws {
    try lines.synchronize()
    try manifest.synchronize()
    synchronized = clock.now
  }

  private func add(_ line: some Encodable) throws { try manifest.write(encoder.encode(line) + Data("\n".utf8)) }

  /// Removes the pictures of a file that was not done.
  private func remove(_ name: String) throws {
    let url = place.folder.appendingPathComponent(name, isDirectory: true)
    guard !name.contains("/"), name != "..", name != "." else {
      throw MienError(
        .format, place.manifest.relativePath, "names a folder that is not in \(place.folder.relativePath): \(name)")
    }
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    do { try FileManager.default.removeItem(at: url) } catch {
      throw MienError(
        .file, url.relativePath,
        "holds the pictures of a video that was not done and cannot be removed: \(error.localizedDescription)")
    }
  }

  /// The first line of another shard's manifest; `nil` if it is not written yet.
  private static func header(of place: ShardPlace) -> ShardManifest.Header? {
    let file = FileHandle(forReadingAtPath: place.manifest.path)
    defer { try? file?.close() }
    guard let start = try? file?.read(upToCount: 1 << 16), let end = start.firstIndex(of: UInt8(ascii: "\n")) else {
      return nil
    }
    return try? JSONDecoder().decode(ShardManifest.Header.self, from: start[..<end])
  }

  /// Refuses to mix results of different commands, options and numbers of shards in one folder.
  private static func check(
    _ found: ShardManifest.Header, against expected: ShardManifest.Header, _ place: ShardPlace
  ) throws {
    let subject = place.manifest.relativePath
    let advice = "name another folder with -o, or remove this one"
    guard found.command == expected.command else {
      throw MienError(.mismatch, subject, "holds results of mien \(found.command), not \(expected.command); \(advice)")
    }
    guard found.of == expected.of else {
      throw MienError(
        .mismatch, subject,
        "is one of \(found.of) shards, found shard \(expected.shard) of \(expected.of); name another folder with -o, or "
          + "the shard by --shard \(expected.shard)/\(found.of)")
    }
    for name in Set(found.settings.keys).union(expected.settings.keys).sorted()
    where found.settings[name] != expected.settings[name] {
      throw MienError(
        .mismatch, subject,
        "was begun with \(name) \(found.settings[name] ?? "not set"), found \(expected.settings[name] ?? "not set"); "
          + advice)
    }
  }
}
