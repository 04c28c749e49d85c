import Foundation
import MienCore
import MienTestSupport
import Testing

/// What figures are told to be of: a run's own held-out part, and faces that a model has seen.
@Suite(.serialized) struct RunEvaluationTests {
  @Test func aRunIsMeasuredOnWhatItsRecipeSetAside() throws {
    let folder = try TemporaryFolder()
    let faces = try TrainingFiles.faces(in: folder)
    let run = folder.file("run").path
    let trained = try Command.run(
      Command.mien.path,
      ["train", try TrainingFiles.recipe(in: folder), "--data", faces, "-o", run] + TrainingFiles.settings
        + ["--set", "split={train: 0.6, validation: 0.2, test: 0.2}"])
    #expect(trained.status == 0, "\(trained.errors)")
    let json = folder.file("own.json")
    let own = try Command.mien(
      "evaluate", "--run", run, "--data", faces, "--json", json.path, "--report", folder.file("own.html").path,
      "--predictions", folder.file("own.csv").path)
    #expect(own.status == 0, "\(own.errors)")
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(contentsOf: json))
    #expect(report.split == "test" && report.count == 14)
    #expect(own.output.contains("Nothing was chosen by these faces") && own.errors.contains("its test part"))
    // The recipe's split is not that of the set, which has no test part at all.
    let page = try String(contentsOf: folder.file("own.html"), encoding: .utf8)
    #expect(page.contains("Confidence and coverage") && page.contains("mien evaluate --run"))
    let predictions = try String(contentsOf: folder.file("own.csv"), encoding: .utf8)
    #expect(predictions.split(separator: "\n").count == 15)

