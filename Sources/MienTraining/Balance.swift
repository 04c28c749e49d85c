package import MienCore
import MienTorch

/// Flipped and turned copies that fill smaller classes up to the largest: a recipe's `balance`.
public struct Balance: Codable, Sendable, Equatable {
  /// When copies are made.
  public enum When: String, Codable, Sendable, CaseIterable {
    /// Never.
    case none
    /// Before faces are split: copies of one picture come to stand on both sides, so that what is measured is too good.
    case beforeSplit
    /// Of the training part alone.
    case afterSplit
  }

  /// When copies are made.
  public var when = When.none
  /// Largest rotation of a copy either way, in degrees.
  public var rotationDegrees = 45.0
  /// Whether half of the copies are mirrored.
  public var horizontalFlip = true
  /// Whether half of the copies are turned upside down.
  public var verticalFlip = false
  /// Of the choice of faces and of their changes.
  public var seed: UInt64 = 1

  /// No copies.
  public init() {}

  /// The faces to copy so that every class of `pool` has as many as the largest, by rising class; a face is copied again
  /// once all of its class were. Faces without a label are not copied.
  package func copies(of faces: [SplitFace], pool: [Int]) -> [Int] {
    var random = SeededRandom(seed: seed, stream: 0)
    let classes = Emotion.allCases.map { emotion in pool.filter { faces[$0].emotion == emotion } }
    let largest = classes.map(\.count).max() ?? 0
    return classes.filter { !$0.isEmpty }.flatMap { members in
      var copies: [Int] = []
      while copies.count < largest - members.count {
        copies += members.shuffled(using: &random).prefix(largest - members.count - copies.count)
      }
      return copies
    }
  }

  /// The changed copies.
  ///
  /// - Parameters:
  ///   - copies: indices of faces.
  ///   - pixels: of all faces, [N, H, W, C].
  /// - Returns: the copies' pixels, [copies, H, W, C].
  @TorchActor package func pixels(of copies: [Int], in pixels: [UInt8], preprocessing: Preprocessing) throws -> [UInt8]
  {
    var change = Augmentation()
    (change.rotationDegrees, change.horizontalFlip, change.verticalFlip) =
      (rotationDegrees, horizontalFlip, verticalFlip)
    var random = SeededRandom(seed: seed, stream: 1)
    let size = preprocessing.elementCount
    var result: [UInt8] = []
    result.reserveCapacity(copies.count * size)
    for start in stride(from: 0, to: copies.count, by: 1024) {
      let chunk = copies[start..<min(start + 1024, copies.count)]
      let faces = try Tensor(
        bytes: chunk.flatMap { pixels[($0 * size)..<(($0 + 1) * size)] },
        shape: [chunk.count, preprocessing.height, preprocessing.width, preprocessing.channels])
      let changed = try change.apply(
        faces.permuted([0, 3, 1, 2]).scaledLikeInput(), random: &random)
      // Rounds to the nearest of the 256 values.
      result += try changed.permuted([0, 2, 3, 1]).scaled(by: 255, offset: 0.5).cast(to: .u8).bytes()
    }
    return result
  }

  /// What a user should know of the copies.
  func notes(copies: Int) -> [String] {
    switch when {
    case .none: []
    case .afterSplit: ["balanced the classes of the training part by \(copies.grouped) changed copies"]
    case .beforeSplit:
      [
        "warning: \(copies.grouped) changed copies were made before the split, so copies of one picture stand on both sides; "
          + "what is measured is too good. balance.when=afterSplit is the clean way"
      ]
    }
  }

  func validate(_ places: RecipePlaces, hasOwnSplit: Bool) throws {
    try places.require((0...180).contains(rotationDegrees), "balance.rotationDegrees", "0 to 180")
    try places.require(
      when != .beforeSplit || !hasOwnSplit, "balance.when",
      "none or afterSplit: the data sets' own split is made already, and beforeSplit needs split or folds")
  }
}
