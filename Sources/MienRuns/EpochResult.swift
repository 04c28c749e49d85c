/// What an epoch came to.
public struct EpochResult: Codable, Sendable, Equatable {
  /// One head on the validation split.
  public struct Head: Codable, Sendable, Equatable {
    /// The label set.
    public var labels: String
    /// Faces with a hard label.
    public var count: Int
    /// Mean cross-entropy to the hard label, in nats.
    public var loss: Double
    /// Share of faces whose top class is the label, 0…1.
    public var accuracy: Double
    /// Mean recall over the classes that occur, 0…1.
    public var balancedAccuracy: Double
    /// Share of the training faces that were named right as they were trained on: augmented, with dropout, by weights
    /// that changed within the epoch; nil where it was not counted.
    public var trainingAccuracy: Double?

    /// Describes a head's figures.
    public init(
      labels: String, count: Int, loss: Double, accuracy: Double, balancedAccuracy: Double,
      trainingAccuracy: Double? = nil
    ) {
      (self.labels, self.count, self.loss) = (labels, count, loss)
      (self.accuracy, self.balancedAccuracy, self.trainingAccuracy) = (accuracy, balancedAccuracy, trainingAccuracy)
    }
  }

  /// The epoch, from 1.
  public var epoch: Int
  /// Steps done.
  public var step: Int
  /// The last step's learning rate.
  public var learningRate: Double
  /// Mean of the batches' losses while training, augmented and smoothed, all heads together.
  public var trainingLoss: Double
  /// Each head on the validation split, in the recipe's order.
  public var heads: [Head]
  /// Seconds trained since the run began.
  public var seconds: Double

  /// Describes an epoch.
  public init(
    epoch: Int, step: Int, learningRate: Double, trainingLoss: Double, heads: [Head], seconds: Double
  ) {
    (self.epoch, self.step, self.learningRate) = (epoch, step, learningRate)
    (self.trainingLoss, self.heads, self.seconds) = (trainingLoss, heads, seconds)
  }
}
