import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienDatasets
import MienInference

/// `--shard`: which part of the files.
struct ShardOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Read only part K of N of the files, chosen by their relative paths. auto takes both from a Slurm job array, or "
        + "from MIEN_SHARDS and a Kubernetes Indexed Job or GNU parallel. Needs -o.", valueName: "k/n|auto"),
    transform: { try ShardChoice($0) })
  var shard: ShardChoice?

  /// Checks what goes with `--shard` and `-o`.
  ///
  /// - Parameters:
  ///   - output: the value of `-o`.
  ///   - others: outputs that `-o` takes the place of, by option.
  func validate(output: String?, excluding others: KeyValuePairs<String, String?>) throws {
    guard output != nil else {
      if shard != nil { throw ValidationError("--shard needs -o, the folder that all shards write to") }
      return
    }
    if let other = others.first(where: { $0.value != nil })?.key {
      throw ValidationError("-o writes JSON Lines into a folder; it excludes \(other)")
    }
  }

  /// The shard, which is told where the environment named it; the whole if none was asked for.
  func resolved() throws -> Shard {
    guard let found = try shard?.resolved() else { return .whole }
    if let source = found.source { Console.error("mien: shard \(found.shard.text), by \(source)") }
    return found.shard
  }
}

extension Shard {
  /// Whether a file belongs to the shard, by its path below the folder that was named.
  func contains(_ relativePath: FilePath) -> Bool { contains(checksum: Checksum.of(Data(relativePath.bytes))) }
}

/// The files of a shard that an output lacks.
struct ShardFiles {
  /// A file, and its path below the folder that was named.
  struct File {
    let photo: PhotoPipeline.Photo
    let relativePath: FilePath
  }

  /// The files, each once.
  let remaining: [File]
  /// What kept files from being found: a pattern that matches nothing, a folder that may not be read.
  let problems: [MienError]

  /// Ends the program if nothing was found, before a folder is made for the results.
  ///
  /// - Throws: `ExitCode.failure` after the reasons were told.
  static func check(_ found: PhotoPaths) throws {
    let problems = problems(of: found)
    guard !problems.isEmpty, problems.count == found.entries.count else { return }
    for problem in problems { Console.failure("\(problem)") }
    throw ExitCode.failure
  }

  /// Chooses among the files that were found.
  init(_ found: PhotoPaths, for output: ShardOutput) {
    var taken: Set<FilePath> = []
    remaining = found.entries.compactMap { entry in
      guard case .photo(let photo, let relativePath) = entry, output.shard.contains(relativePath),
        !found.missing.contains(photo.path)
      else { return nil }
      let path = photo.path.absolute
      guard !output.isDone(path), taken.insert(path).inserted else { return nil }
      return File(photo: photo, relativePath: relativePath)
    }
    problems = Self.problems(of: found)
  }

  /// Of whichever shard: a folder that is not mounted is a failure of each, not an empty shard.
  private static func problems(of found: PhotoPaths) -> [MienError] {
    found.entries.compactMap { entry -> MienError? in
      switch entry {
      case .problem(let error): error
      case .photo(let photo, _):
        found.missing.contains(photo.path) ? MienError(.file, photo.name, "no such file or folder") : nil
      }
    }
  }
}

/// How the files of a shard come out: says on standard error what went wrong, and in the end what there is.
struct ShardProgress {
  private let output: ShardOutput
  private let noun: String
  private let total: Int
  private let line: ProgressLine
  private let errorKey: String?
  /// Files that could not be opened and others that could not be found: they are not done.
  private var missing: Int

  /// Starts on `files`, called `noun` in the singular.
  ///
  /// - Parameter errorKey: a file that failed gets a line with its name under this key and the `error`; `nil` if its results
  ///   say so.
  init(_ output: ShardOutput, _ files: ShardFiles, noun: String, errorKey: String? = nil) {
    (self.output, self.noun, self.errorKey) = (output, noun, errorKey)
    total = files.remaining.count
    line = ProgressLine("\(noun)s")
    missing = files.problems.count
    for problem in files.problems { Console.failure("\(problem)") }
  }

  /// Notes what came of a file. One that could not be opened is left for a later run: it may be on a disk that is not there
  /// at the moment. One that is damaged is done.
  mutating func finish(_ photo: PhotoPipeline.Photo, error: MienError?, warning: String? = nil) throws {
    line.clear()
    if let error {
      Console.failure("\(photo.name): \(error.message)")
    } else if let warning {
      Console.warning("\(photo.name): \(warning)")
    }
    if error?.leavesFileUndone == true {
      missing += 1
      try output.discard()
    } else {
      if let errorKey, let error {
        try output.write(try JSONText.line([errorKey: photo.name, "error": error.message]) + Data("\n".utf8))
      }
      try output.finish(photo.path, error: error?.message)
    }
    line.update(output.now, of: total)
  }

  /// Ends the shard.
  ///
  /// - Throws: `ExitCode.failure` if files are missing, or the program was asked to stop.
  func end(stopped: Bool = false) throws {
    line.clear()
    if missing == 0 && !stopped { try output.complete() }
    let failed = output.failed == 0 ? "" : "; \(output.failed.grouped) failed, see \"error\" in the results"
    let isIdle = output.before > 0 && output.now == 0 && missing == 0 && !stopped
    let now = isIdle ? ", nothing left to do" : output.before == 0 ? "" : ", \(output.now.grouped) of them now"
    Console.error(
      "shard \(output.shard.text): \(Spelling.counted(output.before + output.now, noun)) done\(now)\(failed); results in \(Console.printable(output.results.relativePath))"
    )
    guard missing > 0 || stopped else { return }
    Console.error(
      stopped ? "stopped; the same command resumes it" : "not all is done, see above; the same command tries again")
    throw ExitCode.failure
  }
}

extension MienError {
  /// Whether a file with this error is left for a later run: it could not be opened, as on a disk that is not there at the
  /// moment, or what was read could not be written.
  var leavesFileUndone: Bool { kind == .file || kind == .missing }
}
