import Foundation
import MienCore
import MienServer
import Testing

@Suite struct MultipartParserTests {
  private static let type = "multipart/form-data; boundary=b"

  private func parts(_ body: String, type: String = type, maxParts: Int = 4) throws -> [MultipartParser.Part] {
    try #require(try MultipartParser(contentType: type, maxParts: maxParts)).parts(of: Data(body.utf8))
  }

  @Test func partsAreReadWithTheirNamesAndTypes() throws {
    let body = """
      preamble\r
      --b \t\r
      Content-Disposition: form-data; name="one"; filename="a \\"b\\".jpg"\r
      CONTENT-TYPE: Image/JPEG; q=1\r
      \r
      first\r
      -b\r
      --b\r
      content-disposition: form-data; name=two\r
      \r
      \r
      --b--\r
      epilogue --b
      """
    let found = try parts(body)
    #expect(found.map(\.name) == ["one", "two"])
    #expect(found[0].fileName == "a \"b\".jpg" && found[0].contentType == "image/jpeg")
    #expect(found[1].fileName == nil && found[1].contentType == nil && found[1].body.isEmpty)
    #expect(String(decoding: found[0].body, as: UTF8.self) == "first\r\n-b")
  }

  @Test func fileNamesNeedNotBeUTF8AndLongOnesAreNamed() throws {
    let start = Data("--b\r\nContent-Disposition: form-data; name=f; filename=\"gr".utf8)
    let body = start + Data([0xFC, 0xDF]) + Data("e.jpg\"\r\n\r\nx\r\n--b--".utf8)
    let parser = try #require(try MultipartParser(contentType: Self.type, maxParts: 1))
    #expect(try parser.parts(of: body).map(\.fileName) == ["grüße.jpg"])
    // A long one is cut off between two characters.
    for (name, expected) in [
      (String(repeating: "n", count: 1024), String(repeating: "n", count: 1024)),
      (String(repeating: "n", count: 1025), String(repeating: "n", count: 1024) + "…"),
      ("n" + String(repeating: "ü", count: 5000), "n" + String(repeating: "ü", count: 511) + "…"),
    ] {
      let found = try parts("--b\r\nContent-Disposition: form-data; name=f; filename=\"\(name)\"\r\n\r\nx\r\n--b--")
      #expect(found.map(\.fileName) == [expected] && found.map(\.body) == [Data("x".utf8)])
    }
  }

  @Test func partsNeedNoName() throws {
    let found = try parts(
      "--b\r\nContent-Disposition: form-data; filename=a\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data\r\n\r\n2\r\n"
        + "--b\r\nContent-Type: text/plain\r\n\r\n3\r\n--b--")
    #expect(found.map(\.name) == ["", "", ""] && found.map(\.fileName) == ["a", nil, nil])
    #expect(found.map { String(decoding: $0.body, as: UTF8.self) } == ["1", "2", "3"])
  }

