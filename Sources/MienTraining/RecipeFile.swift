import CMienRecipes
public import Foundation
import MienCore
import MienModels
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
  public static var builtInNames: [String] {
    var names: [String] = []
    while let name = mien_recipe_name(Int32(names.count)) { names.append(String(cString: name)) }
    return names
  }

  /// The YAML of a built-in recipe, with its comments; `nil` if there is none of that name.
  public static func builtInText(_ name: String) -> String? {
    builtInNames.firstIndex(of: name).flatMap { mien_recipe_text(Int32($0)) }.map { String(cString: $0) }
  }

  /// A built-in recipe.
  ///
  /// - Throws: ``MienError`` where there is none of that name, or a setting does not fit.
  public static func builtIn(_ name: String, settings: [String] = []) throws -> Recipe {
    guard let text = builtInText(name) else {
      throw MienError(
        .argument, name, "no such file, and no built-in recipe: these are \(builtInNames.joined(separator: ", "))")
    }
    return try parse(text, file: "\(name).yaml", settings: settings)
  }

  /// The recipe written in `text`; `file` and `option`, which the settings were given by, stand in errors.
  ///
  /// - Throws: ``MienError``, of kind `argument` about a setting and of kind `format` about the file.
  public static func parse(
    _ text: String, file: String, settings: [String] = [], option: String = "--set"
  ) throws -> Recipe {
    do { return try overlaid(text, file: file, settings: settings, option: option) } catch let error as MienError {
      let isSetting = settings.contains { error.subject == "\(option) \($0)" }
      throw MienError(isSetting ? .argument : .format, error.subject, error.message)
    }
  }

  private static func overlaid(_ text: String, file: String, settings: [String], option: String) throws -> Recipe {
    var tree = try value(of: Recipe())
    var places = RecipePlaces(file: file)
    do {
      if let node = try compose(yaml: text) { try overlay(node, on: &tree, path: "", subject: file, &places) }
    } catch let error as YamlError {
      throw MienError(.format, file, "is not valid YAML: \(error)")
    }
    for setting in settings {
      let subject = "\(option) \(setting)"
      guard let separator = setting.firstIndex(of: "="), separator != setting.startIndex else {
        throw MienError(.argument, subject, "expected key=value")
      }
      let keys = setting[..<separator].split(separator: ".").map(String.init)
      guard let leaf = try? compose(yaml: String(setting[setting.index(after: separator)...])) else {
        throw MienError(.argument, subject, "the value is not valid YAML")
      }
      let node = keys.reversed().reduce(leaf) { Node([(Node($1), $0)]) }
      try overlay(node, on: &tree, path: "", subject: subject, addsOptions: keys.count > 2, &places)
    }
    let recipe: Recipe
    do { recipe = try self.recipe(of: tree) } catch let error as DecodingError {
      let defaults = try value(of: Recipe())
      guard let key = misfit(tree, defaults, path: "", whole: { $0 }) else { throw places.describe(error) }
      throw MienError(.format, places[key], "\(key) must hold a whole number in range")
    }
    if let (key, message) = unknownKey(tree, try value(of: recipe), path: "") {
      throw MienError(.format, places[key], message)
    }
    try recipe.validate(places)
    return recipe
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

  private static func recipe(of tree: JSONValue) throws -> Recipe {
    try JSONDecoder().decode(Recipe.self, from: JSONEncoder().encode(tree))
  }

  /// Whether a number of `tree` does not fit its key, as 1.5 epochs: for these Foundation names no key.
  private static func hasMisfit(_ tree: JSONValue) -> Bool {
    do {
      _ = try recipe(of: tree)
      return false
    } catch DecodingError.dataCorrupted(let context) {
      return context.codingPath.isEmpty
    } catch {
      return false
    }
  }

  /// The key below `path` whose number does not fit; nil where there is none.
  ///
  /// - Parameter whole: the default recipe with a value in the place of that at `path`.
  private static func misfit(
    _ tree: JSONValue, _ defaults: JSONValue, path: String, whole: (JSONValue) -> JSONValue
  ) -> String? {
    guard case .object(let members) = tree, case .object(let old) = defaults, path != "model.options" else {
      return tree != defaults && hasMisfit(whole(tree)) ? path : nil
    }
    for (key, usual) in old.sorted(by: { $0.key < $1.key }) {
      let found = misfit(members[key] ?? usual, usual, path: path.isEmpty ? key : "\(path).\(key)") { value in
        var changed = old
        changed[key] = value
        return whole(.object(changed))
      }
      if let found { return found }
    }
    return nil
  }

  /// A key in a list, as of `heads`, that `read`, which was made of `tree`, lacks: the list's key, and what to say.
  private static func unknownKey(_ tree: JSONValue, _ read: JSONValue, path: String) -> (key: String, message: String)?
  {
    switch (tree, read) {
    case (.object(let members), .object(let known)) where path != "model.options":
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        guard let meant = known[key] else { return (path, unknown("\(path).\(key)", key, among: Array(known.keys))) }
        let found = unknownKey(value, meant, path: path.isEmpty ? key : "\(path).\(key)")
        if let found { return found }
      }
      return nil
    case (.array(let members), .array(let known)):
      return zip(members, known).lazy.compactMap { unknownKey($0, $1, path: path) }.first
    default: return nil
    }
  }

  fileprivate static func unknown(_ path: String, _ key: String, among known: [String]) -> String {
    "unknown key \(path)"
      + (Spelling.nearest(key, among: known, atMost: max(2, key.count / 2)).map { "; did you mean \($0)?" } ?? "")
  }

  private static func value(of recipe: Recipe) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(recipe))
  }

  /// Puts what `node` names over `tree` and notes where each key stands; a key that the defaults lack is an error, but
  /// under `model.options`.
  ///
  /// - Parameter addsOptions: whether options of the architecture that `node` does not name stay, as for
  ///   `model.options.dropout=0.2`; else it names all of them.
  private static func overlay(
    _ node: Node, on tree: inout JSONValue, path: String, subject: String, addsOptions: Bool = false,
    _ places: inout RecipePlaces
  ) throws {
    func place(_ mark: Mark?) -> String {
      subject == places.file ? mark.map { "\(subject):\($0.line)" } ?? subject : subject
    }
    places[path] = place(node.mark)
    let isOptions = path == "model.options"
    guard case .object(var members) = tree, !isOptions || addsOptions else {
      tree = json(node)
      return
    }
    guard case .mapping(let mapping) = node else {
      let what = path.isEmpty ? "the recipe" : path
      throw MienError(.format, place(node.mark), "\(what) must be a mapping of keys to values")
    }
    for (keyNode, valueNode) in mapping {
      let key = keyNode.string ?? ""
      let keyPath = path.isEmpty ? key : "\(path).\(key)"
      guard var member = members[key] ?? (isOptions ? .null : nil) else {
        throw MienError(.format, place(keyNode.mark), unknown(keyPath, key, among: Array(members.keys)))
      }
      try overlay(valueNode, on: &member, path: keyPath, subject: subject, addsOptions: addsOptions, &places)
      members[key] = member
    }
    tree = .object(members)
  }

  /// A node as a value. What is no finite number stays text, which JSON can hold and no key of numbers takes.
  static func json(_ node: Node) -> JSONValue {
    switch node {
    case .mapping(let mapping):
      return .object(Dictionary(mapping.map { ($0.key.string ?? "", json($0.value)) }, uniquingKeysWith: { $1 }))
    case .sequence(let sequence): return .array(sequence.map(json))
    default:
      let text = node.string ?? ""
      if let value = node.bool { return .bool(value) }
      // Yams overflows at large whole numbers to base 60, as 1:30, but not at real ones.
      if !text.contains(":"), let value = node.int { return .integer(value) }
      if let value = node.float, value.isFinite { return .number(value) }
      if node.null != nil { return .null }
      return .string(text)
    }
  }
}

