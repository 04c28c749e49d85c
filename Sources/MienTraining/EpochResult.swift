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
}
