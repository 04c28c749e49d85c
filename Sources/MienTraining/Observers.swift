import Foundation
import MienCore

/// The shape of a run, for observers.
public struct TrainingPlan: Sendable {
  /// The recipe's name.
  public let name: String
  /// The run folder.
  public let folder: String
  /// Numbers that are trained.
  public let parameterCount: Int
  /// Faces trained on.
  public let trainCount: Int
  /// Faces the model is chosen by.
  public let validationCount: Int
  /// Steps an epoch.
  public let stepsPerEpoch: Int
  /// Epochs.
  public let epochs: Int
  /// Faces a step.
  public let batchSize: Int
  /// Steps that an earlier session did.
  public let firstStep: Int

  /// Steps of the whole run.
  public var steps: Int { epochs * stepsPerEpoch }
}

/// What a step came to.
public struct StepResult: Sendable {
  /// Steps done.
  public let step: Int
  /// Mean loss of the epoch so far.
  public let loss: Double
  /// The step's learning rate.
  public let learningRate: Double
}

/// Receives what training does; it changes nothing.
public protocol TrainingObserver: AnyObject {
  /// Training begins, or goes on after a resume.
  func started(_ plan: TrainingPlan) throws
  /// A step is done.
  func stepped(_ step: StepResult) throws
  /// An epoch is trained and measured.
  func finishedEpoch(_ result: EpochResult, isBest: Bool) throws
  /// Training stopped early with a state that can be resumed.
  func stopped(_ plan: TrainingPlan, step: Int) throws
  /// All epochs are done.
  func finished(_ plan: TrainingPlan, best: EpochResult?) throws
}

extension TrainingObserver {
  public func started(_ plan: TrainingPlan) throws {}
  public func stepped(_ step: StepResult) throws {}
  public func stopped(_ plan: TrainingPlan, step: Int) throws {}
  public func finished(_ plan: TrainingPlan, best: EpochResult?) throws {}
}

/// Writes `metrics.csv`: a row an epoch. After a resume, rows of epochs that are trained again are dropped.
public final class MetricsFile: TrainingObserver {
  private let url: URL

  /// Writes the file of `run`.
  public init(run: RunFolder) { url = run.metricsFile }

  public func started(_ plan: TrainingPlan) throws {
    guard let text = try? String(contentsOf: url, encoding: .utf8) else { return }
    let done = plan.firstStep / plan.stepsPerEpoch
    let kept = text.split(separator: "\n").filter { line in
      Int(line.prefix { $0 != "," }).map { $0 <= done } ?? true
    }
    try AtomicFile.write(Data(kept.map { "\($0)\n" }.joined().utf8), to: url)
  }

  public func finishedEpoch(_ result: EpochResult, isBest: Bool) throws {
    var text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
    if text.isEmpty {
      let columns = result.heads.flatMap { head in
        ["loss", "accuracy", "balanced_accuracy"].map { "validation_\(head.labels)_\($0)" }
      }
      text = (["epoch", "step", "learning_rate", "train_loss"] + columns + ["seconds"]).joined(separator: ",") + "\n"
    }
    let values = result.heads.flatMap { [$0.loss, $0.accuracy, $0.balancedAccuracy] }
    let numbers = [result.learningRate, result.trainingLoss] + values + [result.seconds]
    text += "\(result.epoch),\(result.step)," + numbers.map { String(format: "%.6g", $0) }.joined(separator: ",") + "\n"
    try AtomicFile.write(Data(text.utf8), to: url)
  }
}

/// Shows progress: one line that is rewritten on a terminal, plain lines elsewhere.
public final class TerminalProgress: TrainingObserver {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var plan: TrainingPlan?
  private var begin = ContinuousClock.now
  private var lastShown = ContinuousClock.now

  /// Writes to standard error.
  public init() {}

  public func started(_ plan: TrainingPlan) {
    self.plan = plan
    begin = .now
    lastShown = .now
    let parameters = String(format: "%.2f M", Double(plan.parameterCount) / 1e6)
    say("\(plan.name): \(parameters) parameters, \(plan.trainCount) faces to train on, \(plan.validationCount) to validate")
    say("run folder \(plan.folder)")
    if plan.firstStep > 0 { say("resumed at step \(plan.firstStep)") }
  }

  public func stepped(_ step: StepResult) {
    guard let plan, ContinuousClock.now - lastShown > .seconds(isTerminal ? 0.5 : 30) else { return }
    lastShown = .now
    let elapsed = (ContinuousClock.now - begin) / .seconds(1)
    let perSecond = Double(step.step - plan.firstStep) / elapsed
    let left = Double(plan.steps - step.step) / perSecond
    let epoch = (step.step - 1) / plan.stepsPerEpoch + 1
    let share = 100 * ((step.step - 1) % plan.stepsPerEpoch + 1) / plan.stepsPerEpoch
    let line =
      "epoch \(epoch)/\(plan.epochs) \(share)%  loss \(String(format: "%.4f", step.loss))  "
      + "lr \(String(format: "%.4g", step.learningRate))  \(Int(perSecond * Double(plan.batchSize))) images/s  "
      + "\(Self.duration(left)) left"
    if isTerminal {
      FileHandle.standardError.write(Data("\r\u{1B}[K\(line)".utf8))
    } else {
      say(line)
    }
  }

  public func finishedEpoch(_ result: EpochResult, isBest: Bool) {
    let heads = result.heads.map { head in
      String(
        format: "%@ %.2f%% (balanced %.2f%%, loss %.4f)", head.labels, head.accuracy * 100,
        head.balancedAccuracy * 100, head.loss)
    }
    let training = String(format: "%.4f", result.trainingLoss)
    clearLine()
    say("epoch \(result.epoch): train loss \(training)  \(heads.joined(separator: "  "))\(isBest ? "  best" : "")")
  }

  public func stopped(_ plan: TrainingPlan, step: Int) {
    clearLine()
    say("stopped at step \(step); continue with --resume \(plan.folder)")
  }

  public func finished(_ plan: TrainingPlan, best: EpochResult?) {
    clearLine()
    guard let best else { return }
    say("best epoch \(best.epoch): \(best.heads.map { String(format: "%@ %.2f%%", $0.labels, $0.accuracy * 100) }.joined(separator: ", "))")
    say("export it with `mien export \(plan.folder) -o MODEL.onnx`")
  }

  private func say(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
  private func clearLine() { if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }

  private static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "?" }
    let minutes = Int(seconds / 60)
    return minutes >= 60 ? "\(minutes / 60) h \(minutes % 60) min" : minutes > 0 ? "\(minutes) min" : "\(Int(seconds)) s"
  }
}
