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
    fileprivate let row: Int
  }

  /// The run's name.
  public let name: String
  /// The names of the columns.
  public let columns: [String]
  /// The hashes of the validation faces' pictures, one per data set; nil if they are not known.
  public private(set) var validationHashes: [String]?
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
    let table = try CSVTable(csv)
    columns = table.columns
    guard let epoch = columns.firstIndex(of: RunColumn.epoch.name) else {
      throw MienError(.format, nil, "expected a column epoch, found \(columns.prefix(8).joined(separator: ", "))")
    }
    rows = table.rows.map { row in
      row.fields.map { Double($0.trimmingCharacters(in: .whitespaces)).flatMap { $0.isFinite ? $0 : nil } }
    }
    if let bad = rows.firstIndex(where: { $0[epoch].flatMap { Int(exactly: $0) } == nil }) {
      throw MienError(.format, nil, "line \(table.rows[bad].line): the epoch is no whole number")
    }
  }

  /// The text of a `metrics.csv`: a row per epoch, with a column for each figure that any epoch has, empty if one lacks
  /// it.
  package static func csv(_ epochs: [EpochResult]) -> String {
    let figures = epochs.map { [String: Double](figures: $0.figures) }
    let all = epochs.flatMap(\.columns).map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let names = all.filter { name in figures.contains { $0[name] != nil } }
    func number(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "" }
    let first = [RunColumn.epoch, .step, .learningRate].map(\.name)
    return CSVLine.text(first + names + [RunColumn.seconds.name], end: "\n")
      + zip(epochs, figures).map { epoch, figures in
        CSVLine.text(
          ["\(epoch.epoch)", "\(epoch.step)", number(epoch.learningRate)] + names.map { number(figures[$0]) }
            + [number(epoch.seconds)], end: "\n")
      }.joined()
  }

  /// Reads the `metrics.csv` of a run folder, and the epoch kept from its `result.json`.
  ///
  /// - Parameter name: the run's name; nil for the folder's.
  /// - Throws: ``MienError`` naming the file.
  public init(run folder: URL, name: String? = nil) throws {
    let file = RunFiles(folder).metrics
    guard let data = try? Data(contentsOf: file) else {
      throw FileProblem.error(reading: file)
    }
    let result = try? RunResult(in: RunFiles(folder))
    do {
      try self.init(
        csv: String(decoding: data, as: UTF8.self), name: name ?? folder.standardizedFileURL.lastPathComponent,
        keptEpoch: result?.best.epoch)
      validationHashes = result?.validation.map { $0.compactMap(\.picturesHash).sorted() }
    } catch let error as MienError { throw error.about(file.relativePath) }
  }

  /// How many epochs have a row.
  public var epochCount: Int { rows.count }

  /// The label sets measured: those with a validation accuracy.
  public var heads: [String] {
    columns.compactMap { name in
      if case .figure(.accuracy, let head, part: .validation) = RunColumn(name: name) { head } else { nil }
    }
  }

  /// Whether a column is there.
  public func has(_ column: RunColumn) -> Bool { columns.contains(column.name) }

  /// The values of a column, one per epoch; nil if there is no such column, or for a gap.
  public func values(_ column: RunColumn) -> [Double?] {
    guard let index = columns.firstIndex(of: column.name) else { return rows.map { _ in nil } }
    return rows.map { $0[index] }
  }

  /// The epoch that training kept; before its end the one with the highest mean of the heads' validation accuracies, or
  /// where no accuracy was written the lowest training loss. Of equals the first; nil where there is no epoch.
  public var best: Best? {
    if let keptEpoch, let row = values(.epoch).firstIndex(of: Double(keptEpoch)) {
      return Best(epoch: keptEpoch, rule: "The best epoch is the one whose weights were saved.", row: row)
    }
    let heads = heads
    let accuracies = heads.map { values(.figure(.accuracy, head: $0, part: .validation)) }
    let scores: [Double?] =
      heads.isEmpty
      ? values(.trainingLoss).map { $0.map { -$0 } }
      : rows.indices.map { row in
        let shares = accuracies.compactMap { $0[row] }
        return shares.count == heads.count ? shares.reduce(0, +) / Double(heads.count) : nil
      }
    var best: (row: Int, score: Double)?
    for (row, score) in scores.enumerated() {
      if let score, score > best?.score ?? -.infinity { best = (row, score) }
    }
    guard let best, let epoch = values(.epoch)[best.row] else { return nil }
    return Best(
      epoch: Int(epoch),
      rule: heads.isEmpty
        ? "The best epoch has the lowest training loss."
        : "The best epoch has the highest mean of the heads' validation accuracies.",
      row: best.row)
  }

  /// A column's value at the best epoch; nil where there is none.
  public func atBest(_ column: RunColumn) -> Double? { best.flatMap { values(column)[$0.row] } }

  /// Seconds from the run's beginning to its last epoch; nil where they were not written.
  public var seconds: Double? { values(.seconds).compactMap(\.self).last }
}
