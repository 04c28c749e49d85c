import Foundation
public import MienCore
public import MienInference
public import MienONNX

/// What a model's embeddings of many faces look like on average: what ``HeadAdaptation`` holds a changed last layer to,
/// so that a handful of corrections does not spoil the reading of everybody else.
///
/// It holds averages only, no face and no embedding, and travels in the metadata of the model's file. Metadata is no part
/// of the weights' hash.
public struct EmbeddingReference: Sendable, Equatable, Codable {
  /// The metadata key that holds it as JSON.
  public static let metadataKey = "mien.reference"
  /// The layout that this version writes and reads.
  static let currentFormat = 1

  /// The layout's version.
  private let format: Int
  /// The data set of the faces.
  public let source: String
  /// How many faces.
  public let count: Int
  /// The weights whose embeddings these are.
  public let weightsSHA256: String
  /// The length D of an embedding.
  public let width: Int
  /// The mean of `x xᵀ` over the faces, `x` an embedding with a 1 behind it: the upper triangle of [D + 1, D + 1], row by
  /// row, as little-endian 32-bit floats.
  private let moment: Data
  /// By label set, the mean of `diag(p) - p pᵀ` over the faces, [K, K], `p` the model's probabilities: Fisher's
  /// information of the logits.
  private let information: [String: [Float]]

  /// The averages over what `classifier` says of the faces of one split.
  ///
  /// - Parameters:
  ///   - split: nil for all faces.
  ///   - progress: called with how many faces are done, and of how many.
  /// - Throws: ``MienError`` where there is no face, its size is not the model's, or the model has no `embedding`.
  public init(
    _ classifier: EmotionClassifier, faces: FaceSet, split: Split?,
    progress: @Sendable @escaping (Int, Int) -> Void = { _, _ in }
  ) async throws {
    let indices = faces.indices(in: split)
    guard !indices.isEmpty else {
      throw MienError(.mismatch, faces.info.source, "\(split?.rawValue ?? "the set") has no face")
    }
    let names = Set(classifier.labelSets.map(\.name))
    let chunk = 256
    var sums = Sums(labels: classifier.labelSets)
    for start in stride(from: 0, to: indices.count, by: chunk) {
      let part = Array(indices[start..<min(start + chunk, indices.count)])
      let output = try await classifier.output(
        of: faces, at: part, outputs: names.union([ONNXModel.embeddingName]))
      sums.add(output)
      progress(start + part.count, indices.count)
    }
    self = sums.reference(source: faces.info.source, weightsSHA256: classifier.card.weightsSHA256)
  }

  /// Takes averages that are known.
  ///
  /// - Parameters:
  ///   - moment: the mean of `x xᵀ`, [width + 1, width + 1] row-major, symmetric.
  ///   - information: by label set, [K, K] row-major.
  package init(
    source: String, count: Int, weightsSHA256: String, width: Int, moment: [Double], information: [String: [Double]]
  ) {
    format = Self.currentFormat
    self.source = source
    self.count = count
    self.weightsSHA256 = weightsSHA256
    self.width = width
    let size = width + 1
    var triangle: [Float] = []
    for row in 0..<size { triangle += moment[(row * size + row)..<((row + 1) * size)].map { Float($0) } }
    self.moment = triangle.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
    self.information = information.mapValues { $0.map { Float($0) } }
  }

  /// The mean of `x xᵀ`, [D + 1, D + 1] row-major.
  ///
  /// - Throws: ``MienError`` where the file holds another number of them.
  func momentMatrix() throws -> [Double] {
    let size = width + 1
    guard width > 0, moment.count == size * (size + 1) / 2 * 4 else {
      throw MienError(.format, nil, "its reference of embeddings has the wrong size")
    }
    let bytes = [UInt8](moment)
    var matrix = [Double](repeating: 0, count: size * size)
    var place = 0
    for row in 0..<size {
      for column in row..<size {
        let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) }
        matrix[row * size + column] = Double(Float(bitPattern: bits))
        matrix[column * size + row] = matrix[row * size + column]
        place += 4
      }
    }
    return matrix
  }

  /// The mean of `diag(p) - p pᵀ` of the output that `labels` names, [K, K] row-major.
  ///
  /// - Throws: ``MienError`` where there is none for `labels`.
  func informationMatrix(_ labels: LabelSet) throws -> [Double] {
    guard let matrix = information[labels.name], matrix.count == labels.count * labels.count else {
      throw MienError(.format, nil, "its reference of embeddings has nothing for \(labels.name)")
    }
    return matrix.map { Double($0) }
  }

  private struct Sums {
    let labels: [LabelSet]
    var count = 0
    var width = 0
    var moment: [Double] = []
    var information: [String: [Double]] = [:]

    init(labels: [LabelSet]) {
      self.labels = labels
      for set in labels { information[set.name] = [Double](repeating: 0, count: set.count * set.count) }
    }

    mutating func add(_ output: ClassifierOutput) {
      guard let embedding = output[ONNXModel.embeddingName] else { return }
      width = embedding.values.count / max(1, output.count)
      if moment.isEmpty { moment = [Double](repeating: 0, count: (width + 1) * (width + 1)) }
      for index in 0..<output.count {
        let row = embedding.row(index).map { Double($0) } + [1]
        moment.withUnsafeMutableBufferPointer { moment in
          for (place, value) in row.enumerated() where value != 0 {
            for other in place..<row.count { moment[place * row.count + other] += value * row[other] }
          }
        }
        for set in labels {
          guard let tensor = output[set.name] else { continue }
          let probabilities = tensor.row(index).map { Double($0) }
          for (place, value) in probabilities.enumerated() {
            for (other, second) in probabilities.enumerated() {
              information[set.name]?[place * set.count + other] += (place == other ? value : 0) - value * second
            }
          }
        }
      }
      count += output.count
    }

    func reference(source: String, weightsSHA256: String) -> EmbeddingReference {
      EmbeddingReference(
        source: source, count: count, weightsSHA256: weightsSHA256, width: width,
        moment: moment.map { $0 / Double(count) }, information: information.mapValues { $0.map { $0 / Double(count) } })
    }
  }
}

extension ONNXModel {
  /// The averages of embeddings that travel with the model; nil where none do.
  ///
  /// - Throws: ``MienError`` where they are damaged or of other weights.
  public func embeddingReference() throws -> EmbeddingReference? {
    guard let text = metadata(EmbeddingReference.metadataKey) else { return nil }
    guard let reference = try? JSONDecoder().decode(EmbeddingReference.self, from: Data(text.utf8)) else {
      throw MienError(.format, nil, "its reference of embeddings cannot be read")
    }
    guard reference.weightsSHA256 == weightsSHA256 else {
      throw MienError(.mismatch, nil, "its reference of embeddings was made for other weights")
    }
    return reference
  }

  /// The same model with `reference` in its metadata; the hash of its weights stays.
  ///
  /// - Throws: ``MienError`` where `reference` is of other weights.
  public func replacingReference(_ reference: EmbeddingReference) throws -> ONNXModel {
    guard reference.weightsSHA256 == weightsSHA256 else {
      throw MienError(.mismatch, nil, "the reference of embeddings was made for other weights")
    }
    return try replacingMetadata(
      EmbeddingReference.metadataKey, with: String(decoding: JSONText.line(reference), as: UTF8.self))
  }
}
