import Foundation
import MienCommandLine
import MienCore
import MienDatasets

/// What a shard has done: JSON Lines beside its results, first a ``Header``, then an ``Entry`` for each file, in order.
///
/// Results are only valid up to the end of the last entry, so that a file whose lines were being written when the
/// program was killed is done again, and no file has its lines twice.
struct ShardManifest {
  /// The first line: what is being done.
  struct Header: Codable, Equatable {
    /// `mien-shard-1`: the format and its version.
    var format = currentFormat
    /// `detect`, `video` or `dataset extract`.
    let command: String
    /// Which shard, from 1.
    let shard: Int
    /// How many shards there are.
    let of: Int
    /// The options that decide what the results are, and the model's hash.
    let settings: [String: String]

    static let currentFormat = "mien-shard-1"
  }

  /// A later line.
  struct Entry: Codable, Equatable {
    /// The file that is done, by its name in the results.
    var file: String?
    /// The name's bytes, if they are not UTF-8.
    var bytes: Data?
    /// Where its results end, in bytes of the results' file.
    var end: Int?
    /// The CRC-32 of its results.
    var crc32: UInt32?
    /// Why the file failed.
    var error: String?
    /// Instead of all these: files in this folder belong to a file that is not done before its own entry.
    var begun: String?
    /// Instead of all these: every file of the shard that there was at the time is done.
    var complete: Bool?

    /// The file's name as bytes.
    var name: FilePath? { bytes.map { FilePath(bytes: $0) } ?? file.map { FilePath($0) } }
  }

  /// What is being done; `nil` if the manifest is missing or ends in its first line.
  private(set) var header: Header?
  /// The lines that agree with the results.
  private(set) var entries: [Entry] = []
  /// Bytes of the manifest up to the last of them.
  private(set) var length = 0
  /// Bytes of the results up to the last of them.
  private(set) var resultsLength = 0
  /// Whether something follows ``length`` or ``resultsLength``, which a killed program leaves behind.
  private(set) var isTorn = false

  /// Whether the last line says that every file is done.
  var isComplete: Bool { entries.last?.complete == true && !isTorn }
  /// The files that are done.
  var files: [Entry] { entries.filter { $0.file != nil } }
  /// The folder of a file that was begun and is not done.
  var unfinishedFolder: String? { entries.last?.begun }

  /// Reads a manifest and holds it against the results.
  ///
  /// - Throws: ``MienError`` if there are results without a manifest, or one of another format.
  init(_ place: ShardPlace) throws {
    let results = try Self.read(place.results)
    guard let text = try Self.read(place.manifest), let end = text.firstIndex(of: UInt8(ascii: "\n")) else {
      guard results?.isEmpty ?? true else {
        throw MienError(
          .file, place.results.relativePath,
          "has no manifest (\(place.manifest.lastPathComponent)); move it out of the way")
      }
      return
    }
    let decoder = JSONDecoder()
    guard let header = try? decoder.decode(Header.self, from: text[text.startIndex..<end]),
      header.format == Header.currentFormat
    else {
      throw MienError(
        .format, place.manifest.relativePath,
        "expected a manifest of the format \(Header.currentFormat); another version of mien wrote it, or it is damaged")
    }
    self.header = header
    length = text.distance(from: text.startIndex, to: end) + 1
    var start = text.index(after: end)
    let lines = results ?? Data()
    while let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) {
      guard let entry = try? decoder.decode(Entry.self, from: text[start..<end]) else { break }
      if let to = entry.end {
        guard to >= resultsLength, to <= lines.count,
          Checksum.of(lines[(lines.startIndex + resultsLength)..<(lines.startIndex + to)]) == entry.crc32
        else { break }
        resultsLength = to
      }
      entries.append(entry)
      length += text.distance(from: start, to: end) + 1
      start = text.index(after: end)
    }
    isTorn = length < text.count || resultsLength < lines.count
  }

  /// A file's bytes, without taking memory for them; `nil` if there is no file.
  private static func read(_ url: URL) throws -> Data? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    do { return try Data(contentsOf: url, options: .alwaysMapped) } catch {
      throw MienError(.file, url.relativePath, FileProblem.reading(url))
    }
  }
}

/// The names of a shard's two files in a folder: `part-00002-of-00008.jsonl`, and its manifest, whose name starts with
/// an underscore, so that Spark passes over it.
struct ShardPlace {
  let folder: URL
  let shard: Shard

  var results: URL { folder.appendingPathComponent("part-\(Self.name(shard)).jsonl") }
  var manifest: URL { folder.appendingPathComponent("_part-\(Self.name(shard)).manifest") }

  private static func name(_ shard: Shard) -> String { "\(padded(shard.number))-of-\(padded(shard.count))" }

  private static func padded(_ number: Int) -> String {
    let digits = "\(number)"
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// The shards whose manifests are in `folder`, in order.
  ///
  /// - Throws: ``MienError`` if it cannot be read.
  static func all(in folder: URL) throws -> [ShardPlace] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw MienError(
        .file, folder.relativePath,
        FileManager.default.fileExists(atPath: folder.path)
          ? "expected a folder that -o named, found what cannot be read as one" : "no such folder")
    }
    return names.compactMap { name -> ShardPlace? in
      guard let match = name.wholeMatch(of: /_part-(\d{5,})-of-(\d{5,})\.manifest/), let number = Int(match.1),
        let count = Int(match.2), let shard = try? Shard(number, of: count, subject: name)
      else { return nil }
      return ShardPlace(folder: folder, shard: shard)
    }.sorted { ($0.shard.count, $0.shard.number) < ($1.shard.count, $1.shard.number) }
  }
}