extension Recipe {
  /// The architecture with the recipe's options over its defaults.
  ///
  /// - Throws: ``MienError`` where the architecture or one of its options is unknown or does not fit.
  func architecture(_ places: RecipePlaces) throws -> any Architecture {
    let defaults: any Architecture
    do { defaults = try ModelRegistry.architecture(named: model.architecture) } catch let error as MienError {
      throw MienError(error.kind, places["model.architecture"], error.description)
    }
    return try configured(defaults, places)
  }

  private func configured<Family: Architecture>(_ architecture: Family, _ places: RecipePlaces) throws -> Family {
    let place = places["model.options"]
    var result = architecture
    let defaults = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(architecture))
    guard case .object(var members) = defaults, case .object(let given) = model.options else {
      throw MienError(.format, place, "model.options must be a mapping")
    }
    for (key, value) in given.sorted(by: { $0.key < $1.key }) {
      let place = places["model.options.\(key)"]
      guard members[key] != nil else {
        let known = Array(members.keys)
        throw MienError(
          .format, place, RecipeFile.unknown("model.options.\(key) of \(model.architecture)", key, among: known))
      }
      members[key] = value
      let text = try JSONEncoder().encode(JSONValue.object(members))
      // One at a time: a decoder does not always tell which value it refused.
      do { result = try JSONDecoder().decode(Family.self, from: text) } catch {
        let refused = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
        throw MienError(.format, place, "model.options.\(key) of \(model.architecture) cannot be \(refused)")
      }
    }
    return result
  }
}
