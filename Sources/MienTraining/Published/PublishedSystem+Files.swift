public import Foundation
public import MienCore
public import MienRuns
import Yams

extension PublishedSystem {
  /// The names of the systems that are built in: the files of `recipes/published`.
  public static let builtInNames = RecipeFile.names(in: "recipes/published")

  /// The systems that are built in, in the order of ``builtInNames``.
  ///
  /// - Throws: ``MienError`` if a file is not as it should be.
  public static func builtIn() throws -> [PublishedSystem] {
    try builtInNames.map { name in
      try PublishedSystem(yaml: RecipeFile.text(name, in: "recipes/published"), file: "\(name).yaml")
    }
  }

  /// Reads a system from a file like those in `recipes/published`.
  ///
  /// - Throws: ``MienError`` that names the file, and what in it is not as it should be.
  public init(contentsOf url: URL) throws {
    try self.init(yaml: FileProblem.text(of: url, expected: "a system (YAML)"), file: url.relativePath)
  }

  /// Reads a system's YAML; `file` stands in errors.
  package init(yaml: String, file: String) throws {
    do {
      guard let node = try compose(yaml: yaml) else { throw MienError(.format, file, "is empty, expected a system") }
      try Self.checkKeys(node, file: file)
      self = try YAMLDecoder().decode(PublishedSystem.self, from: node)
    } catch let error as MienError { throw error } catch let error as DecodingError {
      throw MienError(.format, file, Self.words(error))
    } catch {
      throw MienError.notYAML(file, error)
    }
    try check(file)
  }

  private static func words(_ error: DecodingError) -> String {
    func at(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "\($0 + 1)" } ?? $0.stringValue }.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
      let place = at(context)
      return "\(place.isEmpty ? "" : "\(place): ")the key \(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      return "\(at(context)): \(context.debugDescription)"
    @unknown default: return "\(error)"
    }
  }

  /// Refuses keys that nothing reads: a misspelt one would be lost in silence.
  private static func checkKeys(_ node: Node, file: String) throws {
    func check(_ node: Node?, _ known: [String], _ what: String) throws {
      guard let mapping = node?.mapping else { return }
      for key in mapping.keys {
        let name = key.string ?? ""
        guard !known.contains(name) else { continue }
        let near = Spelling.nearest(name, among: known, atMost: 2).map { "; did you mean \($0)?" } ?? ""
        let line = key.mark.map { ":\($0.line)" } ?? ""
        throw MienError(
          .format, file + line, "\(what) has no key \(name)\(near); the keys are \(known.joined(separator: ", "))")
      }
    }
    let emotions = Emotion.allCases.map(\.rawValue)
    try check(node, CodingKeys.allCases.map(\.rawValue), "a published system")
    for measurement in node["measurements"]?.sequence ?? [] {
      try check(measurement, Measurement.keys, "a measurement")
      try check(measurement["repeats"], Repeats.CodingKeys.allCases.map(\.rawValue), "repeats")
      try check(measurement["figures"], Figures.CodingKeys.allCases.map(\.rawValue), "figures")
      for classes in ["recall", "f1"] { try check(measurement["figures"]?[classes], emotions, classes) }
    }
  }

  /// Checks what the types do not.
  private func check(_ file: String) throws {
    func isName(_ text: String) -> Bool {
      !text.isEmpty && text.utf8.count <= 100
        && text.unicodeScalars.allSatisfy {
          $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_".contains(Character($0)))
        }
    }
    for name in [name] + measurements.map(\.name) where !isName(name) {
      throw MienError(
        .format, file, "the name \"\(name)\" is that of a folder: expected letters, digits, - and _")
    }
    guard !measurements.isEmpty else { throw MienError(.format, file, "names no measurements") }
    let names = measurements.map(\.name)
    if let twice = names.indices.first(where: { names[..<$0].contains(names[$0]) }) {
      throw MienError(.format, file, "two measurements are called \(names[twice])")
    }
  }
}

extension PublishedSystem.Measurement {
  /// The recipe with the measurement's settings and `more`.
  ///
  /// - Parameter recipes: the folder of a recipe that is not built in; nil for built-in ones only.
  func recipe(_ more: [String], labels: LabelSet, recipes: URL?) throws -> Recipe {
    let own = source == nil ? ["heads=[{labels: \(labels.name), weight: 1}]"] : []
    let settings = settings + own + more
    guard let recipes, !RecipeFile.builtInNames.contains(recipe) else {
      return try RecipeFile.builtIn(recipe, settings: settings)
    }
    return try RecipeFile.read(recipes.appendingPathComponent(recipe), settings: settings)
  }

  /// The runs to train, by the names of their folders; an empty name for a run that is the measurement's own folder.
  ///
  /// - Parameters:
  ///   - labels: the label set of the FaceSet.
  ///   - recipes: the folder of a recipe that is not built in; nil for built-in ones only.
  ///   - epochs: at most so many; nil for the recipe's.
  ///   - folds: so many folds or seeds if there are any; nil for the protocol's.
  /// - Throws: ``MienError`` if the numbers do not fit the recipe.
  public func runs(
    labels: LabelSet, recipes: URL? = nil, epochs: Int? = nil, folds: Int? = nil
  ) throws -> [(name: String, recipe: Recipe)] {
    func member(_ more: [String]) throws -> Recipe {
      var recipe = try recipe(more, labels: labels, recipes: recipes)
      recipe.epochs = min(recipe.epochs, epochs ?? recipe.epochs)
      return recipe
    }
    switch repeats {
    case .once: return [("", try member([]))]
    case .folds(let count):
      let count = max(2, folds ?? count)
      return try (1...count).map { ("fold-\($0)", try member(["folds.count=\(count)", "folds.fold=\($0)"])) }
    case .seeds(let count):
      return try (1...max(1, folds ?? count)).map { seed in
        ("seed-\(seed)", try member(["seed=\(seed)", "split.seed=\(seed)", "folds.seed=\(seed)"]))
      }
    }
  }
}
