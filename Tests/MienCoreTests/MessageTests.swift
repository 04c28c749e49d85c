import MienCore
import Testing

/// Words in messages: what a mistyped name is meant to be, and errors of other libraries.
@Suite struct MessageTests {
  @Test(arguments: [
    ("trian", "train", 1), ("tran", "train", 1), ("train", "train", 0), ("TRAIN", "train", 0), ("rtain", "train", 1),
    ("rtani", "train", 2), ("ca", "abc", 3), ("", "abc", 3), ("abc", "", 3), ("abdc", "acbd", 2),
  ])
  func swappedLettersAreOneMistake(word: String, other: String, distance: Int) {
    #expect(Spelling.nearest(word, among: [other], atMost: distance) == other)
    #expect(distance == 0 || Spelling.nearest(word, among: [other], atMost: distance - 1) == nil)
  }

  @Test(arguments: [
    (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (3589, "3,589"), (28_709, "28,709"), (1_372_705, "1,372,705"),
    (-1234, "-1,234"), (-999, "-999"), (Int.max, "9,223,372,036,854,775,807"), (.min, "-9,223,372,036,854,775,808"),
  ])
  func numbersHaveACommaBeforeEveryThreeDigits(number: Int, text: String) {
    #expect(number.grouped == text)
    #expect(Spelling.counted(number, "face") == text + (number == 1 ? " face" : " faces"))
  }

  @Test(arguments: [
    (0, 0, "0 %"), (1, 0, "100 %"), (0.98, 0, "98 %"), (0.0049, 0, "<1 %"), (0.006, 0, "1 %"), (0.994, 0, "99 %"),
    (0.996, 0, ">99 %"), (0, 1, "0.0 %"), (1e-9, 1, "<0.1 %"), (0.0006, 1, "0.1 %"), (0.9994, 1, "99.9 %"),
    (0.9996, 1, ">99.9 %"), (1, 1, "100.0 %"), (0.99996, 2, ">99.99 %"), (.nan, 0, "-"),
  ])
  func noReadingIsCertain(probability: Double, decimals: Int, text: String) {
    #expect(NumberText.probability(probability, decimals) == text)
    #expect(NumberText.probability(Float(probability), decimals) == text)
  }

  private struct ForeignError: Error, CustomStringConvertible {
    let description: String
  }

  @Test(arguments: [
    (
      "2:2: error: parser: while parsing a flow sequence in line 1, column 4\ndid not find expected ',' or ']':\nb: 2\n ^",
      "line 2, column 2: while parsing a flow sequence in line 1, column 4, did not find expected ',' or ']'"
    ),
    (
      "3:1: error: scanner: while scanning a simple key in line 2, column 1\ncould not find expected ':':\nepochs: 3\n^",
      "line 3, column 1: while scanning a simple key in line 2, column 1, could not find expected ':'; the colon, or the "
        + "space after it, may be missing in line 2"
    ),
    (
      "3:1: error: scanner: while scanning for the next token in line 3, column 1\nfound character that cannot start any "
        + "token:\n\tstem: 4\n^",
      "line 3, column 1: while scanning for the next token in line 3, column 1, found character that cannot start any "
        + "token; the line has a tab, and YAML takes only spaces there"
    ),
    ("1:4: error: composer: found undefined alias:\na: *x\n   ^", "line 1, column 4: found undefined alias"),
    ("Parser: expected all keys to be unique: 'a'.\nContext:\na: 1\n", "expected all keys to be unique: 'a'."),
    ("something else", "something else"), ("", "unknown problem"),
  ])
  func errorsOfTheYAMLParserAreOneLine(description: String, message: String) {
    let error = MienError.notYAML("a.yaml", ForeignError(description: description))
    #expect(error.description == "a.yaml: is not valid YAML: \(message)" && error.kind == .format)
  }
}