    let chosen = try Command.mien("evaluate", "--run", run, "--data", faces, "--split", "validation")
    #expect(chosen.status == 0 && chosen.output.contains("slightly optimistic"), "\(chosen.errors)")
    // Faces of another set would be dealt out otherwise.
    let elsewhere = try TemporaryFolder()
    let other = try Command.mien(
      "evaluate", "--run", run, "--data", try TrainingFiles.faces(in: elsewhere, tests: 7))
    #expect(other.status == 1 && other.errors.contains("trained on other data"), "\(other.errors)")
    let both = try Command.mien("evaluate", "--run", run, "--data", faces, "--corruptions")
    #expect(both.status == 64)
    let missing = try Command.mien("evaluate", "--run", folder.file("none").path, "--data", faces)
    #expect(missing.status == 1 && missing.errors.contains("no such run folder"))
  }

  /// A test part that is the set's own, not the recipe's, is what counts too; without one it is the validation part.
  @Test(arguments: [(7, "test"), (0, "validation")])
  func aRunIsMeasuredOnTheSetsOwnTestPart(tests: Int, part: String) throws {
    let folder = try TemporaryFolder()
    let faces = try TrainingFiles.faces(in: folder, tests: tests)
    let run = folder.file("run").path
    let trained = try Command.run(
      Command.mien.path,
      ["train", try TrainingFiles.recipe(in: folder), "--data", faces, "-o", run] + TrainingFiles.settings)
    #expect(trained.status == 0, "\(trained.errors)")
    let measured = try Command.mien("evaluate", "--run", run, "--data", faces, "--json", "-")
    #expect(measured.status == 0 && measured.errors.contains(part), "\(measured.errors)")
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(measured.output.utf8))
    #expect(report.split == part && report.count == (tests == 0 ? 21 : tests))
  }

  /// People, and the faces shown, are those of both sets together.
  @Test func aRunOfTwoSetsIsMeasuredOnBoth() throws {
    let folder = try TemporaryFolder()
    let first = try TrainingFiles.faces(in: folder, tests: 14)
    let set = try FaceSet(contentsOf: URL(fileURLWithPath: first))
    // Colour, and people: two in each part of the set, one of them in two parts.
    let second = folder.file("people.safetensors")
    try FaceSet(
      source: "people", labelSet: .fer2013, height: 48, width: 48, channels: 3,
      rows: (0..<set.count).map { index in
        var row = set[index]
        row.subject = index % 2 == 0 ? "everywhere" : row.split.rawValue
        return row
      }, pixels: Data(set.pixels.flatMap { [$0, $0, $0] })
    ).write(to: second)
    let (run, page, table) = (folder.file("run"), folder.file("page.html"), folder.file("table.csv"))
    let trained = try Command.run(
      Command.mien.path,
      ["train", try TrainingFiles.recipe(in: folder), "--data", first, second.path, "-o", run.path]
        + TrainingFiles.settings)
    #expect(trained.status == 0, "\(trained.errors)")
    let measured = try Command.mien(
      "evaluate", "--run", run.path, "--data", first, second.path, "--json", "-", "--report", page.path,
      "--predictions", table.path)
    #expect(measured.status == 0, "\(measured.errors)")
    let report = try JSONDecoder().decode(EvaluationReport.self, from: Data(measured.output.utf8))
    #expect(report.count == 28 && report.data == "levels+people" && report.intervalUnit == .person)
    let known = " faces are of people that the network was also trained on"
    #expect(try String(contentsOf: page, encoding: .utf8).contains("7 of the 28" + known))
    #expect(try String(contentsOf: page, encoding: .utf8).contains("faces.safetensors, people.safetensors"))
    // Places count through the sets: the second one's test part follows 84 faces of the first.
    let places = try CSVTable(String(contentsOf: table, encoding: .utf8)).rows.compactMap { Int($0.fields[0]) }
    #expect(places == Array(70..<84) + Array((84 + 70)..<(84 + 84)))
    let own = try String(contentsOf: run.appendingPathComponent("report.html"), encoding: .utf8)
    #expect(own.contains("10 of the 42" + known) && own.contains("<figure class=\"face\">"))
    let one = try Command.mien("evaluate", "--run", run.path, "--data", first)
    #expect(one.status == 1 && one.errors.contains("trained on other data"))
  }

  @Test func aModelThatKnowsTheFacesSaysSo() throws {
    let folder = try TemporaryFolder()
    let (faces, run, model) = (
      try TrainingFiles.faces(in: folder, tests: 7), folder.file("run").path, folder.file("model.onnx").path
    )
    let trained = try Command.run(
      Command.mien.path,
      ["train", try TrainingFiles.recipe(in: folder), "--data", faces, "-o", run] + TrainingFiles.settings)
    #expect(trained.status == 0, "\(trained.errors)")
    let exported = try Command.mien("export", run, "-o", model, "--data", faces)
    #expect(exported.status == 0, "\(exported.errors)")
    func measured(_ split: String, _ more: String...) throws -> Command.Outcome {
      let outcome = try Command.run(
        Command.mien.path, ["evaluate", "--model", model, "--data", faces, "--split", split] + more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome
    }
    let page = folder.file("page.html")
    let known = try measured("train", "--report", page.path)
    #expect(known.output.contains("All 49 measured faces were used to train the model ("))
    #expect(try String(contentsOf: page, encoding: .utf8).contains("how well it remembers"))
    let chosen = try measured("validation").output
    #expect(chosen.contains("were also used to choose the epoch and to fit the temperature ("), "\(chosen)")
    let new = try measured("test").output
    #expect(!new.contains("measured faces were"), "\(new)")
    let all = try measured("all").output
    #expect(all.contains("49 of the 77 measured faces") && all.contains("Without the training faces, accuracy is"))
    // Ten of the training faces beside the seven new ones, in a file that knows nothing of the other.
    let (set, places) = (try FaceSet(contentsOf: URL(fileURLWithPath: faces)), Array(0..<10) + Array(70..<77))
    let mixed = folder.file("mixed.safetensors")
    try FaceSet(
      source: "mixed", labelSet: .fer2013, height: 48, width: 48, channels: 1,
      rows: places.map { .init(label: set[$0].label, split: .test, sourceRow: $0) },
      pixels: Data(places.flatMap { set.face(at: $0) })
    ).write(to: mixed)
    let among = try Command.mien("evaluate", "--model", model, "--data", mixed.path)
    #expect(
      among.output.contains("10 of the 17 measured faces were used to train the model ("), "\(among.output)")
    let compared = try Command.mien("compare", model, "mien-s", "--data", faces, "--split", "train")
    #expect(compared.status == 0, "\(compared.errors)")
    #expect(compared.output.contains("model: All 49 measured faces were used to train the model ("))
  }
}
