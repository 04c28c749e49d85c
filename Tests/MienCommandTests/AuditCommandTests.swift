import Foundation
import MienCore
import MienTestSupport
import Testing

@Suite struct AuditCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.file(name).path }

  /// A set of six faces of noise: 0 and 1 are equal, 2 is in validation and equal to 3 in training, 4 stands alone and
  /// 5 is blank.
  func makeFaces() throws {
    func noise(_ seed: UInt64) -> [UInt8] {
      var random = SeededRandom(seed: seed)
      let blocks = (0..<64).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      return (0..<2304).map { blocks[$0 / 48 / 6 * 8 + $0 % 48 / 6] }
    }
    let pictures = [noise(1), noise(1), noise(2), noise(2), noise(3), [UInt8](repeating: 8, count: 2304)]
    let labels: [Emotion] = [.anger, .anger, .fear, .fear, .anger, .sadness]
    let rows = labels.enumerated().map { index, label in
      FaceSet.Row(label: label, split: index == 2 ? .validation : .train, sourceRow: index)
    }
    try FaceSet(
      source: "noise", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows,
      pixels: Data(pictures.joined())
    ).write(to: folder.file("faces"))
  }

  @Test func auditCountsShowsAndFixes() throws {
    try makeFaces()
    let shown = try Command.mien(
      "dataset", "audit", path("faces"), "--html", path("copies.html"), "--fix", path("clean"))
    #expect(shown.status == 0, "\(shown.errors)")
    #expect(shown.output.contains("6 faces of 48x48 (5 train, 1 validation)\n"))
    #expect(shown.output.contains("groups across splits                         1              1\n"))
    #expect(shown.output.contains("blank pictures               1  (rows 5)\n"))
    #expect(shown.errors.contains("left out: 1 blank\n") && shown.errors.contains("\(path("clean")): 3 of 6 faces\n"))
    let clean = try FaceSet(contentsOf: folder.file("clean"))
    #expect((0..<clean.count).map { clean[$0].sourceRow } == [0, 2, 4])
    #expect(try Command.mien("dataset", "inspect", path("clean")).output.contains("audit --fix (copies near): 3 of 6"))
    #expect(try String(contentsOf: folder.file("copies.html"), encoding: .utf8).contains("data:image/png;base64,"))

    let json = try Command.mien("dataset", "audit", path("faces"), "--json", "-", "--copies", "exact")
    let object = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(object["faces"] as? Int == 6 && (object["groups"] as? [Any])?.count == 2)
  }

  @Test func oneResultAtMostGoesToStandardOutput() throws {
    try makeFaces()
    let page = try Command.mien("dataset", "audit", path("faces"), "--html", "-")
    #expect(page.status == 0 && page.output.hasPrefix("<!DOCTYPE html>") && page.output.hasSuffix("</html>\n"))
    let both = try Command.mien("dataset", "audit", path("faces"), "--html", "-", "--json", "-")
    #expect(both.status == 64 && both.output.isEmpty)
    #expect(both.errors.contains("only one of --json and --html can go to standard output"))
  }

  @Test func theInputIsNeverOverwritten() throws {
    try makeFaces()
    let before = try Data(contentsOf: folder.file("faces"))
    try FileManager.default.createSymbolicLink(at: folder.file("link"), withDestinationURL: folder.file("faces"))
    for name in ["faces", "link", "./faces"] {
      let fix = try Command.mien("dataset", "audit", path("faces"), "--fix", path(name))
      #expect(fix.status == 64 && fix.errors.contains("is the input, expected another file"))
      #expect(try Command.mien("dataset", "balance", path("faces"), "-o", path(name)).status == 64)
    }
    #expect(try Data(contentsOf: folder.file("faces")) == before)
  }

  @Test func balanceFillsTrainingAndWarnsBeforeTheSplit() throws {
    try makeFaces()
    let made = try Command.mien(
      "dataset", "balance", path("faces"), "-o", path("full"), "--flips", "horizontal,vertical", "--seed", "3")
    #expect(made.status == 0 && !made.errors.contains("warning"))
    #expect(made.errors.contains("fear: 2 copies\n") && made.errors.contains("sadness: 2 copies\n"))
    #expect(made.errors.contains("\(path("full")): 10 faces, 4 of them copies\nwrote \(path("full")) ("))
    let before = try Command.mien("dataset", "balance", path("faces"), "-o", path("full"), "--before-split")
    #expect(before.status == 0 && before.errors.contains("warning: a random cut of this set puts copies"))
    for wrong in [
      ["--flips", "diagonal"], ["--flips", "none", "--rotation", "0"], ["--rotation", "200"], ["--seed", "x"],
    ] {
      let refused = try Command.run(
        Command.mien.path, ["dataset", "balance", path("faces"), "-o", path("no")] + wrong)
      #expect(refused.status == 64, "\(refused.errors)")
    }
    let missing = try Command.mien("dataset", "balance", path("faces"), "-o", path("no"), "--labels", "ferplus")
    #expect(missing.status == 64 && !FileManager.default.fileExists(atPath: path("no")))
  }
}
