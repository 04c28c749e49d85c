import Foundation
import MienCore
public import MienRuns

/// Shows progress: one line that is rewritten on a terminal, plain lines elsewhere.
public final class TerminalProgress: TrainingObserver {
  private let line = ProgressLine(terminal: .milliseconds(500), plain: .seconds(30))
  private var plan: TrainingPlan?
  private var begin = ContinuousClock.now
  private var lastEpoch: EpochResult?
  /// Whether a step was done in this session.
  private var isUnderway = false

  private let member: String
  private let isBrief: Bool
  private let continuation: String?
  private let ending: String?

  /// Writes to standard error.
  ///
  /// - Parameters:
  ///   - member: which run of a series it is; empty for a run alone.
  ///   - isBrief: whether only the running line is shown, for many short runs.
  ///   - continuation: says how a stopped run goes on; `nil` to say only that it can.
  ///   - ending: says what to do with a finished run; `nil` for nothing.
  public init(member: String = "", isBrief: Bool = false, continuation: String? = nil, ending: String? = nil) {
    self.member = member
    self.isBrief = isBrief
    self.continuation = continuation
    self.ending = ending
  }

  /// Says what is trained on what, and where.
  public func started(_ plan: TrainingPlan) {
    self.plan = plan
    begin = .now
    lastEpoch = plan.history.last
    guard !isBrief else { return }
    let parameters = String(format: "%.2f M", Double(plan.parameterCount) / 1e6)
    Console.error(
      "\(title(of: plan)): \(parameters) parameters, \(plan.trainCount.grouped) faces to train on, "
        + "\(plan.validationCount.grouped) to validate")
    Console.error("run folder \(plan.folder)")
    for note in plan.notes { Console.error(note) }
  }

  /// The recipe and the member, which may begin with the recipe's name itself.
  private func title(of plan: TrainingPlan) -> String {
    member.isEmpty ? plan.name : member.hasPrefix("\(plan.name) ") ? member : "\(plan.name) \(member)"
  }

  /// Shows epoch, loss, learning rate, the last validation, speed and time left, at most twice a second on a terminal
  /// and twice a minute elsewhere.
  public func stepped(_ step: StepResult) {
    guard let plan else { return }
    if !isUnderway, !isBrief, plan.firstStep > 0 { Console.error("resumed at step \(plan.firstStep.grouped)") }
    isUnderway = true
    line.show {
      let elapsed = (ContinuousClock.now - begin) / .seconds(1)
      let perSecond = Double(step.step - plan.firstStep) / elapsed
      let left = Double(plan.steps - step.step) / perSecond
      let epoch = (step.step - 1) / plan.stepsPerEpoch + 1
      let share = 100 * ((step.step - 1) % plan.stepsPerEpoch + 1) / plan.stepsPerEpoch
      return
        "\(isBrief ? "\(member) " : "")epoch \(epoch)/\(plan.epochs) \(share) %  loss \(String(format: "%.4f", step.loss))  "
        + "lr \(String(format: "%.4g", step.learningRate))  \(validation)\(Int(perSecond * Double(plan.batchSize)).grouped) "
        + "images/s  \(ProgressLine.left(left))"
    }
  }

  /// Says what the epoch came to.
  public func finishedEpoch(_ result: EpochResult, isBest: Bool) {
    lastEpoch = result
    guard !isBrief else { return }
    let heads = result.heads.map { head in
      let training = head.trainingAccuracy.map { ", train \(NumberText.percent($0))" } ?? ""
      return
        "\(head.labels) \(NumberText.percent(head.accuracy)) (balanced \(NumberText.percent(head.balancedAccuracy)), "
        + "loss \(NumberText.fixed(head.loss, 4))\(training))"
    }
    let training = String(format: "%.4f", result.trainingLoss)
    line.clear()
    Console.error(
      "epoch \(result.epoch): train loss \(training)  \(heads.joined(separator: "  "))\(isBest ? "  best" : "")")
  }

  /// Says how to go on.
  public func stopped(_ plan: TrainingPlan, step: Int) {
    line.clear()
    guard !isBrief else { return }
    Console.error("stopped at step \(step.grouped); \(continuation ?? "the run can be resumed")")
  }

  /// Says which epoch is kept and how to export it, and whether the run was finished before.
  public func finished(_ plan: TrainingPlan, result: RunResult) {
    line.clear()
    guard !isBrief else { return }
    if plan.firstStep > 0, !isUnderway { Console.error("the run is finished already; nothing was left to train") }
    if result.stoppedEarly {
      Console.error("stopped early after epoch \(result.epochs): no better for the recipe's patience")
    }
    Console.error(
      "\(plan.keepsLast ? "last" : "best") epoch \(result.best.epoch): validation \(Self.accuracies(result.best.heads))"
    )
    if !result.test.isEmpty { Console.error("test, measured once: \(Self.accuracies(result.test))") }
    if let ending { Console.error(ending) }
  }

  /// The last epoch's accuracies.
  private var validation: String { lastEpoch.map { "val \(Self.accuracies($0.heads))  " } ?? "" }

  private static func accuracies(_ heads: [EpochResult.Head]) -> String {
    heads.map { "\($0.labels) \(NumberText.percent($0.accuracy))" }.joined(separator: ", ")
  }
}
