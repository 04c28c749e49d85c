import ArgumentParser
import Foundation
import MienCommandLine
import MienCore

/// `mien merge DIR…`: the shards of a job as one file.
struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Joins the shards of a job and checks that none is missing.",
    discussion: """
      Each folder is one that -o of mien detect, mien video or mien dataset extract --shard named. Without -o, the shards \
      are only checked. Exit status: 0 if all shards are there and done, else 1, and nothing is written; with --partial, \
      missing shards are a warning.
      """)

  @Argument(help: ArgumentHelp("Folders with shards of one job.", valueName: "dir"))
  var folders: [String]

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Write all results as JSON Lines to a file or standard output.", valueName: "file|-"))
  var output: String?

  @Flag(help: "Join the results that there are, with a warning of shards that are missing or not done.")
  var partial = false

  func run() throws {
    let places = try folders.flatMap { folder in
      let found = try ShardPlace.all(in: URL(fileURLWithPath: folder, isDirectory: true))
      if found.isEmpty { throw MienError(.file, folder, "expected shards (_part-….manifest), found none") }
      return found
    }
    try ResultFile.check(["-o": output], inputs: places.flatMap { [$0.results.path, $0.manifest.path] })
    let shards = try MergedShards(places)
    if output != "-" { try Console.print(shards.summary) }
    for problem in shards.problems { Console.failure(problem) }
    for gap in shards.gaps {
      if partial { Console.warning("\(gap.what)\(gap.outcome)") } else { Console.failure("\(gap.what)\(gap.remedy)") }
    }
    guard partial || (shards.problems.isEmpty && shards.gaps.isEmpty) else { throw ExitCode.failure }
    if let output {
      if output == "-" {
        for part in shards.results { try Console.write(part) }
      } else {
        try AtomicFile.write(to: URL(fileURLWithPath: output), chunks: shards.results)
        ResultFile.wrote(output)
      }
    }
    if !shards.problems.isEmpty { throw ExitCode.failure }
  }
}

/// The shards of one job, checked.
private struct MergedShards {
  /// The results of each shard in order, as far as its manifest vouches for them. The files stay on the disk.
  private(set) var results: [Data] = []
  /// What is wrong, whatever is to be joined.
  private(set) var problems: [String] = []
  /// Results that are missing.
  private(set) var gaps: [Gap] = []

  /// Results that are missing, which --partial does without.
  struct Gap {
    let what: String
    /// How to get them, as the end of a sentence.
    let remedy: String
    /// What --partial joins in spite of it, as the end of a sentence.
    var outcome = ""
  }

  private var files = 0
  private var failed = 0
  private let count: Int

  /// Reads the shards at `places`, at least one.
  ///
  /// - Throws: ``MienError`` if they are of different jobs, or two of them are the same shard.
  init(_ places: [ShardPlace]) throws {
    var first: (header: ShardManifest.Header, place: ShardPlace)?
    var seen: [Int: ShardPlace] = [:]
    var done: [FilePath: ShardPlace] = [:]
    count = places.map(\.shard.count).max() ?? 0
    for place in places.sorted(by: { $0.shard.number < $1.shard.number }) {
      let name = place.results.relativePath
      if try Self.isAtWork(place) {
        gaps.append(Gap(what: "\(name): a process is at work on this shard", remedy: "; wait for it"))
      }
      let manifest = try ShardManifest(place)
      guard let header = manifest.header else {
        gaps.append(
          Gap(
            what: "\(name): was begun and has no results", remedy: "; run its shard (\(place.shard.text)) again"))
        continue
      }
      if let first {
        guard header.command == first.header.command, header.settings == first.header.settings,
          header.of == first.header.of
        else {
          throw MienError(
            .mismatch, place.manifest.relativePath,
            "is of another job than \(first.place.manifest.relativePath): expected the same command, options, model and number of "
              + "shards; merge each job by itself")
        }
      } else {
        first = (header, place)
      }
      // Pictures are named by their place below the folder.
      if let folder = first?.place.folder, header.command == "dataset extract", folder.path != place.folder.path {
        throw MienError(
          .mismatch, place.folder.relativePath,
          "the faces of \(folder.relativePath) are named by their place in that folder; expected the shards of one folder"
        )
      }
      if let other = seen.updateValue(place, forKey: place.shard.number) {
        throw MienError(.mismatch, name, "is the same shard as \(other.results.relativePath), expected each once")
      }
      for entry in manifest.files {
        guard let file = entry.name else { continue }
        files += 1
        if entry.error != nil { failed += 1 }
        if let other = done.updateValue(place, forKey: file) {
          problems.append("\(file.text): is in \(other.results.relativePath) and in \(name)")
        }
      }
      if !manifest.isComplete {
        gaps.append(
          Gap(
            what: "\(name): is not done after \(Spelling.counted(manifest.files.count, "file"))",
            remedy: "; run its shard (\(place.shard.text)) again, which resumes it"))
      }
      results.append(try Self.start(of: place.results, manifest.resultsLength))
    }
    let missing = (1...max(1, count)).filter { seen[$0] == nil }
    if !missing.isEmpty {
      let list = missing.prefix(20).map(String.init).joined(separator: ", ") + (missing.count > 20 ? ", …" : "")
      let isOne = missing.count == 1
      gaps.append(
        Gap(
          what: "\(isOne ? "shard" : "shards") \(list) of \(count.grouped) \(isOne ? "is" : "are") missing",
          remedy: ": run \(isOne ? "it" : "them"), or join what there is with --partial",
          outcome: "; joined \(results.count.grouped) of \(count.grouped)"))
    }
  }

  /// One line for people.
  var summary: String {
    let failures = failed == 0 ? "none failed" : "\(failed) failed, see \"error\""
    return
      "\(Spelling.counted(results.count, "shard")) of \(count.grouped), \(Spelling.counted(files, "file")), \(failures)"
  }

  /// Whether a process holds the shard. A folder that may only be read is taken for one at rest.
  private static func isAtWork(_ place: ShardPlace) throws -> Bool {
    guard access(place.manifest.path, W_OK) == 0 else { return false }
    return try FileLock(place.manifest, mode: 0o644) == nil
  }

  private static func start(of url: URL, _ length: Int) throws -> Data {
    guard length > 0 else { return Data() }
    do { return try Data(contentsOf: url, options: .alwaysMapped).prefix(length) } catch {
      throw MienError(.file, url.relativePath, FileProblem.reading(url))
    }
  }
}
