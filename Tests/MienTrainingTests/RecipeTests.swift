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

  @Test func oneOptionOfTheArchitectureLeavesTheOthers() throws {
    let text = "model:\n  architecture: javier\n  options: {filters: [8, 16], dense: [32], blockDropout: 0.1}"
    func options(_ settings: String...) throws -> JSONValue {
      try RecipeFile.parse(text, file: "r.yaml", settings: settings).model.options
    }
    #expect(
      try options("model.options.blockDropout=0.2", "model.options.kernels=5")
        == .object([
          "filters": .array([.integer(8), .integer(16)]), "dense": .array([.integer(32)]),
          "blockDropout": .number(0.2), "kernels": .integer(5),
        ]))
    #expect(try options("model.options={dense: [8]}") == .object(["dense": .array([.integer(8)])]))
    // The setting that is wrong is named, not the one after it.
    let error = #expect(throws: MienError.self) { try options("model.options.kernls=5", "model.options.l2=0.2") }
    #expect(
      error?.subject == "--set model.options.kernls=5"
        && error?.message.contains("did you mean model.options.kernels?") == true)
  }

  @Test(arguments: [
    ("optimizer.lr=3", "unknown key optimizer.lr; optimizer has name, learningRate, "),
    ("learningRate=0.1", "unknown key learningRate; did you mean optimizer.learningRate?"),
    ("optimizer.learingRate=1", "unknown key optimizer.learingRate; did you mean optimizer.learningRate?"),
    ("model.options.foo=3", "unknown key model.options.foo of mien-s; model.options has "),
    ("foo=1", "unknown key foo; a recipe has name, "),
  ]) func anUnknownSettingNamesWhatThereIs(_ setting: String, _ words: String) {
    let error = #expect(throws: MienError.self) { try RecipeFile.parse("", file: "r.yaml", settings: [setting]) }
    #expect(error?.message.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test(arguments: [
    ("optimizer:\n  learnRate: 1", "r.yaml:2:", "optimizer.learningRate", "unknown key optimizer.learnRate"),
    ("epoch: 3", "r.yaml:1:", "epochs", "unknown key epoch"),
    ("model:\n  options: {stems: 3}", "r.yaml:2:", "stem", "unknown key model.options.stems"),
    ("heads:\n- {labels: ferplus, weight: 1, wieght: 2}", "r.yaml:2:", "weight", "unknown key heads.wieght"),
    (
      "schedule: {restarts: [{epoch: 2, peak: 1, peek: 2}]}", "r.yaml:1:", "peak", "unknown key schedule.restarts.peek"
    ),
  ]) func unknownKeysAreNamedWithTheNearest(_ text: String, _ place: String, _ near: String, _ what: String) {
    let error = #expect(throws: MienError.self) { try RecipeFile.parse(text, file: "r.yaml") }
    let message = error?.description ?? ""
    #expect(
      message.hasPrefix(place) && message.contains(what) && message.contains(near.split(separator: ".").last ?? ""))
  }

  @Test(arguments: [
    ("epochs: zero", 1, "epochs must be a whole number, found zero"),
    ("seed: 1\nepochs: 0", 2, "epochs must be at least 1"),
    ("loss:\n  labelSmoothing: 1", 2, "loss.labelSmoothing must be at least 0 and below 1"),
    ("heads: []", 1, "at least one"),
    ("heads: [{labels: fer2014, weight: 1}]", 1, "heads.labels must be one of"),
    ("model: {architecture: resnet}", 1, "known are"),
    ("model: {options: {stem: wide}}", 1, "model.options.stem of mien-s must be a whole number, found wide"),
    ("augmentation:\n  shift: 0.1\n  zoom: [1.2, 0.8]", 3, "augmentation.zoom must be"),
    ("augmentation: {resolution: [0.01, 1]}", 1, "augmentation.resolution must be"),
    ("augmentation: {resolution: [0.5, 1.5]}", 1, "augmentation.resolution must be"),
    ("augmentation: {noise: 2}", 1, "augmentation.noise must be 0 to 1"),
    ("progressive:\n  side: 8", 2, "progressive.side must be 16 to 48"),
    ("progressive: {side: 32, epochs: 1}", 1, "progressive.epochs must be at least 0 and below 1"),
    ("optimizer: 3", 1, "optimizer must be a mapping"),
    ("optimizer: {name: lion}", 1, "optimizer.name must be one of sgd, adam, adamw, rmsprop, found lion"),
    ("optimizer: {nesterov: 3}", 1, "optimizer.nesterov must be true or false"),
    ("schedule: {restarts: [{epoch: 24, peak: 1}]}", 1, "schedule.restarts"),
    ("schedule:\n  name: cosinus", 2, "schedule.name"), ("teachers: {weight: 2}", 1, "teachers.weight must be 0 to 1"),
    ("heads: [{labels: ferplus, weight: 1}, {labels: ferplus, weight: 2}]", 1, "names each label set once"),
    ("epochs: 1000000000000000000", 1, "epochs must be at most 1,000,000"),
    ("epochs: 9223372036854775807:0", 1, "epochs must be a whole number, found 9223372036854775807:0"),
    ("batchSize: 1000000000000", 1, "batchSize must be 1 to 65,536"),
    ("seed: 1\nepochs: 1.5", 2, "epochs must be a whole number, found 1.5"),
    ("seeds: [-1]", 1, "an entry of seeds must be a whole number from 0, found -1"),
    ("split:\n  seed: -1", 2, "split.seed must be a whole number from 0, found -1"),
    ("checkpointEverySeconds: 1e30", 1, "checkpointEverySeconds must be above 0 and at most 86,400"),
    ("folds: {count: 1000000000000}", 1, "folds.count must be at most 1,000"),
    ("augmentation: {zoom: [1e-300, 1]}", 1, "augmentation.zoom must be"),
    ("optimizer: {learningRate: .nan}", 1, "optimizer.learningRate must be a number"),
    ("optimizer:\n  learningRate: 1e999", 2, "optimizer.learningRate must be a number"),
    ("model: {options: {dropout: .inf}}", 1, "model.options.dropout of mien-s must be a number, found .inf"),
  ]) func valuesThatDoNotFitAreRefusedByLine(_ text: String, _ line: Int, _ what: String) {
    let error = #expect(throws: MienError.self) { try RecipeFile.parse(text, file: "r.yaml") }
    #expect(error?.subject == "r.yaml:\(line)" && error?.message.contains(what) == true, "\(error as Any)")
    #expect(error?.kind == .format)
  }

  @Test func aHeadCountsOnceUnlessItSaysOtherwise() throws {
    let recipe = try RecipeFile.parse("", file: "r.yaml", settings: ["heads=[{labels: ckplus48}]"])
    #expect(recipe.heads == [.init(labels: "ckplus48", weight: 1)])
    let error = #expect(throws: MienError.self) { try RecipeFile.parse("heads: [{weight: 1}]", file: "r.yaml") }
    #expect(error?.message == "an entry of heads lacks the key labels")
    // Without a space it is one word.
    for (setting, words) in [
      ("heads=[{labels:ferplus}]", "an entry of heads lacks the key labels; YAML needs a space after the colon"),
      ("split={train:0.8, validation: 0.2}", "unknown key split.train:0.8; YAML needs a space after the colon"),
    ] {
      let glued = #expect(throws: MienError.self) { try RecipeFile.parse("", file: "r.yaml", settings: [setting]) }
      #expect(glued?.description == "--set \(setting): \(words)")
    }
  }

  @Test func aWarmUpLongerThanTheRunSaysWhatToDo() {
    let error = #expect(throws: MienError.self) { try RecipeFile.builtIn("mien-s", settings: ["epochs=1"]) }
    #expect(
      error?.description == "--set epochs=1: warm-up (1 epoch) must be shorter than the run (epochs = 1): "
        + "add --set schedule.warmupEpochs=0")
    let file = #expect(throws: MienError.self) {
      try RecipeFile.parse("epochs: 2\nschedule:\n  warmupEpochs: 2.5", file: "r.yaml")
    }
    #expect(file?.subject == "r.yaml:3" && file?.message.contains("(2.5 epochs)") == true)
  }

  /// Runs trained before options had one name in all architectures can still be opened.
  @Test func formerNamesOfOptionsAreUnderstood() throws {
    func options(_ text: String, _ settings: String...) throws -> JSONValue {
      try RecipeFile.parse("model: {\(text)}", file: "r.yaml", settings: settings).model.options
    }
    let old = "architecture: javier, options: {blocks: [[8], [16, 16]], kernel: 5, dropout: 0.1, denseDropout: 0.2}"
    let lists: [JSONValue] = [.array([.integer(8)]), .array([.integer(16), .integer(16)])]
    #expect(
      try options(old)
        == .object([
          "filters": .array(lists), "kernels": .integer(5), "blockDropout": .number(0.1), "denseDropout": .number(0.2),
        ]))
    // The only dropout of this network stood after its fully connected layer.
    #expect(try options("architecture: chen, options: {dropout: 0.3}") == .object(["denseDropout": .number(0.3)]))
    // Of two names for one option the later counts.
    #expect(
      try options("architecture: gao, options: {kernels: 3}", "model.options.kernel=5")
        == .object(["kernels": .integer(5)]))
    let error = #expect(throws: MienError.self) { try options("architecture: gao, options: {kernel: wide}") }
    #expect(error?.message.contains("model.options.kernels of gao") == true)
  }

  @Test func textThatReadsAsANumberStaysText() throws {
    let recipe = try RecipeFile.parse("name: infinity\nsummary: nan", file: "r.yaml")
    #expect(recipe.name == "infinity" && recipe.summary == "nan")
    #expect(try RecipeFile.parse(RecipeFile.text(of: recipe), file: "again") == recipe)
  }

  @Test(arguments: [
    ("a: [1\nb: 2\n", "line 2, column "), ("a: *x", "line 1, column "), ("epochs: 1\nepochs: 2", "'epochs'"),
    ("name: a\nbatchSize:8\nepochs: 3\n", "may be missing in line 2"), ("optimizer:\n\tname: adam\n", "has a tab"),
  ])
  func whatIsNoYAMLIsSaidInOneLine(text: String, words: String) {
    let error = #expect(throws: MienError.self) { try RecipeFile.parse(text, file: "r.yaml") }
    let message = error?.description ?? ""
    #expect(message.hasPrefix("r.yaml: is not valid YAML: ") && message.contains(words), "\(message)")
    #expect(!message.contains("\n") && !message.contains("error:"), "\(message)")
  }

  @Test func aMistypedRecipeIsCorrected() {
    let error = #expect(throws: MienError.self) { try RecipeFile.builtIn("chne") }
    #expect(error?.message.hasSuffix("; did you mean chen?") == true && error?.message.contains("yousaf") == true)
  }

  @Test func moreSeedsThanAnyoneTrainsAreRefused() {
    let seeds = (1...1001).map { "\($0)" }.joined(separator: ", ")
    let error = #expect(throws: MienError.self) { try RecipeFile.parse("seeds: [\(seeds)]", file: "r.yaml") }
    #expect(error?.message.contains("seeds must be a list of at most 1,000") == true)
  }

  @Test func aSettingThatDoesNotFitIsNamed() {
    let error = #expect(throws: MienError.self) {
      try RecipeFile.parse("epochs: 3", file: "r.yaml", settings: ["epochs=-1"])
    }
    #expect(error?.description == "--set epochs=-1: epochs must be at least 1" && error?.kind == .argument)
    for setting in ["optimizer.learningRate=.nan", "epochs=1.5"] {
      let number = #expect(throws: MienError.self) { try RecipeFile.parse("", file: "r.yaml", settings: [setting]) }
      #expect(number?.subject == "--set \(setting)" && number?.kind == .argument)
    }
    let broken = #expect(throws: MienError.self) { try RecipeFile.parse("a: [", file: "r.yaml") }
    #expect(broken?.description.contains("r.yaml") == true && broken?.kind == .format)
    // A fault of the file stays one beside a setting.
    let other = #expect(throws: MienError.self) {
      try RecipeFile.parse("epochs: 0", file: "r.yaml", settings: ["batchSize=8"])
    }
    #expect(other?.subject == "r.yaml:1" && other?.kind == .format)
  }

  @Test func settingsNeedAKeyAndAValue() {
    for setting in ["epochs", "=3", "epocs=3"] {
      let error = #expect(throws: MienError.self) { try RecipeFile.parse("", file: "r.yaml", settings: [setting]) }
      #expect(error?.description.contains("--set \(setting)") == true && error?.kind == .argument)
    }
  }

  @Test func everyShippedRecipeIsValid() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../recipes")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files where file.pathExtension == "yaml" { _ = try RecipeFile.read(file) }
  }

  @Test func theRecipesOfPapersTrainTheDocumentedNetworks() throws {
    let papers = Set(ModelRegistry.builtIn.keys).subtracting(["mien-s", "plain"])
    #expect(papers.isSubset(of: RecipeFile.builtInNames))
    // Files of other folders that are inside the program are no recipes.
    #expect(RecipeFile.builtInText("published/chen") == nil)
    for name in papers {
      let options = try RecipeFile.builtIn(name).model.options
      let architecture = try ModelRegistry.architecture(named: name)
      let defaults = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(architecture))
      guard case .object(let given) = options, case .object(let usual) = defaults else {
        Issue.record("options are mappings")
        continue
      }
      #expect(!given.isEmpty && given.allSatisfy { usual[$0] == $1 }, "\(name)")
    }
  }
}
