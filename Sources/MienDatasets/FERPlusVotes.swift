import MienCore

/// The rows of FER+'s `fer2013new.csv`: ten raw counts for each row of FER2013's CSV, in the same order.
struct FERPlusVotes {
  /// The votes of one row.
  private struct Entry {
    let usage: FER2013Usage
    let counts: [UInt8]
    let line: Int
  }

  /// The columns that hold counts, in the order of ``FaceSet/Row/votes``.
  private static let columns = LabelSet.ferplus.emotions.map(\.rawValue) + ["unknown", "NF"]
  private let entries: [Entry]
  private let name: String

  /// Reads the file.
  ///
  /// - Throws: ``MienError`` naming file and line where it breaks the format.
  init(_ source: ByteSource) throws {
    name = source.name
    let name = source.name
    var entries: [Entry] = []
    var header: CSVHeader?
    var row = CSVRow()
    try LineReader(source).forEachLine { line, number in
      if CSVRow.isEmpty(line) { return }
      func refuse(_ message: String) -> MienError { MienError(.format, "\(name), line \(number)", message) }
      guard let header else {
        header = CSVHeader(&row, of: line, columns: [["Usage"]] + Self.columns.map { [$0] })
        guard header != nil else {
          throw refuse(
            "expected the header `Usage,Image name,\(Self.columns.joined(separator: ","))`, "
              + "found `\(CSVRow.printable(line))`")
        }
        return
      }
      row.split(line)
      guard header.fits(row) else {
        throw refuse("expected \(header.width) fields, found \(row.fields.count)")
      }
      guard let usage = FER2013Usage(line.extracting(row.fields[header[0]])) else {
        throw refuse("expected \(FER2013Usage.choices), found `\(row.text(header[0], of: line))`")
      }
      var counts: [UInt8] = []
      for column in Self.columns.indices {
        let position = header[column + 1]
        guard let votes = CSVRow.number(line.extracting(row.fields[position])).flatMap(UInt8.init(exactly:)) else {
          throw refuse(
            "expected a count of votes for \(Self.columns[column]), found `\(row.text(position, of: line))`")
        }
        counts.append(votes)
      }
      entries.append(Entry(usage: usage, counts: counts, line: number))
    }
    guard header != nil else { throw MienError(.format, name, "is empty, expected FER+'s votes") }
    self.entries = entries
  }

  /// The votes for row `index` of FER2013's CSV, which stands in part `usage` and on `line` of `file`.
  ///
  /// - Returns: nil past the end, for rows of PrivateTest only.
  /// - Throws: ``MienError`` where the two files do not go together.
  func counts(row index: Int, usage: FER2013Usage, file: String, line: Int) throws -> [UInt8]? {
    guard entries.indices.contains(index) else {
      guard usage == .privateTest else {
        throw MienError(
          .mismatch, name,
          "has votes for \(entries.count.grouped) rows, but \(file) has a further \(usage.rawValue) row on line \(line)"
        )
      }
      return nil
    }
    let entry = entries[index]
    guard entry.usage == usage else {
      throw MienError(
        .mismatch, "\(name), line \(entry.line)",
        "is a \(entry.usage.rawValue) row, but row \(index + 1) of \(file) (line \(line)) is \(usage.rawValue): "
          + "the two files must have the same rows in the same order")
    }
    return entry.counts
  }

  /// Checks that votes left over after `count` rows are PrivateTest's, which a file of faces may lack.
  ///
  /// - Throws: ``MienError`` where another part's votes are left over.
  func checkEnd(afterRows count: Int, file: String) throws {
    guard let extra = entries.dropFirst(count).first(where: { $0.usage != .privateTest }) else { return }
    throw MienError(
      .mismatch, "\(name), line \(extra.line)",
      "a \(extra.usage.rawValue) row past the end of \(file), which has \(count.grouped) rows")
  }
}
