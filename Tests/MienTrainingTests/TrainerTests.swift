import Foundation
import MienCore
import MienInference
import MienONNX
import MienRuns
import MienTestSupport
import MienTorch
import MienTraining
import Testing

@Suite(.serialized) @TorchActor struct TrainerTests {
  private func faces() throws -> FaceSet {
    try DrawnFaces.set(count: 112, split: { $0 < 84 ? .train : .validation })
  }

  private func train(
    _ run: RunFolder, recorder: Recorder = Recorder(), stopAfter steps: Int = .max
  ) throws -> Recorder {
    let trainer = try Trainer(run: run, sets: [faces()], observers: [recorder, MetricsFile(run: run)])
    try trainer.run(shouldStop: { recorder.steps >= steps })
    return recorder
  }

  @Test func learnsDrawnFacesAndExportsWhatItLearned() throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.url.appending(path: "run"), recipe: DrawnFaces.recipe(epochs: 24))
    let epochs = try train(run).epochs
    #expect(epochs.count == 24)
    #expect(epochs[23].trainingLoss < epochs[0].trainingLoss)
    let selection = Selection()
    #expect(epochs.map(selection.score).max() ?? 0 > 0.9)
    // With dropout, while the weights change, it names most of what it is trained on.
    #expect(epochs[23].heads.allSatisfy { $0.trainingAccuracy ?? 0 > 0.6 }, "\(epochs[23].heads)")
    #expect(epochs[0].heads.allSatisfy { $0.trainingAccuracy ?? 1 < 0.5 }, "\(epochs[0].heads)")

    let rows = try String(contentsOf: run.metricsFile, encoding: .utf8).split(separator: "\n")
    #expect(rows.count == 25 && rows[0].hasPrefix("epoch,step,learning_rate,train_loss,train_ferplus_accuracy,"))
    #expect(rows[0].contains(",validation_ferplus_loss,") && rows[0].hasSuffix(",seconds"))

    let model = try ModelExport.model(of: run, calibratedOn: [faces()])
    let card = try model.card()
    #expect(card.outputs.map(\.name) == ["ferplus", "fer2013"])
    let origin = ModelCard.TrainingData(source: "drawn", split: "train", count: 84, labels: ["ferplus", "fer2013"])
    #expect(card.training.count == 1 && card.training[0].isSame(as: origin))
    // By their pictures: what was trained on, and what epoch and temperature were chosen by.
    let (set, chosenBy) = (try faces(), try #require(card.selection))
    #expect(card.training[0].picturesHash == set.picturesHash(of: set.indices(in: .train)))
    #expect(card.training[0].picturesSample == set.picturesSample(of: set.indices(in: .train)))
    #expect(chosenBy.map(\.picturesHash) == [set.picturesHash(of: set.indices(in: .validation))])
    #expect(card.calibration == chosenBy)
    #expect(try RunResult(of: run)?.validation == chosenBy)
    // As many drawn faces of each of FER2013's seven; none shows contempt.
    #expect(card.classShares(of: .fer2013) == [Float](repeating: 1 / 7, count: 7))
    let shares = try #require(card.classShares(of: .ferplus))
    #expect(abs(shares.reduce(0, +) - 1) < 1e-5 && shares.allSatisfy { $0 >= 0 })
    let best = try #require(epochs.max { selection.score(of: $0) < selection.score(of: $1) })
    #expect(card.measurements.map(\.accuracy) == best.heads.map(\.accuracy))
  }

  /// Smaller files of residual and of plain networks say nearly what the whole one says, and not exactly that.
  @Test(arguments: [[], ["model.options={}", "model.architecture=gao", "optimizer={name: adam}"]] as [[String]])
  func filesOfLessPrecisionSayNearlyTheSame(settings: [String]) throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(
      creating: folder.url.appending(path: "run"), recipe: DrawnFaces.recipe(epochs: 6, settings: settings))
    _ = try train(run)
    let set = try faces()
    let inputs = try (0..<set.count).flatMap { try Preprocessing().input(pixels: set.face(at: $0), sourceChannels: 1) }
    func exported(_ precision: ModelPrecision) throws -> (model: ONNXModel, outputs: ClassifierOutput) {
      let model = try ModelExport.model(of: run, calibratedOn: [set], precision: precision)
      return (model, try EmotionClassifier(model: model).predictions(for: inputs, count: set.count))
    }
    let whole = try exported(.f32)
    // Of the smallest network much is names and nodes.
    for (precision, share, note, most) in [
      (ModelPrecision.f16, 0.85, "16 bits", Float(0.005)), (.int8, settings.isEmpty ? 0.9 : 0.3, "8 bits", 0.1),
    ] {
      let (model, outputs) = try exported(precision)
      #expect(Double(model.data.count) < share * Double(whole.model.data.count), "\(precision)")
      #expect(try model.card().measurements.allSatisfy { $0.note.contains(note) })
      #expect(model.weightsSHA256 != whole.model.weightsSHA256)
      let labels = try #require(try model.card().outputs.first?.name)
      let (found, expected) = (try #require(outputs[labels]?.values), try #require(whole.outputs[labels]?.values))
      let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? 1
      #expect(difference > 0 && difference < most, "\(precision) \(settings): they differ by \(difference)")
      #expect(Set(expected).count > set.count)
    }
    let error = #expect(throws: MienError.self) { try ModelExport.model(of: run, precision: .int8) }
    #expect(error?.kind == .argument)
  }

  @Test func validationFacesThatAreTrainedOnAreSaid() throws {
    let folder = try TemporaryFolder()
    func notes(_ name: String, _ sets: [FaceSet]) throws -> [String] {
      let run = try RunFolder(creating: folder.url.appending(path: name), recipe: DrawnFaces.recipe(epochs: 1))
      let recorder = Recorder()
      try Trainer(run: run, sets: sets, observers: [recorder]).run(shouldStop: { recorder.steps >= 1 })
      return recorder.plan?.notes ?? []
    }
    #expect(try notes("own", [faces()]).isEmpty)
    let all = try DrawnFaces.set(count: 112, split: { _ in .train })
    let both = try notes("both", [faces(), all])
    #expect(
      both == [
        "28 of 28 validation faces are pictures that are also trained on, which makes the accuracy too high; "
          + "`mien dataset audit` finds them"
      ])
  }

  @Test func aStoppedRunGoesOnBitForBit() throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(
      epochs: 3, settings: ["augmentation.rotationDegrees=10", "model.options.dropout=0.3"])
    let whole = try RunFolder(creating: folder.url.appending(path: "whole"), recipe: recipe)
    _ = try train(whole)
    let broken = try RunFolder(creating: folder.url.appending(path: "broken"), recipe: recipe)
    // Five steps an epoch: within the second epoch, then at the end of it.
    for steps in [7, 3] { _ = try train(broken, stopAfter: steps) }
    _ = try train(RunFolder(opening: broken.url))
    func tensors(_ url: URL) throws -> [String: SafeTensors.Tensor] { try SafeTensors(contentsOf: url).tensors }
    #expect(try tensors(whole.lastCheckpoint) == tensors(broken.lastCheckpoint))
    #expect(try tensors(whole.bestCheckpoint) == tensors(broken.bestCheckpoint))
    func losses(_ run: RunFolder) throws -> [String] {
      try String(contentsOf: run.metricsFile, encoding: .utf8).split(separator: "\n").map {
        $0.split(separator: ",").dropLast().joined(separator: ",")
      }
    }
    #expect(try losses(whole) == losses(broken))
  }

  @Test func smallerFacesComeFirstWhereTheNetworkTakesThem() throws {
    let folder = try TemporaryFolder()
    func run(_ name: String, _ settings: String...) throws -> RunFolder {
      try RunFolder(
        creating: folder.url.appending(path: name), recipe: DrawnFaces.recipe(epochs: 4, settings: settings))
    }
    let whole = try run("whole", "progressive={side: 32, epochs: 0.5}")
    let epochs = try train(whole).epochs
    #expect(epochs.count == 4 && epochs.allSatisfy { $0.trainingLoss.isFinite })
    let plain = try train(run("plain")).epochs
    #expect(epochs[0].trainingLoss != plain[0].trainingLoss)
    // A run that stops among the small faces goes on with them.
    let broken = try run("broken", "progressive={side: 32, epochs: 0.5}")
    _ = try train(broken, stopAfter: 7)
    _ = try train(RunFolder(opening: broken.url))
    #expect(try whole.checkpointTensors == broken.checkpointTensors)

    for settings in [
      ["progressive={side: 30, epochs: 0.5}"],
      ["progressive={side: 32, epochs: 0.5}", "model.options={}", "model.architecture=gao"],
    ] {
      let recipe = try DrawnFaces.recipe(epochs: 4, settings: settings)
      let bad = try RunFolder(creating: folder.url.appending(path: "bad-\(UUID())"), recipe: recipe)
      let error = #expect(throws: MienError.self) { try train(bad) }
      #expect(error?.subject?.hasPrefix("progressive.side 3") == true && error?.kind == .argument)
    }
  }

  @Test func greyFacesTrainANetworkForColour() throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(epochs: 1, settings: ["model.channels=3"])
    let run = try RunFolder(creating: folder.url.appending(path: "run"), recipe: recipe)
    _ = try train(run)
    #expect(try ModelExport.model(of: run).card().preprocessing.channels == 3)
  }

  @Test func aStudentLearnsFromATeachersRun() throws {
    let folder = try TemporaryFolder()
    let teacher = try RunFolder(creating: folder.url.appending(path: "teacher"), recipe: DrawnFaces.recipe(epochs: 1))
    _ = try train(teacher)
    func losses(_ name: String, _ settings: [String]) throws -> [Double] {
      let recipe = try DrawnFaces.recipe(epochs: 1, settings: settings)
      return try train(RunFolder(creating: folder.url.appending(path: name), recipe: recipe)).epochs.map(\.trainingLoss)
    }
    let alone = try losses("alone", [])
    let taught = try losses("taught", ["teachers.runs=[\(teacher.url.path)]"])
    #expect(taught.allSatisfy(\.isFinite) && taught != alone)
    let error = #expect(throws: MienError.self) { try losses("lost", ["teachers.runs=[/nowhere]"]) }
    #expect(error?.description.contains("/nowhere") == true)
  }

  @Test func facesWithoutATargetForAHeadDoNotCountThere() throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(epochs: 1)
    let run = try RunFolder(creating: folder.url.appending(path: "run"), recipe: recipe)
    let plain = try DrawnFaces.set(count: 56, split: { _ in .train }, votes: false)
    let trainer = try Trainer(run: run, sets: [plain, faces()], observers: [])
    try trainer.run(shouldStop: { false })
    #expect(try ModelExport.model(of: run).card().training.map(\.count) == [56, 84])
    #expect(throws: MienError.self) {
      try Trainer(
        run: RunFolder(creating: folder.url.appending(path: "b"), recipe: recipe), sets: [plain], observers: [])
    }
  }

  @Test func aFolderWithARunIsNotOverwrittenAndOneWithoutIsRefused() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "run")
    let recipe = try DrawnFaces.recipe(epochs: 1)
    _ = try RunFolder(creating: url, recipe: recipe)
    let again = #expect(throws: MienError.self) { try RunFolder(creating: url, recipe: recipe) }
    #expect(again?.description.contains("--resume") == true)
    let none = #expect(throws: MienError.self) { try RunFolder(opening: folder.url) }
    #expect(none?.description.contains("is not a run folder") == true)
  }

  @Test func corruptAndForeignCheckpointsAreRefusedByName() throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.url.appending(path: "run"), recipe: DrawnFaces.recipe(epochs: 1))
    _ = try train(run)
    let bytes = try Data(contentsOf: run.bestCheckpoint)
    let foreign = folder.url.appending(path: "faces.safetensors")
    try faces().write(to: foreign)
    for damaged in [bytes.prefix(bytes.count / 2), Data("not a checkpoint".utf8), try Data(contentsOf: foreign)] {
      try damaged.write(to: run.bestCheckpoint)
      let error = #expect(throws: MienError.self) { try ModelExport.model(of: run) }
      #expect(error?.subject == run.bestCheckpoint.path)
    }
  }

  @Test func otherDataThanTheRunsIsRefused() throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.url.appending(path: "run"), recipe: DrawnFaces.recipe(epochs: 2))
    _ = try train(run, stopAfter: 2)
    let other = try DrawnFaces.set(count: 70, split: { $0 < 50 ? .train : .validation })
    let error = #expect(throws: MienError.self) { try Trainer(run: run, sets: [other], observers: []) }
    #expect(error?.description.contains("other data") == true)
    let pictures = try DrawnFaces.set(count: 112, split: { $0 < 84 ? .train : .validation }, seed: 6)
    let same = #expect(throws: MienError.self) { try Trainer(run: run, sets: [pictures], observers: []) }
    #expect(same?.message.contains("train; these give as many, but other pictures (hash ") == true, "\(same as Any)")
  }

  /// Sets without a validation part or without votes are first of all others: the recipe is not at fault.
  @Test func otherDataAreNamedWhateverTheyLack() throws {
    let folder = try TemporaryFolder()
    let run = try RunFolder(creating: folder.url.appending(path: "run"), recipe: DrawnFaces.recipe(epochs: 1))
    _ = try train(run)
    for (other, difference) in [
      (try DrawnFaces.set(count: 70, split: { _ in .train }), "these give 70 faces of the set `drawn`, train"),
      (
        try DrawnFaces.set(count: 70, split: { $0 < 50 ? .train : .validation }, votes: false),
        "these give 50 faces of the set `drawn`, train"
      ),
    ] {
      let resumed = #expect(throws: MienError.self) { _ = try Trainer(run: run, sets: [other], observers: []) }
      let measured = #expect(throws: MienError.self) { _ = try RunMeasurement(of: run, sets: [other]) }
      let exported = #expect(throws: MienError.self) { _ = try ModelExport.model(of: run, calibratedOn: [other]) }
      for error in [resumed, measured, exported] {
        #expect(error?.subject == run.url.path)
        #expect(
          error?.message
            == "the run was trained on other data than these: on 84 faces of the set `drawn`, train; \(difference)")
      }
    }
  }

  @Test func aLossThatIsNoNumberStopsWithTheLastState() throws {
    let folder = try TemporaryFolder()
    let recipe = try DrawnFaces.recipe(
      epochs: 3, settings: ["optimizer.learningRate=1e30", "optimizer.gradientClip=0", "schedule.name=constant"])
    let run = try RunFolder(creating: folder.url.appending(path: "run"), recipe: recipe)
    let error = #expect(throws: MienError.self) { try train(run) }
    #expect(error?.description.contains("loss is") == true && error?.kind == .diverged)
    let lower = String(format: "%g", run.recipe.optimizer.learningRate / 10)
    #expect(error?.description.hasSuffix("such as --set optimizer.learningRate=\(lower)") == true, "\(error as Any)")
  }
}
