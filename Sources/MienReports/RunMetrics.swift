public import Foundation
import MienCore

/// The curves of one training run, read from its `metrics.csv`: a row an epoch. Columns that this version does not know
/// are kept and do no harm.
public struct RunMetrics: Sendable {
  /// The epoch that a run is judged by.
  public struct Best: Sendable, Equatable {
    /// The epoch, from 1.
    public let epoch: Int
    /// How it was chosen, as a sentence.
    public let rule: String
    let row: Int
  }

  /// The run's name.
  public let name: String
  /// The names of the columns.
  public let columns: [String]
  /// The epoch that training kept; nil where it has not ended.
  private let keptEpoch: Int?
  private let rows: [[Double?]]

  /// Reads the file's text.
  ///
  /// - Throws: ``MienError`` where a required column is missing or a line does not fit the header; an empty value or
  ///   one that is no finite number is a gap.
  public init(csv: String, name: String, keptEpoch: Int? = nil) throws {
    self.name = name
    self.keptEpoch = keptEpoch
    var lines = csv.split(whereSeparator: \.isNewline).map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
    }
    guard !lines.isEmpty else { throw MienError(.format, nil, "is empty, expected a header and a row an epoch") }
    columns = lines.removeFirst()
    guard columns.contains("epoch") else {
      throw MienError(.format, nil, "expected a column epoch, found \(columns.prefix(8).joined(separator: ", "))")
    }
    for (index, line) in lines.enumerated() where line.count != columns.count {
      throw MienError(.format, nil, "line \(index + 2): expected \(columns.count) values, found \(line.count)")
    }
    rows = lines.map { $0.map { Double($0).flatMap { $0.isFinite ? $0 : nil } } }
    guard let epoch = columns.firstIndex(of: "epoch"),
      let bad = rows.firstIndex(where: { $0[epoch].flatMap { Int(exactly: $0) } == nil })
    else { return }
    throw MienError(.format, nil, "line \(bad + 2): the epoch is no whole number")
  }

  /// Reads the `metrics.csv` of a run folder, and the epoch kept from its `result.json`.
  ///
  /// - Parameter name: the run's name; nil for the folder's.
  /// - Throws: ``MienError`` naming the file.
  public init(run folder: URL, name: String? = nil) throws {
    let file = folder.appendingPathComponent("metrics.csv")
    guard let data = try? Data(contentsOf: file) else {
      throw FileProblem.error(reading: file)
    }
    do {
      try self.init(
        csv: String(decoding: data, as: UTF8.self), name: name ?? folder.standardizedFileURL.lastPathComponent,
        keptEpoch: Self.keptEpoch(in: folder))
    } catch let error as MienError { throw error.about(file.path) }
  }

  private static func keptEpoch(in folder: URL) -> Int? {
    struct Result: Decodable {
      struct Epoch: Decodable { let epoch: Int }
      let best: Epoch
    }
    let data = try? Data(contentsOf: folder.appendingPathComponent("result.json"))
    return data.flatMap { try? JSONDecoder().decode(Result.self, from: $0) }?.best.epoch
  }

  /// How many epochs have a row.
  public var epochCount: Int { rows.count }

  /// The label sets measured: those with a column `validation_NAME_accuracy`.
  public var heads: [String] {
    columns.compactMap { column in
      guard column.hasPrefix("validation_"), column.hasSuffix("_accuracy"), !column.hasSuffix("_balanced_accuracy")
      else { return nil }
      return String(column.dropFirst("validation_".count).dropLast("_accuracy".count))
    }
  }

  /// The values of a column, a row an epoch; nil where there is no such column, or a gap.
  public func values(_ column: String) -> [Double?] {
    guard let index = columns.firstIndex(of: column) else { return rows.map { _ in nil } }
    return rows.map { $0[index] }
  }

  /// A column over the epochs, as places of a ``LineChart``.
  public func points(_ column: String) -> [LineChart.Point] {
    zip(values("epoch"), values(column)).map { .init($0 ?? .nan, $1 ?? .nan) }
  }

  /// The epoch that training kept; before its end the one with the highest mean of the heads' validation accuracies, or
  /// where no accuracy was written the lowest training loss. Of equals the first; nil where there is no epoch.
  public var best: Best? {
    if let keptEpoch, let row = values("epoch").firstIndex(of: Double(keptEpoch)) {
      return Best(epoch: keptEpoch, rule: "The best epoch is the one whose weights training kept.", row: row)
    }
    let heads = heads
    let accuracies = heads.map { values("validation_\($0)_accuracy") }
    let scores: [Double?] =
      heads.isEmpty
      ? values("train_loss").map { $0.map { -$0 } }
      : rows.indices.map { row in
        let shares = accuracies.compactMap { $0[row] }
        return shares.count == heads.count ? shares.reduce(0, +) / Double(heads.count) : nil
      }
    var best: (row: Int, score: Double)?
    for (row, score) in scores.enumerated() {
      if let score, score > best?.score ?? -.infinity { best = (row, score) }
    }
    guard let best, let epoch = values("epoch")[best.row] else { return nil }
    return Best(
      epoch: Int(epoch),
      rule: heads.isEmpty
        ? "The best epoch has the lowest training loss."
        : "The best epoch has the highest mean of the heads' validation accuracies.",
      row: best.row)
  }

  /// A column's value at the best epoch; nil where there is none.
  public func atBest(_ column: String) -> Double? { best.flatMap { values(column)[$0.row] } }

  /// Seconds from the run's beginning to its last epoch; nil where they were not written.
  public var seconds: Double? { values("seconds").compactMap(\.self).last }
}