  @Test(arguments: [
    "Content-Disposition: attachment; name=a", "no colon", "A: 1\r\nA: 2", "Content-Transfer-Encoding: base64",
    "X: \(String(repeating: "x", count: 70_000))",
  ])
  func anErrorNamesThePart(header: String) throws {
    let body = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b\r\n\(header)\r\n\r\n\r\n--b--"
    let error = #expect(throws: MultipartParser.Malformed.self) { try parts(body) }
    #expect(error?.message.hasPrefix("Part 2: ") == true)
    // The same where a file is taken out piece by piece.
    let other = #expect(throws: MultipartParser.Malformed.self) {
      var file = try #require(try MultipartFile(contentType: Self.type))
      _ = try file.content(of: Data(body.utf8))
    }
    #expect(other == error)
  }

  @Test func contentsAreBytes() throws {
    let content = Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    let head = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n"
    let body = Data(head.utf8) + content + Data("\r\n--b--".utf8)
    let parser = try #require(try MultipartParser(contentType: "multipart/form-data;boundary=\"b\"", maxParts: 1))
    // A body that is a part of larger data has indices of its own.
    let shifted = (Data([1, 2, 3]) + body).dropFirst(3)
    #expect(try parser.parts(of: body).map(\.body) == [content])
    #expect(try parser.parts(of: shifted).map(\.body) == [content])
  }

  @Test(arguments: [
    "", "--b", "--b\r\n", "--b--trailing-without-parts-is-fine?", "no delimiter at all",
    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end",
    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n",
    "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n\r\n--b--",
    "--b\r\nno colon\r\n\r\n\r\n--b--", "--b\r\n: value\r\n\r\n\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=a\r\nX: \(String(repeating: "x", count: 70_000))\r\n\r\n\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=a\r\n"
      + (0..<20).map { "X\($0): x\r\n" }.joined() + "\r\n\r\n--b--",
    String(repeating: "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n", count: 5) + "--b--",
  ])
  func whatIsNoFormIsRefused(body: String) throws {
    if body.hasPrefix("--b--") {
      #expect(try parts(body).isEmpty)
    } else {
      #expect(throws: MultipartParser.Malformed.self) { try parts(body) }
    }
  }

  @Test func boundariesAreChecked() throws {
    #expect(try MultipartParser(contentType: "image/jpeg", maxParts: 1) == nil)
    for bad in [
      "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
      "multipart/form-data; boundary=\"a\r\nb\"", "multipart/form-data; boundary=\"a \"",
      "multipart/form-data; boundary=\(String(repeating: "b", count: 71))", "multipart/form-data; boundary=é",
    ] {
      #expect(throws: MultipartParser.Malformed.self) { try MultipartParser(contentType: bad, maxParts: 1) }
    }
  }

  /// Whatever comes in, the parser answers with parts that lie in the body and within its bounds, or refuses.
  @Test func mutatedFormsNeverBreakTheParser() throws {
    let head =
      "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
    let form = [UInt8]((head + "first\r\n\r\n--b" + "\r\n" + head.dropFirst(5) + "second\r\n--b--\r\n").utf8)
    let tokens = ["\r\n", "--b", "--", "\r", ";", "\"", "\\", ": ", "=", "\0", "name=", "\r\n\r\n", "\r\n--b--"]
      .map { [UInt8]($0.utf8) }
    let parser = try #require(try MultipartParser(contentType: Self.type, maxParts: 3))
    var random = SeededRandom(seed: 17)
    func below(_ count: Int) -> Int { Int.random(in: 0..<max(1, count), using: &random) }
    var (read, refused) = (0, 0)
    for _ in 0..<20_000 {
      var bytes = form
      for _ in 0...below(3) {
        let place = below(bytes.count)
        switch below(5) {
        case 0 where !bytes.isEmpty: bytes[place] = UInt8(below(256))
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + below(40)))
        case 2: bytes.insert(contentsOf: tokens[below(tokens.count)], at: place)
        case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + below(60))], at: below(bytes.count))
        default: bytes.removeLast(below(bytes.count))
        }
      }
      do {
        let parts = try parser.parts(of: Data(bytes))
        read += 1
        #expect(parts.count <= 3 && parts.reduce(0) { $0 + $1.body.count } <= bytes.count)
      } catch is MultipartParser.Malformed {
        refused += 1
      }
    }
    // The mutations reach both ends.
    #expect(read > 500 && refused > 500)
  }

  /// What a file taken out piece by piece is, of bodies that are cut at every place.
  @Test(arguments: [
    "--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nbytes\r\n--a\r\r\n-\r\n--b--\r\n",
    "--b\r\nContent-Disposition: form-data; name=t\r\n\r\ntext\r\n--b \t\r\n"
      + "Content-Disposition: form-data; name=f; filename=a\r\n\r\n\r\n\r\n--b--epilogue",
    "preamble\r\n--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n\r\n--b--",
    "--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nx\r\n--b\r\n"
      + "Content-Disposition: form-data; name=t\r\n\r\ntext\r\n--b--",
  ])
  func aFileIsTheSameInPieces(body: String) throws {
    let bytes = Data(body.utf8)
    let expected = try parts(body).first { $0.fileName != nil }?.body ?? Data()
    for size in 1...bytes.count {
      var file = try #require(try MultipartFile(contentType: Self.type))
      var content = Data()
      for start in stride(from: 0, to: bytes.count, by: size) {
        content += try file.content(of: bytes[start..<min(bytes.count, start + size)])
      }
      try file.finish()
      #expect(content == expected, "\(size)")
    }
  }

  @Test(arguments: [
    "", "--b", "--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nno end", "--bx\r\n",
    "--b\r\n" + String(repeating: "x", count: 70_000), "--b" + String(repeating: " ", count: 9000),
    "--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n"
      + "1\r\n--b\r\nContent-Disposition: form-data; name=g; filename=b\r\n\r\n2\r\n--b--",
    String(repeating: "--b\r\nContent-Disposition: form-data; name=t\r\n\r\n\r\n", count: 100) + "--b--",
  ])
  func piecesThatAreNoFormAreRefused(body: String) throws {
    #expect(throws: MultipartParser.Malformed.self) {
      var file = try #require(try MultipartFile(contentType: Self.type))
      _ = try file.content(of: Data(body.utf8))
      try file.finish()
    }
  }
}
