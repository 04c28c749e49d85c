import ArgumentParser
import Foundation
import MienCore

/// One of several equal parts of a job: part `number` of `count`, counted from 1.
///
/// A file belongs to the shard given by a checksum of its relative path, so that files that are added later move none of
/// the others, and every process finds its own files without talking to another.
package struct Shard: Sendable, Hashable {
  /// Which part, from 1.
  package let number: Int
  /// How many parts there are.
  package let count: Int

  /// The most shards that one job can have.
  package static let maximumCount = 99_999
  /// The whole job.
  package static let whole = Shard(checkedNumber: 1, count: 1)

  private init(checkedNumber number: Int, count: Int) { (self.number, self.count) = (number, count) }

  /// Part `number` of `count`.
  ///
  /// - Throws: ``MienError`` of kind `argument` about `subject` if the numbers are out of range.
  package init(_ number: Int, of count: Int, subject: String) throws {
    guard (1...Self.maximumCount).contains(count) else {
      throw MienError(.argument, subject, "expected 1 to \(Self.maximumCount.grouped) shards, found \(count.grouped)")
    }
    guard (1...count).contains(number) else {
      throw MienError(.argument, subject, "expected a shard from 1 to \(count), found \(number)")
    }
    self.init(checkedNumber: number, count: count)
  }

  /// Whether the file whose relative path has this checksum belongs to the shard.
  package func contains(checksum: UInt32) -> Bool { Int(checksum) % count == number - 1 }

  /// `2 of 4`.
  package var text: String { "\(number) of \(count)" }
}

/// The value of `--shard`: `K/N`, or `auto` for the environment of a batch system.
package enum ShardChoice: Sendable, Equatable {
  case automatic
  case shard(Shard)

  /// Reads the option's value.
  ///
  /// - Throws: `ValidationError` that says what is expected.
  package init(_ text: String) throws {
    if text == "auto" {
      self = .automatic
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]), let count = Int(parts[1]) else {
      throw ValidationError("expected K/N, such as 2/4, or auto")
    }
    do { self = .shard(try Shard(number, of: count, subject: text)) } catch let error as MienError {
      throw ValidationError("\(error.message)")
    }
  }

  /// The shard, and the name of the variable that says so; `nil` for one that was named.
  ///
  /// - Throws: ``MienError`` if the environment names none, two, or one that does not exist.
  package func resolved(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> (shard: Shard, source: String?) {
    switch self {
    case .shard(let shard): return (shard, nil)
    case .automatic: return try BatchEnvironment(environment).shard()
    }
  }
}

/// What batch systems tell a process about its place among others.
private struct BatchEnvironment {
  private let variables: [String: String]
  private static let slurm = "SLURM_ARRAY_TASK_ID"
  private static let kubernetes = "JOB_COMPLETION_INDEX"
  private static let parallel = "PARALLEL_SEQ"
  private static let count = "MIEN_SHARDS"

  init(_ variables: [String: String]) { self.variables = variables.filter { !$0.value.isEmpty } }

  func shard() throws -> (shard: Shard, source: String?) {
    let present = [Self.slurm, Self.kubernetes, Self.parallel].filter { variables[$0] != nil }
    guard let source = present.first else {
      throw MienError(
        .argument, "--shard auto",
        "expected \(Self.slurm) (a Slurm job array), or \(Self.count) with \(Self.kubernetes) (a Kubernetes Indexed Job) "
          + "or \(Self.parallel) (GNU parallel), found none of them; name the shard: --shard 1/4")
    }
    guard present.count == 1 else {
      throw MienError(
        .argument, "--shard auto",
        "found \(present.joined(separator: " and ")), which may disagree; name the shard: --shard 1/4")
    }
    let shard =
      switch source {
      case Self.slurm: try slurmShard()
      // Kubernetes counts from 0.
      case Self.kubernetes: try Shard(number(source) + 1, of: number(Self.count), subject: source)
      default: try Shard(number(source), of: number(Self.count), subject: source)
      }
    return (shard, source)
  }

  /// A task of a job array. `--array=1-8`, `0-7` and `0-14:2` are eight shards each. With `MIEN_SHARDS`, which allows some
  /// tasks to be submitted again by themselves, task 1 is shard 1.
  private func slurmShard() throws -> Shard {
    let task = try number(Self.slurm)
    if variables[Self.count] != nil { return try Shard(task, of: number(Self.count), subject: Self.slurm) }
    let count = try number("SLURM_ARRAY_TASK_COUNT")
    let (first, last) = (try number("SLURM_ARRAY_TASK_MIN"), try number("SLURM_ARRAY_TASK_MAX"))
    let step = variables["SLURM_ARRAY_TASK_STEP"] == nil ? 1 : try number("SLURM_ARRAY_TASK_STEP")
    guard step > 0, first + (count - 1) * step == last, (task - first) % step == 0 else {
      throw MienError(
        .argument, Self.slurm,
        "expected a job array without gaps, found \(count) tasks from \(first) to \(last) in steps of \(step); number the "
          + "array from 1 and export \(Self.count), the number of shards, to run some of them again")
    }
    return try Shard((task - first) / step + 1, of: count, subject: Self.slurm)
  }

  private func number(_ name: String) throws -> Int {
    guard let value = variables[name] else {
      throw MienError(.argument, "--shard auto", "\(name) is not set; it is the number of shards, as in \(name)=8")
    }
    // Larger numbers would overflow in the sums above; no batch system has them.
    guard let number = Int(value), (0...Int(Int32.max)).contains(number) else {
      throw MienError(.argument, name, "expected a whole number from 0, found \(value)")
    }
    return number
  }
}
