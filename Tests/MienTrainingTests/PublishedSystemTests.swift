import Foundation
import MienCore
import MienReports
import MienRuns
import MienTestSupport
import MienTraining
import Testing

/// Published systems are files.
@Suite struct PublishedSystemTests {
  @Test func theFivePapersAreBuiltInWithTheirFigures() throws {
    let systems = try PublishedSystem.builtIn()
    #expect(systems.map(\.name) == ["chen", "gao", "javier", "le-deep", "le-shallow", "yousaf"])
    func figures(_ system: String, _ measurement: String) throws -> [PublishedSystem.Figure] {
      let found = try #require(systems.first { $0.name == system })
      return try #require(found.measurements.first { $0.name == measurement }).figures
    }
    #expect(
      try figures("chen", "random-split") == [
        .init(.accuracy, 0.8325), .init(.loss, 0.5008), .init(.recall(.anger), 0.989), .init(.recall(.sadness), 0.57),
      ])
    #expect(try figures("javier", "official").map(\.value) == [0.6215, 1.0121, 0.6047, 1.0447])
    #expect(try figures("gao", "official").map(\.measure) == [.accuracy, .trainingAccuracy])
    #expect(try figures("le-deep", "official").count == 8 && figures("yousaf", "fer2013-leaky").count == 8)
    #expect(systems[0].measurements.map(\.repeats) == [.folds(5), .seeds(10)])
    #expect(systems.flatMap(\.measurements).count { $0.source == nil } == 1)
  }

  /// Every file of the folder is built in under its own name.
  @Test func noFileIsForgotten() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../recipes/published")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).map { String($0.dropLast(5)) }
    #expect(names.sorted() == PublishedSystem.builtInNames.sorted())
    for name in names {
      let system = try PublishedSystem(contentsOf: folder.appending(path: "\(name).yaml"))
      let builtIn = try PublishedSystem.builtIn()
      #expect(system.name == name && builtIn.contains(system))
    }
  }

  /// The page of figures has the words that `mien reproduce --markdown` writes, so that writing it again changes figures alone.
  @Test func thePageOfFiguresHasTheProgramsWords() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/results/published.md")
    let page = try String(contentsOf: file, encoding: .utf8)
    var table = ReproductionTable()
    for system in try PublishedSystem.builtIn() {
      for measurement in system.measurements { table.add(system, measurement, nil, note: "") }
    }
    for part in table.markdown().components(separatedBy: "\n\n").prefix(2) {
      #expect(page.contains(part + "\n\n"), "\(part)")
    }
    for system in try PublishedSystem.builtIn() {
      let remarks = "\nOf \(system.name): " + system.remarks.joined(separator: " ") + "\n"
      #expect(page.contains(remarks), "\(remarks)")
      for measurement in system.measurements where measurement.source != nil {
        let heading = "## \(system.name), \(measurement.name)\n\n\(system.paper). \(measurement.summary).\n"
        #expect(page.contains(heading), "\(heading)")
      }
    }
  }

  /// Every measurement's settings fit its recipe.
  @Test func everyProtocolIsAListOfRuns() throws {
    for measurement in try PublishedSystem.builtIn().flatMap(\.measurements) {
      let runs = try measurement.runs(labels: measurement.source == "ckplus48" ? .ckplus48 : .fer2013)
      #expect(runs.count == measurement.repeats.count, "\(measurement.name)")
      #expect(Set(runs.map(\.name)).count == runs.count)
    }
  }

  private let sixth = """
    name: sixth
    paper: "F. Sixth, A Net of One's Own"
    measurements:
      - name: official
        kind: both
        summary: As written
        recipe: sixth-recipe.yaml
        source: levels
        settings: [epochs=3]
        figures: {accuracy: 0.75, recall: {happiness: 1}}
    """

  @Test func aSixthPaperNeedsNoSwift() throws {
    let folder = try TemporaryFolder()
    try Data(sixth.utf8).write(to: folder.file("sixth.yaml"))
    let recipe = """
      name: sixth
      epochs: 40
      batchSize: 16
      model: {options: {stem: 4, widths: [8], blocks: [1]}}
      """
    try Data(recipe.utf8).write(to: folder.file("sixth-recipe.yaml"))
    let system = try PublishedSystem(contentsOf: folder.file("sixth.yaml"))
    #expect(system.measurements[0].part == .validation && system.measurements[0].repeats == .once)
    let runs = try system.measurements[0].runs(labels: .fer2013, recipes: folder.url)
    #expect(runs.map(\.name) == [""] && runs[0].recipe.epochs == 3 && runs[0].recipe.batchSize == 16)
    let short = try system.measurements[0].runs(labels: .fer2013, recipes: folder.url, epochs: 1)
    #expect(short[0].recipe.epochs == 1)
  }

  @Test(arguments: [
    ("accuracy: 0.75", "acuracy: 0.75", "did you mean accuracy?"),
    ("accuracy: 0.75", "accuracy: 75", "expected a share from 0 to 1, such as 0.8325, found 75.0"),
    ("happiness: 1", "joy: 1", "has no key joy"), ("kind: both", "kind: leaky", "measurements.1.kind"),
    ("    kind: both\n", "", "the key kind is missing"), ("name: official", "name: ../official", "letters, digits"),
    ("settings:", "repeats: {folds: 1}\n    settings:", "folds: N or seeds: N"),
    ("name: sixth", "name: [", "not valid YAML: line "),
    (
      "    source: levels\n", "    source: levels\n    sauce: levels\n",
      ":9: a measurement has no key sauce; did you mean source?"
    ),
  ])
  func whatIsWrongIsNamedWithItsFile(old: String, new: String, problem: String) throws {
    let folder = try TemporaryFolder()
    try Data(sixth.replacing(old, with: new).utf8).write(to: folder.file("sixth.yaml"))
    let error = #expect(throws: MienError.self) { try PublishedSystem(contentsOf: folder.file("sixth.yaml")) }
    #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
    #expect(error?.description.contains("sixth.yaml") == true)
  }

  @Test func aFileThatIsNotThereIsNamed() {
    let error = #expect(throws: MienError.self) { try PublishedSystem(contentsOf: URL(filePath: "/no/such.yaml")) }
    #expect(error?.description.contains("/no/such.yaml") == true)
  }
}
