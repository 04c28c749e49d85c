public import Foundation
import MienCore
public import MienModels
import Yams

/// Reads recipes: YAML that names what differs from the defaults, and `key=value` settings over it.
public enum RecipeFile {
  /// The recipe in `url` with `settings` applied.
  ///
  /// - Parameter settings: `key=value`, keys dotted as in `optimizer.learningRate=0.05`; values are YAML.
  /// - Throws: ``MienError`` naming the file, and the line or setting, where a key is unknown or a value does not fit.
  public static func read(_ url: URL, settings: [String] = []) throws -> Recipe {
    let text: String
    do { text = try String(contentsOf: url, encoding: .utf8) } catch {
      throw MienError(.file, url.path, FileProblem.reading(url))
    }
    return try parse(text, file: url.path, settings: settings)
  }

  /// The recipe written in `text`; `file` stands in errors.
  public static func parse(_ text: String, file: String, settings: [String] = []) throws -> Recipe {
    var tree = try value(of: Recipe())
    do {
      if let node = try compose(yaml: text) { try overlay(node, on: &tree, path: "", file: file) }
    } catch let error as YamlError {
      throw MienError(.format, file, "is not valid YAML: \(error)")
    }
    for setting in settings {
      let subject = "--set \(setting)"
      guard let separator = setting.firstIndex(of: "="), separator != setting.startIndex else {
        throw MienError(.argument, subject, "expected key=value")
      }
      let keys = setting[..<separator].split(separator: ".").map(String.init)
      guard let leaf = try? compose(yaml: String(setting[setting.index(after: separator)...])) else {
        throw MienError(.argument, subject, "the value is not valid YAML")
      }
      let node = keys.reversed().reduce(leaf) { Node([(Node($1), $0)]) }
      try overlay(node, on: &tree, path: "", file: subject)
    }
    let recipe: Recipe
    do {
      recipe = try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(tree))
    } catch let error as DecodingError {
      throw MienError(.format, file, describe(error))
    }
    try validate(recipe, file: file)
    return recipe
  }

  /// The recipe as YAML with every key, for a run folder.
  public static func text(of recipe: Recipe) throws -> String {
    try YAMLEncoder().encode(recipe)
  }

  private static func value(of recipe: Recipe) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(recipe))
  }

  /// Puts what `node` names over `tree`; a key that the defaults lack is an error, but under `model.options`.
  private static func overlay(_ node: Node, on tree: inout JSONValue, path: String, file: String) throws {
    guard case .object(var members) = tree, path != "model.options" else {
      tree = json(node)
      return
    }
    let line = node.mark.map { ":\($0.line)" } ?? ""
    guard case .mapping(let mapping) = node else {
      throw MienError(.format, file + line, "\(path.isEmpty ? "the recipe" : path) must be a mapping of keys to values")
    }
    for (keyNode, valueNode) in mapping {
      let key = keyNode.string ?? ""
      let keyPath = path.isEmpty ? key : "\(path).\(key)"
      guard var member = members[key] else {
        let near = nearest(key, among: Array(members.keys)).map { "; did you mean \($0)?" } ?? ""
        let place = keyNode.mark.map { ":\($0.line)" } ?? line
        throw MienError(.format, file + place, "unknown key \(keyPath)\(near)")
      }
      try overlay(valueNode, on: &member, path: keyPath, file: file)
      members[key] = member
    }
    tree = .object(members)
  }

  private static func json(_ node: Node) -> JSONValue {
    switch node {
    case .mapping(let mapping):
      return .object(Dictionary(mapping.map { ($0.key.string ?? "", json($0.value)) }, uniquingKeysWith: { $1 }))
    case .sequence(let sequence): return .array(sequence.map(json))
    default:
      if let value = node.bool { return .bool(value) }
      if let value = node.int { return .integer(value) }
      if let value = node.float { return .number(value) }
      if node.null != nil { return .null }
      return .string(node.string ?? "")
    }
  }

  private static func validate(_ recipe: Recipe, file: String) throws {
    func require(_ holds: Bool, _ key: String, _ expected: String) throws {
      guard holds else { throw MienError(.argument, file, "\(key) must be \(expected)") }
    }
    try require(recipe.epochs >= 1, "epochs", "at least 1")
    try require((1...65536).contains(recipe.batchSize), "batchSize", "1 to 65536")
    try require([1, 3].contains(recipe.model.channels), "model.channels", "1 or 3")
    try require((0..<1).contains(recipe.labelSmoothing), "labelSmoothing", "in 0..<1")
    try require((0..<1).contains(recipe.averageDecay), "averageDecay", "in 0..<1")
    try require(recipe.optimizer.name == "sgd", "optimizer.name", "sgd")
    try require(recipe.optimizer.learningRate > 0, "optimizer.learningRate", "above 0")
    try require((0..<1).contains(recipe.optimizer.momentum), "optimizer.momentum", "in 0..<1")
    try require(recipe.optimizer.weightDecay >= 0, "optimizer.weightDecay", "at least 0")
    try require(["constant", "cosine"].contains(recipe.schedule.name), "schedule.name", "constant or cosine")
    try require(
      (0..<Double(recipe.epochs)).contains(recipe.schedule.warmupEpochs), "schedule.warmupEpochs", "in 0..<epochs")
    let restarts = recipe.schedule.restarts
    let epochsInOrder = [0] + restarts.map(\.epoch) + [recipe.epochs]
    try require(
      zip(epochsInOrder, epochsInOrder.dropFirst()).allSatisfy { $0 < $1 } && restarts.allSatisfy { $0.peak > 0 },
      "schedule.restarts", "a list of {epoch, peak} with rising epochs within the run and peaks above 0")
    try require(!recipe.heads.isEmpty, "heads", "a list of at least one")
    for head in recipe.heads {
      let known = LabelSet.known.map(\.name)
      try require(known.contains(head.labels), "heads.labels", "one of \(known.joined(separator: ", "))")
    }
    try recipe.augmentation.validate(file: file)
    _ = try recipe.architecture(file: file)
  }

  private static func describe(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      "\(path(context)) must be of type \(type)"
    case .keyNotFound(let key, let context): "\(path(context)) lacks the key \(key.stringValue)"
    case .dataCorrupted(let context): "\(path(context)): \(context.debugDescription)"
    @unknown default: "\(error)"
    }
  }

  private static func path(_ context: DecodingError.Context) -> String {
    context.codingPath.map(\.stringValue).joined(separator: ".")
  }

  /// The candidate of smallest edit distance, where that is at most half the word.
  static func nearest(_ word: String, among candidates: [String]) -> String? {
    let scored = candidates.map { (distance(Array(word.lowercased()), Array($0.lowercased())), $0) }
    guard let best = scored.min(by: { $0 < $1 }), best.0 <= max(2, word.count / 2) else { return nil }
    return best.1
  }

  /// Levenshtein distance.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
        diagonal = above
      }
    }
    return row[b.count]
  }
}

