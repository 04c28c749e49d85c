public import MienCore
import MienTorch
import Synchronization

/// A family of networks: a short declaration whose stored properties are the options a recipe may set.
public protocol Architecture: Codable, Sendable {
  /// Builds a network with fresh weights.
  ///
  /// - Parameters:
  ///   - channels: 1 (grey) or 3 (RGB) input channels; pictures are 48x48.
  ///   - labels: one head each.
  ///   - random: where the initial weights come from.
  @TorchActor func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork

  /// Earlier names of options, by which recipes may still set them, and the options' present names.
  var formerOptions: [String: String] { get }
}

extension Architecture {
  /// No option was renamed.
  public var formerOptions: [String: String] { [:] }
}

/// The architectures by the names that recipes use.
///
/// A program adds its own before it reads a recipe, and `model.architecture` then names them:
///
/// ```swift
/// try ModelRegistry.register(MyNetwork(), as: "my-network")
/// let recipe = try RecipeFile.parse("model: {architecture: my-network}", file: "mine.yaml")
/// ```
public enum ModelRegistry {
  /// The architectures that Mien brings.
  package static let builtIn: [String: any Architecture] = [
    "mien-s": CompactResidualNetwork(),
    "dlib-resnet": DlibResidualNetwork(),
    "plain": PlainNetwork(),
    "chen": PlainNetwork.chen,
    "javier": PlainNetwork.javier,
    "gao": PlainNetwork.gao,
    "le-shallow": PlainNetwork.leShallow,
    "le-deep": PlainNetwork.leDeep,
    "yousaf": PlainNetwork.yousaf,
  ]

  private static let added = Mutex<[String: any Architecture]>([:])

  /// Every architecture with its default options, by name. A family may stand here under several names.
  public static var architectures: [String: any Architecture] {
    builtIn.merging(added.withLock { $0 }) { builtIn, _ in builtIn }
  }

  /// Adds an architecture, for the rest of the process. Safe from any thread.
  ///
  /// - Parameters:
  ///   - architecture: with its default options.
  ///   - name: what `model.architecture` of a recipe says, and the cards of exported models.
  /// - Throws: ``MienError`` if `name` is empty or taken.
  public static func register(_ architecture: any Architecture, as name: String) throws {
    guard !name.isEmpty else { throw MienError(.argument, "architecture", "a name is needed to register one") }
    let isNew = added.withLock { added in
      guard builtIn[name] == nil, added[name] == nil else { return false }
      added[name] = architecture
      return true
    }
    guard isNew else {
      throw MienError(.argument, "architecture \(name)", "the name is taken; register yours under another one")
    }
  }

  /// The architecture called `name`, with its default options.
  ///
  /// - Throws: ``MienError`` listing the known names.
  public static func architecture(named name: String) throws -> any Architecture {
    let architectures = architectures
    guard let architecture = architectures[name] else {
      let known = architectures.keys.sorted().joined(separator: ", ")
      throw MienError(.argument, "architecture \(name)", "unknown; known are \(known)")
    }
    return architecture
  }
}
