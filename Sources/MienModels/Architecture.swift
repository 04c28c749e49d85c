public import MienCore
import MienTorch

/// A family of networks: a short declaration whose stored properties are the options a recipe may set.
public protocol Architecture: Codable, Sendable {
  /// Builds a network with fresh weights.
  ///
  /// - Parameters:
  ///   - channels: 1 (grey) or 3 (RGB) input channels; pictures are 48x48.
  ///   - labels: one head each.
  ///   - random: where the initial weights come from.
  @TorchActor func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork
}

/// The architectures by the names that recipes use.
public enum ModelRegistry {
  /// Every architecture with its default options, by name. A family may stand here under several names.
  public static let architectures: [String: any Architecture] = [
    "mien-s": CompactResidualNetwork(),
    "chen": ChenNetwork(),
    "javier": JavierNetwork(),
    "gao": GaoNetwork(),
    "le-shallow": LeNetwork.shallow,
    "le-deep": LeNetwork.deep,
    "yousaf": YousafNetwork(),
  ]

  /// The architecture called `name`, with its default options.
  ///
  /// - Throws: ``MienError`` listing the known names.
  public static func architecture(named name: String) throws -> any Architecture {
    guard let architecture = architectures[name] else {
      let known = architectures.keys.sorted().joined(separator: ", ")
      throw MienError(.argument, "architecture \(name)", "unknown; known are \(known)")
    }
    return architecture
  }
}