extension Recipe {
  /// The architecture with the recipe's options over its defaults.
  ///
  /// - Throws: ``MienError`` where the architecture or one of its options is unknown or does not fit.
  public func architecture(file: String) throws -> any Architecture {
    let defaults: any Architecture
    do { defaults = try ModelRegistry.architecture(named: model.architecture) } catch let error as MienError {
      throw MienError(error.kind, file, error.description)
    }
    return try configured(defaults, file: file)
  }

  private func configured<Family: Architecture>(_ architecture: Family, file: String) throws -> Family {
    var result = architecture
    let defaults = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(architecture))
    guard case .object(var members) = defaults, case .object(let given) = model.options else {
      throw MienError(.format, file, "model.options must be a mapping")
    }
    for (key, value) in given.sorted(by: { $0.key < $1.key }) {
      guard members[key] != nil else {
        let near = RecipeFile.nearest(key, among: Array(members.keys)).map { "; did you mean \($0)?" } ?? ""
        throw MienError(.format, file, "unknown key model.options.\(key) of \(model.architecture)\(near)")
      }
      members[key] = value
      let text = try JSONEncoder().encode(JSONValue.object(members))
      // One at a time: a decoder does not always tell which value it refused.
      do { result = try JSONDecoder().decode(Family.self, from: text) } catch {
        let refused = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
        throw MienError(.format, file, "model.options.\(key) of \(model.architecture) cannot be \(refused)")
      }
    }
    return result
  }
}
