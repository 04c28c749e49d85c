import Foundation
import MienCore
import MienRuns
import MienTraining

/// Collects what training says.
final class Recorder: TrainingObserver {
  var plan: TrainingPlan?
  var epochs: [EpochResult] = []
  var best: [Int] = []
  var steps = 0
  var result: RunResult?

  func started(_ plan: TrainingPlan) { self.plan = plan }
  func stepped(_ step: StepResult) { steps += 1 }
  func finishedEpoch(_ result: EpochResult, isBest: Bool) {
    epochs.append(result)
    if isBest { best.append(result.epoch) }
  }
  func finished(_ plan: TrainingPlan, result: RunResult) { self.result = result }
}

extension RunFolder {
  /// The tensors of the last and the best checkpoint.
  var checkpointTensors: [[String: SafeTensors.Tensor]] {
    get throws { try [lastCheckpoint, bestCheckpoint].map { try SafeTensors(contentsOf: $0).tensors } }
  }

  /// The rows of `metrics.csv` without their seconds.
  var metricsRows: [String] {
    get throws {
      try String(contentsOf: metricsFile, encoding: .utf8).split(separator: "\n").map {
        $0.split(separator: ",").dropLast().joined(separator: ",")
      }
    }
  }
}
