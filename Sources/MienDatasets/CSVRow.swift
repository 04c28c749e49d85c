/// The fields of one CSV line, as ranges of its bytes: no copy and no string per field.
///
/// Blanks around a field and quotes around its text are left out; doubled ones within it stay so. A field that holds a
/// line end is not supported.
struct CSVRow {
  /// What stands between fields.
  var delimiter = UInt8(ascii: ",")
  /// The bytes of each field, within the line.
  private(set) var fields: [Range<Int>] = []

  /// Finds the fields of `line`, replacing those found before.
  mutating func split(_ line: Span<UInt8>) {
    fields.removeAll(keepingCapacity: true)
    var position = 0
    while true {
      while position < line.count, isBlank(line[position]) { position += 1 }
      var start = position
      var end: Int
      if position < line.count, line[position] == UInt8(ascii: "\"") {
        start += 1
        position = start
        while position < line.count {
          if line[position] == UInt8(ascii: "\"") {
            // Two stand for one within the text.
            guard position + 1 < line.count, line[position + 1] == UInt8(ascii: "\"") else { break }
            position += 1
          }
          position += 1
        }
        end = position
        while position < line.count, line[position] != delimiter { position += 1 }
      } else {
        while position < line.count, line[position] != delimiter { position += 1 }
        end = position
      }
      while end > start, isBlank(line[end - 1]) { end -= 1 }
      fields.append(start..<end)
      guard position < line.count else { return }
      position += 1
    }
  }

  /// The text of field `index`, for headers and messages; unprintable characters are replaced and long texts cut.
  func text(_ index: Int, of line: Span<UInt8>) -> String {
    guard fields.indices.contains(index) else { return "" }
    return Self.printable(line.extracting(fields[index]))
  }

  /// `bytes` for a message: ASCII, at most 60 characters.
  static func printable(_ bytes: Span<UInt8>) -> String {
    var text = ""
    for index in 0..<min(bytes.count, 60) {
      let byte = bytes[index]
      text.unicodeScalars.append((32..<127).contains(byte) ? Unicode.Scalar(byte) : "?")
    }
    return bytes.count > 60 ? text + "..." : text
  }

  /// Whether `line` holds nothing but blanks.
  static func isEmpty(_ line: Span<UInt8>) -> Bool {
    for index in 0..<line.count where !isBlank(line[index]) { return false }
    return true
  }

  /// A non-negative decimal number of at most four digits; nil for anything else.
  static func number(_ bytes: Span<UInt8>) -> Int? {
    guard (1...4).contains(bytes.count) else { return nil }
    var value = 0
    for index in 0..<bytes.count {
      let digit = bytes[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  private func isBlank(_ byte: UInt8) -> Bool { Self.isBlank(byte) && byte != delimiter }
}

/// The header of a CSV file: where each wanted column stands.
struct CSVHeader {
  /// A column by the names that it may have.
  typealias Column = [String]

  private let positions: [Int?]
  /// How many fields a row has.
  let width: Int

  /// Finds `columns`, in any order and letter case, in the first line of a file, and sets the delimiter of `row` to the
  /// one that finds them: a comma, a semicolon, a tab or a bar.
  ///
  /// - Parameter optional: columns that may be missing; they are numbered after `columns`.
  /// - Returns: nil if one of `columns` is missing.
  init?(_ row: inout CSVRow, of line: Span<UInt8>, columns: [Column], optional: [Column] = []) {
    for delimiter in [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")] {
      row.delimiter = delimiter
      row.split(line)
      var names: [String] = []
      for index in row.fields.indices { names.append(row.text(index, of: line).lowercased()) }
      func position(_ column: Column) -> Int? {
        column.lazy.compactMap { name in names.firstIndex(of: name.lowercased()) }.first
      }
      let found = columns.map(position)
      guard found.allSatisfy({ $0 != nil }) else { continue }
      positions = found + optional.map(position)
      width = names.count
      return
    }
    return nil
  }

  /// A header that the file lacks, with its columns at `positions`.
  init(positions: [Int?], width: Int) {
    self.positions = positions
    self.width = width
  }

  /// The position in a row of the column that was asked for as number `column`.
  subscript(column: Int) -> Int { positions[column] ?? width }

  /// The same for a column that may be missing.
  subscript(optional column: Int) -> Int? { positions[column] }

  /// Whether `row` has as many fields as the header; empty ones at its end, as spreadsheets add them, do not count.
  func fits(_ row: CSVRow) -> Bool {
    row.fields.count == width || (row.fields.count > width && row.fields.dropFirst(width).allSatisfy(\.isEmpty))
  }
}
