import Foundation
import MienCore
import MienModels
import MienTraining
import Testing

@Suite struct RecipeTests {
  @Test func fileAndSettingsOverlayTheDefaults() throws {
    let text = """
      name: mine
      optimizer:
        learningRate: 0.2
      heads:
        - {labels: ferplus, weight: 2}
      """
    let recipe = try RecipeFile.parse(
      text, file: "mine.yaml", settings: ["optimizer.momentum=0.5", "augmentation.zoom=[0.9, 1.1]"])
    #expect(recipe.name == "mine" && recipe.optimizer.learningRate == 0.2 && recipe.optimizer.momentum == 0.5)
    #expect(recipe.heads == [.init(labels: "ferplus", weight: 2)])
    #expect(recipe.augmentation.zoom == [0.9, 1.1])
    #expect(recipe.batchSize == Recipe().batchSize)
    let written = try RecipeFile.text(of: recipe)
    #expect(try RecipeFile.parse(written, file: "again") == recipe)
    #expect(written.contains("learningRate: 0.2\n") && written.contains("epsilon: 1e-07\n"))
  }

  @Test(arguments: [
    ("optimizer:\n  learnRate: 1", "r.yaml:2:", "optimizer.learningRate", "unknown key optimizer.learnRate"),
    ("epoch: 3", "r.yaml:1:", "epochs", "unknown key epoch"),
    ("model:\n  options: {stems: 3}", "r.yaml:2:", "stem", "unknown key model.options.stems"),
  ]) func unknownKeysAreNamedWithTheNearest(_ text: String, _ place: String, _ near: String, _ what: String) {
    let error = #expect(throws: MienError.self) { try RecipeFile.parse(text, file: "r.yaml") }
    let message = error?.description ?? ""
    #expect(
      message.hasPrefix(place) && message.contains(what) && message.contains(near.split(separator: ".").last ?? ""))
  }

  @Test(arguments: [
    ("epochs: zero", 1, "epochs must be a whole number"), ("seed: 1\nepochs: 0", 2, "epochs must be at least 1"),
    ("loss:\n  labelSmoothing: 1", 2, "loss.labelSmoothing must be in 0..<1"), ("heads: []", 1, "at least one"),
    ("heads: [{labels: fer2014, weight: 1}]", 1, "heads.labels must be one of"),
    ("model: {architecture: resnet}", 1, "known are"),
    ("model: {options: {stem: wide}}", 1, "model.options.stem of mien-s cannot be \"wide\""),
    ("augmentation:\n  shift: 0.1\n  zoom: [1.2, 0.8]", 3, "augmentation.zoom must be"),
    ("optimizer: 3", 1, "optimizer must be a mapping"), ("optimizer: {name: lion}", 1, "optimizer.name"),
    ("optimizer: {nesterov: 3}", 1, "optimizer.nesterov must be true or false"),
    ("schedule: {restarts: [{epoch: 24, peak: 1}]}", 1, "schedule.restarts"),
    ("schedule:\n  name: cosinus", 2, "schedule.name"), ("teachers: {weight: 2}", 1, "teachers.weight must be 0 to 1"),
  ]) func valuesThatDoNotFitAreRefusedByLine(_ text: String, _ line: Int, _ what: String) {
    let error = #expect(throws: MienError.self) { try RecipeFile.parse(text, file: "r.yaml") }
    #expect(error?.subject == "r.yaml:\(line)" && error?.message.contains(what) == true, "\(error as Any)")
  }

  @Test func aSettingThatDoesNotFitIsNamed() {
    let error = #expect(throws: MienError.self) {
      try RecipeFile.parse("epochs: 3", file: "r.yaml", settings: ["epochs=-1"])
    }
    #expect(error?.description == "--set epochs=-1: epochs must be at least 1")
    let broken = #expect(throws: MienError.self) { try RecipeFile.parse("a: [", file: "r.yaml") }
    #expect(broken?.description.contains("r.yaml") == true)
  }

  @Test func settingsNeedAKeyAndAValue() {
    for setting in ["epochs", "=3", "epocs=3"] {
      let error = #expect(throws: MienError.self) { try RecipeFile.parse("", file: "r.yaml", settings: [setting]) }
      #expect(error?.description.contains("--set \(setting)") == true)
    }
  }

  @Test func everyShippedRecipeIsValid() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../recipes")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files { _ = try RecipeFile.read(file) }
  }
}
