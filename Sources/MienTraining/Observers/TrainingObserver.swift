public import MienRuns

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
  /// The epochs that earlier sessions finished.
  public let history: [EpochResult]
  /// What a user should know of this run.
  public let notes: [String]
  /// Whether the last epoch is kept, not the best.
  public let keepsLast: Bool

  /// Steps of the whole run.
  public var steps: Int { epochs * stepsPerEpoch }
}

/// What a step came to.
public struct StepResult: Sendable {
  /// Steps done.
  public let step: Int
  /// Mean loss of the epoch so far.
  public let loss: Double
  /// The step's own loss.
  public let batchLoss: Double
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
  /// All epochs are done, or no more are needed.
  func finished(_ plan: TrainingPlan, result: RunResult) throws
}

extension TrainingObserver {
  /// Does nothing.
  public func started(_ plan: TrainingPlan) throws {}
  /// Does nothing.
  public func stepped(_ step: StepResult) throws {}
  /// Does nothing.
  public func stopped(_ plan: TrainingPlan, step: Int) throws {}
  /// Does nothing.
  public func finished(_ plan: TrainingPlan, result: RunResult) throws {}
}
