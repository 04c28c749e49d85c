import MienCore
import MienModels
import MienTorch

/// Smaller faces in a run's first epochs, which cost less: a recipe's `progressive`.
///
/// The network is measured at 48x48 throughout, so its figures are low until it trains at that size too.
public struct ProgressiveResizing: Codable, Sendable, Equatable {
  /// Side of the faces in the first epochs, in pixels.
  public var side = 48
  /// Share of the epochs that see them, 0..<1.
  public var epochs = 0.0

  /// Faces of 48x48 from the first epoch on.
  public init() {}

  /// The side in an epoch, counted from 0; `nil` for the faces' own.
  func side(inEpoch epoch: Int, of total: Int) -> Int? {
    side != 48 && Double(epoch) < epochs * Double(total) ? side : nil
  }

  func validate(_ places: RecipePlaces) throws {
    try places.require((16...48).contains(side), "progressive.side", "16 to 48")
    try places.require((0..<1).contains(epochs), "progressive.epochs", "at least 0 and below 1")
  }

  /// Checks that `network` takes the smaller faces.
  ///
  /// - Throws: ``MienError`` if it takes faces of 48x48 alone.
  @TorchActor func check(_ network: FaceNetwork, channels: Int) throws {
    guard side != 48, epochs > 0 else { return }
    do {
      _ = try Tensor.withGradients(false) { try network.logits(.full([1, channels, side, side], 0), .inference) }
    } catch {
      throw MienError(
        .argument, "progressive.side \(side)",
        "the network does not take faces of \(side)x\(side). It must average over places, as mien-s does, and the side "
          + "must be a multiple of 8 for three halvings; or leave out progressive")
    }
  }
}
