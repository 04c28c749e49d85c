public import Foundation
public import MienCore
public import MienONNX

/// A last layer fitted to a user's corrections, with what it was made from: what a profile's file holds.
public struct AdaptedHead: Sendable, Equatable {
  /// What the file says beside the layer.
  public struct Info: Codable, Sendable, Equatable {
    /// The layout's version.
    public let format: Int
    /// The profile's name.
    public let profile: String
    /// The meaning of the layer's outputs.
    public let labels: LabelSet
    /// The model's name.
    public let model: String
    /// The weights that the layer belongs to, as the model's card has them.
    public let weightsSHA256: String
    /// How many corrections it was fitted to.
    public let correctionCount: Int
    /// When it was fitted, to the second.
    public let created: Date
    /// The prior's strength.
    public let strength: Double
    /// How far the readings of ordinary faces are expected to change, in nats a face.
    public let divergence: Double
    /// What cross-validation said.
    public let check: AdaptationCheck
    /// Whose corrections it was fitted to, as a server names its clients; `nil` if they are nobody's.
    public let owner: String?

    /// Takes what is known of a fit.
    package init(
      profile: ProfileName, labels: LabelSet, model: ModelCard, strength: Double, divergence: Double,
      check: AdaptationCheck, created: Date, owner: String?
    ) {
      format = AdaptedHead.currentFormat
      self.profile = profile.text
      self.labels = labels
      self.model = model.name
      weightsSHA256 = model.weightsSHA256
      correctionCount = check.count
      // As the file has it.
      self.created = Date(timeIntervalSince1970: created.timeIntervalSince1970.rounded(.down))
      self.strength = strength
      self.divergence = divergence
      self.check = check
      self.owner = owner
    }
  }

  /// The metadata key of ``info`` in the file.
  static let metadataKey = "mien.profile"
  static let currentFormat = 1
  private static let maximumBytes = 64 << 20

  /// What it was made from.
  public let info: Info
  /// The layer.
  public let head: LinearHead

  /// Joins a layer with what it was made from.
  public init(head: LinearHead, info: Info) {
    self.head = head
    self.info = info
  }

  /// Reads a profile's file.
  ///
  /// - Throws: ``MienError`` naming the file, where it is none or contradicts itself.
  public init(contentsOf url: URL) throws {
    do {
      let size = (try? url.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
      guard size <= Self.maximumBytes else {
        throw MienError(.limit, nil, "a profile may have at most \(Self.maximumBytes.grouped) bytes")
      }
      let file = try SafeTensors(contentsOf: url)
      let decoder = JSONDecoder()
      decoder.dateDecodingStrategy = .iso8601
      guard let text = file.metadata[Self.metadataKey],
        let info = try? decoder.decode(Info.self, from: Data(text.utf8))
      else { throw MienError(.format, nil, "is no Mien profile") }
      guard info.format == Self.currentFormat else {
        throw MienError(.format, nil, "is of format \(info.format), this version reads \(Self.currentFormat)")
      }
      let weights = try file.tensor("weight", type: .f32, rank: 2)
      let biases = try file.tensor("bias", type: .f32, rank: 1)
      self.info = info
      head = try LinearHead(
        labels: info.labels, width: weights.shape[1], weights: weights.values(), biases: biases.values())
    } catch let error as MienError {
      throw error.about(url.relativePath)
    }
  }

  /// Writes the file as a whole or not at all.
  ///
  /// - Throws: ``MienError`` naming the file.
  public func write(to url: URL) throws {
    let encoder = JSONText.encoder()
    encoder.dateEncodingStrategy = .iso8601
    let file = SafeTensors(
      tensors: [
        "weight": try .init(head.weights, shape: [head.labels.count, head.width]),
        "bias": try .init(head.biases, shape: [head.labels.count]),
      ], metadata: [Self.metadataKey: String(decoding: try encoder.encode(info), as: UTF8.self)])
    try file.write(to: url)
  }

  /// Checks that the layer belongs to the model with `card` and reads its embeddings of `width` numbers.
  ///
  /// - Parameter width: nil where the model has no embedding.
  /// - Throws: ``MienError`` naming the profile.
  func check(fits card: ModelCard, labelSets: [LabelSet], width: Int?) throws {
    let subject = "profile \(info.profile)"
    guard info.weightsSHA256 == card.weightsSHA256 else {
      throw MienError(
        .mismatch, subject,
        "was fitted to \(info.model) with weights \(info.weightsSHA256.prefix(16)), the model \(card.name) has weights "
          + "\(card.weightsSHA256.prefix(16))")
    }
    guard labelSets.contains(head.labels), width == head.width else {
      throw MienError(.mismatch, subject, "its layer has another shape than the model's")
    }
  }
}
