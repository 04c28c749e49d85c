/// A table for a terminal: the first column and those of words flush left, those of numbers flush right.
public struct TextTable: Sendable {
  /// The names of the columns.
  public let header: [String]
  /// The cells, a row an entry; missing cells stay empty.
  public private(set) var rows: [[String]] = []

  /// Starts a table.
  public init(header: [String]) { self.header = header }

  /// Adds a row.
  public mutating func add(_ cells: [String]) { rows.append(cells) }

  /// What stands in place of a number that there is none of.
  private static let absences = ["undefined", "not measured"]

  /// Whether a column holds words: it is the first, or one of its cells begins with a letter and does not just say that
  /// there is no number.
  func isText(_ column: Int) -> Bool {
    column == 0
      || rows.contains { row in
        row.count > column && row[column].first?.isLetter == true && !Self.absences.contains(row[column])
      }
  }

  /// Whether a column holds phrases that may take several lines.
  func isLong(_ column: Int) -> Bool { isText(column) && rows.contains { $0.count > column && $0[column].count > 24 } }

  /// The lines, joined by line ends, columns two blanks apart.
  public var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    let isText = header.indices.map(isText)
    return all.map { cells in
      let padded = header.indices.map { column in
        let cell = cells.count > column ? cells[column] : ""
        let blanks = String(repeating: " ", count: widths[column] - cell.count)
        return isText[column] ? cell + blanks : blanks + cell
      }
      let line = padded.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}
