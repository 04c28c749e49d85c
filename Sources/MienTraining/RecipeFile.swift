public import Foundation
import MienCore
import MienResources
import Yams

/// Reads recipes: YAML that names what differs from the defaults, and `key=value` settings over it.
public enum RecipeFile {
  /// The recipe in `url` with `settings` applied.
  ///
  /// - Parameter settings: `key=value`, keys dotted as in `optimizer.learningRate=0.05`; values are YAML.
  /// - Throws: ``MienError`` naming the file, and the line or setting, where a key is unknown or a value does not fit.
  public static func read(_ url: URL, settings: [String] = []) throws -> Recipe {
    let text = try FileProblem.text(of: url, expected: "a recipe (YAML)")
    return try parse(text, file: url.relativePath, settings: settings)
  }

  /// The recipe in a file, or the built-in one of that name where there is no such file.
  ///
  /// - Throws: ``MienError`` as ``read(_:settings:)``; where there is neither, it names the built-in ones.
  public static func find(_ name: String, settings: [String] = []) throws -> Recipe {
    let url = URL(fileURLWithPath: name)
    if !FileManager.default.fileExists(atPath: url.path), !name.contains("/"), !name.hasSuffix(".yaml") {
      return try builtIn(name, settings: settings)
    }
    return try read(url, settings: settings)
  }

  /// The names of the built-in recipes: the files of the folder `recipes`.
  public static let builtInNames = names(in: "recipes")

  /// The names of the YAML files inside the program that lie in `folder`, in alphabetical order.
  static func names(in folder: String) -> [String] {
    Resource.names(in: folder).filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(".yaml".count)) }.sorted()
  }

  /// The text of a YAML file inside the program.
  static func text(_ name: String, in folder: String) throws -> String {
    String(decoding: try Resource.data("\(folder)/\(name).yaml"), as: UTF8.self)
  }

  /// The YAML of a built-in recipe, with its comments; `nil` if there is none of that name.
  public static func builtInText(_ name: String) -> String? {
    builtInNames.contains(name) ? try? text(name, in: "recipes") : nil
  }

  /// A built-in recipe.
  ///
  /// - Throws: ``MienError`` where there is none of that name, or a setting does not fit.
  public static func builtIn(_ name: String, settings: [String] = []) throws -> Recipe {
    guard let text = builtInText(name) else {
      throw MienError(.argument, name, "no such file, and no built-in recipe: \(builtInList(for: name))")
    }
    return try parse(text, file: "built-in recipe \(name)", settings: settings)
  }

  /// Which built-in recipes there are, and which of them may be meant by `name`, for messages.
  public static func builtInList(for name: String) -> String {
    let near = Spelling.nearest(name, among: builtInNames).map { "; did you mean \($0)?" } ?? ""
    return "these are \(builtInNames.joined(separator: ", "))\(near)"
  }

  /// The recipe written in `text`; `file` and `option`, which the settings were given by, stand in errors.
  ///
  /// - Throws: ``MienError``, of kind `argument` about a setting and of kind `format` about the file.
  public static func parse(
    _ text: String, file: String, settings: [String] = [], option: String = "--set"
  ) throws -> Recipe {
    var document = try RecipeDocument(text, file: file)
    for setting in settings { try document.set(setting, option: option) }
    return try document.recipe()
  }

  /// The recipe as YAML with every key, for a run folder.
  public static func text(of recipe: Recipe) throws -> String {
    let text = try YAMLEncoder().encode(recipe)
    return try compose(yaml: text).map { try serialize(node: plain($0), sortKeys: false) } ?? text
  }

  /// `node` with numbers as people write them: `0.1`, where the encoder writes `1e-1`.
  private static func plain(_ node: Node) -> Node {
    switch node {
    case .mapping(let mapping): Node(mapping.map { ($0.key, plain($0.value)) })
    case .sequence(let sequence): Node(sequence.map(plain))
    case .scalar(let scalar) where scalar.style == .plain && !scalar.string.contains(":") && node.int == nil:
      node.float.map { $0.isFinite ? Node("\($0)") : node } ?? node
    default: node
    }
  }
}
