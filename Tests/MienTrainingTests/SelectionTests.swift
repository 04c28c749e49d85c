import Foundation
import MienCore
import MienRuns
import MienTestSupport
import MienTorch
import MienTraining
import Testing

@Suite(.serialized) @TorchActor struct SelectionTests {
  /// An epoch with two heads.
  private func epoch(_ accuracy: Double, _ balanced: Double, _ loss: Double) throws -> EpochResult {
    func head(_ labels: String, _ factor: Double) -> String {
      """
      {"labels": "\(labels)", "count": 10, "loss": \(loss * factor), "accuracy": \(accuracy * factor),
       "balancedAccuracy": \(balanced * factor)}
      """
    }
    let json = """
      {"epoch": 1, "step": 1, "learningRate": 0.1, "trainingLoss": 1, "seconds": 1,
       "heads": [\(head("ferplus", 1)), \(head("fer2013", 0.5))]}
      """
    return try JSONDecoder().decode(EpochResult.self, from: Data(json.utf8))
  }

  private func recipe(_ settings: String...) throws -> Recipe { try DrawnFaces.recipe(epochs: 30, settings: settings) }

  @Test func scoresRiseWithWhatIsBetter() throws {
    let epoch = try epoch(0.8, 0.6, 1.2)
    #expect(try abs(recipe().selection.score(of: epoch) - 0.6) < 1e-12)
    #expect(try recipe("selection.head=ferplus").selection.score(of: epoch) == 0.8)
    #expect(try recipe("selection={metric: balancedAccuracy, head: fer2013}").selection.score(of: epoch) == 0.3)
    #expect(try abs(recipe("selection.metric=loss").selection.score(of: epoch) + 0.9) < 1e-12)
  }

  @Test func patienceCountsEpochsSinceTheLastGain() throws {
    let losses = [1.0, 0.9, 0.95, 0.85, 0.86, 0.84, 0.9, 0.9, 0.9]
    let epochs = try losses.map { try self.epoch(0.5, 0.5, $0) }
    func end(_ settings: String) throws -> Int? {
      let recipe = try recipe(settings, "selection.metric=loss")
      return (1...epochs.count).first {
        recipe.earlyStopping.ends(after: Array(epochs.prefix($0)), selection: recipe.selection)
      }
    }
    #expect(try end("earlyStopping.patience=1") == 3)
    #expect(try end("earlyStopping.patience=2") == 8)
    #expect(try end("earlyStopping.patience=4") == nil)
    #expect(try end("earlyStopping.patience=0") == nil)
    // The gain from 0.85 to 0.84 is too small to count.
    #expect(try end("earlyStopping={patience: 3, minimumDelta: 0.02}") == 7)
    // The accuracy never moves.
    #expect(try end("earlyStopping={patience: 2, metric: accuracy}") == 3)
  }

  @Test func aRunStopsEarlyAndAResumedOneAtTheSameEpoch() throws {
    let folder = try TemporaryFolder()
    let recipe = try recipe("earlyStopping={patience: 2, minimumDelta: 1}")
    let set = try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation })
    func train(_ run: RunFolder, stopAfter steps: Int = .max) throws -> (Recorder, RunResult?) {
      let recorder = Recorder()
      let trainer = try Trainer(run: run, sets: [set], observers: [recorder, MetricsFile(run: run)])
      return (recorder, try trainer.run(shouldStop: { recorder.steps >= steps }))
    }
    let whole = try RunFolder(creating: folder.file("whole"), recipe: recipe)
    let result = try train(whole).1
    // No epoch after the first can gain a whole point of accuracy.
    #expect(result?.epochs == 3 && result?.stoppedEarly == true && result?.test == [])
    let broken = try RunFolder(creating: folder.file("broken"), recipe: recipe)
    #expect(try train(broken, stopAfter: 4).1 == nil)
    #expect(try RunResult(of: broken) == nil)
    #expect(try train(broken, stopAfter: 4).1 == nil)
    let resumed = try train(broken)
    #expect(resumed.1?.epochs == 3 && resumed.0.plan?.history.count == 2)
    #expect(try whole.checkpointTensors == broken.checkpointTensors)
    #expect(try whole.metricsRows == broken.metricsRows)
    // A finished run is not trained further.
    let again = try train(broken)
    #expect(again.0.steps == 0 && again.1 == resumed.1)
    #expect(try RunResult(of: broken) == resumed.1)
  }

  @Test func theBestEpochIsThatOfTheChosenFigure() throws {
    let folder = try TemporaryFolder()
    let set = try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation })
    let recipe = try DrawnFaces.recipe(
      epochs: 6, settings: ["selection={metric: loss, head: fer2013}", "optimizer.learningRate=0.3"])
    let run = try RunFolder(creating: folder.file("run"), recipe: recipe)
    let recorder = Recorder()
    try Trainer(run: run, sets: [set], observers: [recorder]).run(shouldStop: { false })
    let losses = recorder.epochs.compactMap { $0.heads.first { $0.labels == "fer2013" }?.loss }
    let least = try #require(losses.indices.min { losses[$0] < losses[$1] })
    #expect(losses.count == 6 && recorder.result?.best.epoch == least + 1 && recorder.best.last == least + 1)
    #expect(try ModelExport.model(of: run).card().epochs == least + 1)
  }

  @Test func theLastEpochIsKeptWhateverItsFigures() throws {
    let folder = try TemporaryFolder()
    let set = try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation })
    // With this rate the loss goes up and down.
    let recipe = try recipe("epochs=5", "selection={metric: loss, last: true}", "optimizer.learningRate=0.3")
    let run = try RunFolder(creating: folder.file("run"), recipe: recipe)
    let recorder = Recorder()
    try Trainer(run: run, sets: [set], observers: [recorder]).run(shouldStop: { false })
    #expect(recorder.result?.best.epoch == 5 && recorder.best.isEmpty)
    let card = try ModelExport.model(of: run).card()
    #expect(card.epochs == 5 && card.selection == [])
    #expect(card.measurements.allSatisfy { $0.note.hasPrefix("last epoch, nothing chosen") })
    let fitted = try ModelExport.model(of: run, calibratedOn: [set]).card()
    #expect(fitted.measurements.allSatisfy { $0.note.hasPrefix("temperature fitted on this split") })
    #expect(try run.description().keepsLast)
    #expect(try RunMeasurement.note(.validation, of: run.description()).hasPrefix("The last epoch was kept"))
  }

  @Test(arguments: ["earlyStopping.patience=3", "schedule.name=plateau"])
  func whatGoesByTheValidationPartDoesNotFitTheLastEpoch(setting: String) throws {
    let error = #expect(throws: MienError.self) { try recipe("selection.last=true", setting) }
    #expect(error?.message.contains("selection.last") == true)
  }
}
