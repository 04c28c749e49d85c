public import Foundation

/// What a model file says of itself; stored as JSON in the ONNX metadata under ``metadataKey``.
public struct ModelCard: Codable, Sendable, Equatable {
  /// The metadata key that holds the card's JSON.
  public static let metadataKey = "mien.card"
  /// The layout that this version writes and reads.
  public static let currentFormat = 1

  /// One probability output.
  public struct Output: Codable, Sendable, Equatable {
    /// The tensor's name, which is the label set's.
    public var name: String
    /// The meaning of its channels, in order.
    public var emotions: [Emotion]
    /// The temperature inside the graph, by which logits are divided before softmax.
    public var temperature: Float

    /// Describes an output.
    public init(name: String, emotions: [Emotion], temperature: Float = 1) {
      self.name = name
      self.emotions = emotions
      self.temperature = temperature
    }
  }

  /// How a detected face is framed for this model.
  public struct Framing: Codable, Sendable, Equatable {
    /// What the crop is laid about.
    public enum Anchor: String, Codable, Sendable, CaseIterable {
      /// The detector's square box.
      case box
      /// The eyes and the mouth; the box where the detector gives no points.
      case points
    }

    /// Side of the square crop as a multiple of the anchor's side: of the box, or of the square in which the points lie as
    /// they do in FER2013's faces.
    public var scale: Float
    /// Shift of the crop's centre, down, as a share of the anchor's side.
    public var shiftDown: Float
    private var statedAnchor: Anchor?
    private var isStatedTurned: Bool?

    private enum CodingKeys: String, CodingKey {
      case scale, shiftDown
      case statedAnchor = "anchor"
      case isStatedTurned = "turned"
    }

    /// Describes a framing.
    public init(anchor: Anchor = .box, scale: Float = 1, shiftDown: Float = 0, isTurned: Bool = false) {
      self.scale = scale
      self.shiftDown = shiftDown
      statedAnchor = anchor
      isStatedTurned = isTurned
    }

    /// What the crop is laid about; the box in cards that do not say.
    public var anchor: Anchor {
      get { statedAnchor ?? .box }
      set { statedAnchor = newValue }
    }

    /// Whether the crop is turned so that the eyes are level; false in cards that do not say.
    public var isTurned: Bool {
      get { isStatedTurned ?? false }
      set { isStatedTurned = newValue }
    }

    /// Whether a crop can be made so.
    package var isPossible: Bool {
      scale.isFinite && scale > 0.1 && scale < 10 && shiftDown.isFinite && abs(shiftDown) < 2
    }
  }

  /// A data set the weights were fitted to.
  public struct TrainingData: Codable, Sendable, Equatable {
    /// The FaceSet's source, as `fer2013`.
    public var source: String
    /// Which split was fitted.
    public var split: String
    /// How many faces.
    public var count: Int
    /// The label sets used.
    public var labels: [String]
    /// The share of each class among these faces, by label set and in its order; soft targets count by their shares.
    /// `nil` in cards that do not say.
    public var classShares: [String: [Float]]?
    /// ``FaceSet/picturesHash(of:)`` of these faces; `nil` in cards that do not say.
    public var picturesHash: String?
    /// ``FaceSet/picturesSample(of:)`` of these faces; `nil` in cards that do not say.
    public var picturesSample: PictureSample?

    /// Describes the data.
    public init(
      source: String, split: String, count: Int, labels: [String], classShares: [String: [Float]]? = nil,
      picturesHash: String? = nil, picturesSample: PictureSample? = nil
    ) {
      self.source = source
      self.split = split
      self.count = count
      self.labels = labels
      self.classShares = classShares
      self.picturesHash = picturesHash
      self.picturesSample = picturesSample
    }

    /// These data in words.
    package var text: String {
      if labels.isEmpty { return "\(source), \(split)" }
      let names = labels.joined(separator: " and ")
      return "\(Spelling.counted(count, "face")) of the set `\(source)`, \(split), labels \(names)"
    }

    /// Whether these are the same faces and labels, whatever the cards say of their classes, and by their pictures too if
    /// both name them.
    package func isSame(as other: TrainingData) -> Bool {
      (source, split, count) == (other.source, other.split, other.count) && labels == other.labels
        && (picturesHash == nil || other.picturesHash == nil || picturesHash == other.picturesHash)
    }
  }

