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
    #expect(try RecipeFile.parse(RecipeFile.text(of: recipe), file: "again") == recipe)
  }

  @Test(arguments: [
    ("optimizer:\n  learnRate: 1", "r.yaml:2:", "optimizer.learningRate", "unknown key optimizer.learnRate"),
    ("epoch: 3", "r.yaml:1:", "epochs", "unknown key epoch"),
    ("model:\n  options: {stems: 3}", "r.yaml:", "stem", "unknown key model.options.stems"),
  ]) func unknownKeysAreNamedWithTheNearest(_ text: String, _ place: String, _ near: String, _ what: String) {
    let error = #expect(throws: MienError.self) { try RecipeFile.parse(text, file: "r.yaml") }
    let message = error?.description ?? ""
    #expect(
      message.hasPrefix(place) && message.contains(what) && message.contains(near.split(separator: ".").last ?? ""))
  }

  @Test(arguments: [
    "epochs: zero", "epochs: 0", "labelSmoothing: 1", "heads: []", "heads: [{labels: fer2014, weight: 1}]",
    "model: {architecture: resnet}", "model: {options: {stem: wide}}", "augmentation: {zoom: [1.2, 0.8]}",
    "optimizer: 3", "schedule: {restarts: [{epoch: 24, peak: 1}]}", "schedule: {name: cosinus}", "a: [",
  ]) func valuesThatDoNotFitAreRefused(_ text: String) {
    let error = #expect(throws: MienError.self) { try RecipeFile.parse(text, file: "r.yaml") }
    #expect(error?.description.contains("r.yaml") == true)
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
