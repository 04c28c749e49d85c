import MienCore
import Testing

@Suite struct CSVTests {
  @Test(arguments: [
    ("a,b\n1,2\n", [["1", "2"]]), ("a,b\r\n1,2\r\n3,4", [["1", "2"], ["3", "4"]]), ("a,b\r1,2\r", [["1", "2"]]),
    ("\u{FEFF}a,b\n\n,\n\n", [["", ""]]), ("a,b\n\"x,\"\"y\"\"\",\"two\nlines\"\n", [["x,\"y\"", "two\nlines"]]),
    ("a,b\n\"\",5\" nail\n", [["", "5\" nail"]]), ("a,b", []),
  ])
  func tablesAreRead(text: String, rows: [[String]]) throws {
    let table = try CSVTable(text)
    #expect(table.columns == ["a", "b"] && table.rows.map(\.fields) == rows)
  }

  @Test(arguments: [
    ("", "is empty"), ("a,b\n1\n", "line 2: expected 2 values, found 1"), ("a,b\n\"1,2\n", "line 2: a quotation mark"),
    ("a\n\"x\ny\"\n1,2\n", "line 4: expected 1 values, found 2"),
  ])
  func whatDoesNotFitIsNamedByItsLine(text: String, problem: String) {
    let error = #expect(throws: MienError.self) { try CSVTable(text) }
    #expect(error?.message.hasPrefix(problem) == true, "\(String(describing: error))")
  }

  @Test func linesReadBackAsTheyWere() throws {
    let fields = ["plain", "a,b", "say \"x\"", "two\r\nlines", "-1.5", ""]
    let table = try CSVTable(CSVLine.text(["1", "2", "3", "4", "5", "6"]) + CSVLine.text(fields))
    #expect(table.rows.map(\.fields) == [fields])
    #expect(CSVLine.text(["=1+2", "x"], end: "\n") == "'=1+2,x\n")
  }
}