  /// An accuracy of these very weights.
  public struct Measurement: Codable, Sendable, Equatable {
    /// The FaceSet's source.
    public var source: String
    /// The split measured.
    public var split: String
    /// The label set measured against.
    public var labels: String
    /// How many faces.
    public var count: Int
    /// Share of faces whose top class is the label, 0…1.
    public var accuracy: Double
    /// Mean recall over classes, 0…1.
    public var balancedAccuracy: Double
    /// Expected calibration error, 0…1, each face's temperature fitted without it; nil if none was fitted.
    public var calibrationError: Double?
    /// How the weights were chosen, and test-time averaging, in words.
    public var note: String

    /// Describes a measurement.
    public init(
      source: String, split: String, labels: String, count: Int, accuracy: Double, balancedAccuracy: Double,
      calibrationError: Double? = nil, note: String
    ) {
      self.source = source
      self.split = split
      self.labels = labels
      self.count = count
      self.accuracy = accuracy
      self.balancedAccuracy = balancedAccuracy
      self.calibrationError = calibrationError
      self.note = note
    }
  }

  /// The layout's version.
  public var format: Int
  /// The model's name, as `mien-s`.
  public var name: String
  /// A sentence for people.
  public var summary: String
  /// The network's architecture, as in the registry.
  public var architecture: String
  /// Trainable numbers.
  public var parameterCount: Int
  /// The input contract.
  public var preprocessing: Preprocessing
  /// How faces are framed.
  public var framing: Framing
  /// The probability outputs.
  public var outputs: [Output]
  /// The data that the weights were fitted to.
  public var training: [TrainingData]
  /// The faces that the best epoch was chosen by; nil in files of earlier versions.
  public var selection: [TrainingData]?
  /// The faces that the temperatures were fitted on; nil if none were.
  public var calibration: [TrainingData]?
  /// The seed of the run.
  public var seed: UInt64
  /// Epochs trained.
  public var epochs: Int
  /// What was measured on these weights.
  public var measurements: [Measurement]
  /// The licence of the weights.
  public var license: String
  /// SHA-256 of graph and weights without metadata, in hexadecimal; empty until the file is written.
  public var weightsSHA256: String

  /// Makes a card.
  public init(
    name: String, summary: String, architecture: String, parameterCount: Int, preprocessing: Preprocessing,
    framing: Framing, outputs: [Output], training: [TrainingData], selection: [TrainingData]? = nil,
    calibration: [TrainingData]? = nil, seed: UInt64, epochs: Int, measurements: [Measurement], license: String,
    weightsSHA256: String = ""
  ) {
    format = Self.currentFormat
    self.name = name
    self.summary = summary
    self.architecture = architecture
    self.parameterCount = parameterCount
    self.preprocessing = preprocessing
    self.framing = framing
    self.outputs = outputs
    self.training = training
    self.selection = selection
    self.calibration = calibration
    self.seed = seed
    self.epochs = epochs
    self.measurements = measurements
    self.license = license
    self.weightsSHA256 = weightsSHA256
  }

  /// The label sets of the probability outputs, in order.
  ///
  /// - Throws: ``MienError`` where an output's emotions repeat or are too few.
  public func labelSets() throws -> [LabelSet] {
    try outputs.map { try LabelSet(name: $0.name, emotions: $0.emotions) }
  }

  /// The share of each class of `labels` in the training data, the sets weighted by their faces; `nil` if the card does
  /// not say.
  public func classShares(of labels: LabelSet) -> [Float]? {
    let parts = training.compactMap { data in data.classShares?[labels.name].map { ($0, Float(data.count)) } }
    guard !parts.isEmpty, parts.allSatisfy({ $0.0.count == labels.count }) else { return nil }
    let faces = parts.reduce(0) { $0 + $1.1 }
    return labels.emotions.indices.map { index in parts.reduce(0) { $0 + $1.0[index] * $1.1 } / faces }
  }

  /// Reads a card's JSON and checks that a runtime can rely on it.
  ///
  /// - Throws: ``MienError`` where the JSON is no card, is of a later format, or contradicts itself.
  public init(json: Data) throws {
    do { self = try JSONDecoder().decode(ModelCard.self, from: json) } catch {
      throw MienError(.format, nil, "its card is not a Mien model card")
    }
    guard format == Self.currentFormat else {
      throw MienError(.format, nil, "its card is of format \(format), this version reads \(Self.currentFormat)")
    }
    guard !outputs.isEmpty, (1...4096).contains(preprocessing.width), (1...4096).contains(preprocessing.height),
      [1, 3].contains(preprocessing.channels), framing.isPossible
    else { throw MienError(.format, nil, "its card has no outputs, or an impossible input or framing") }
    _ = try labelSets()
  }

  /// The card as JSON with sorted keys.
  public func json(pretty: Bool = false) throws -> Data {
    pretty ? try JSONText.document(self) : try JSONText.line(self)
  }
}
