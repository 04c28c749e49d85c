import MienCore
import MienModels
import Yams

/// A recipe that is put together: the defaults, a file over them, settings over both.
struct RecipeDocument {
  private var root: Node
  private var places: RecipePlaces

  /// The recipe in `text` over the defaults.
  ///
  /// - Throws: ``MienError`` where `text` is no YAML.
  init(_ text: String, file: String) throws {
    try self.init(Recipe(), file: file)
    do {
      guard let node = try compose(yaml: text) else { return }
      try merge(node, subject: { line in line.map { "\(file):\($0)" } ?? file })
    } catch let error as YamlError {
      throw MienError.notYAML(file, error)
    }
  }

  /// The keys of `recipe`, which errors call `file`.
  init(_ recipe: Recipe, file: String) throws {
    root = try Self.node(of: recipe)
    places = RecipePlaces(file: file)
  }

  /// Applies `key=value`, which was given by `option`.
  ///
  /// - Throws: ``MienError`` where it is no such pair, or the value is no YAML.
  mutating func set(_ setting: String, option: String) throws {
    let subject = "\(option) \(setting)"
    guard let separator = setting.firstIndex(of: "="), separator != setting.startIndex else {
      throw MienError(.argument, subject, "expected key=value")
    }
    let keys = setting[..<separator].split(separator: ".").map(String.init)
    guard let leaf = try? compose(yaml: String(setting[setting.index(after: separator)...])) else {
      throw MienError(.argument, subject, "the value is not valid YAML")
    }
    places.settings.insert(subject)
    let node = keys.reversed().reduce(leaf) { Node([(Node($1), $0)]) }
    try merge(node, addsOptions: keys.count > 2, subject: { _ in subject })
  }

  /// The recipe, once every key is known and every value fits.
  ///
  /// - Throws: ``MienError``, of kind `argument` about a setting and of kind `format` about the file.
  func recipe() throws -> Recipe {
    var document = self
    document.renameOptions()
    do { return try document.decoded() } catch let error as MienError {
      let isSetting = error.subject.map(places.settings.contains) ?? false
      throw MienError(isSetting ? .argument : .format, error.subject, error.message)
    }
  }

  private func decoded() throws -> Recipe {
    let recipe: Recipe
    do { recipe = try YAMLDecoder().decode(Recipe.self, from: root) } catch let error as DecodingError {
      throw places.describe(error, in: root, of: Recipe())
    }
    try refuseUnknownKeys(in: root, known: Self.node(of: recipe), path: "")
    try recipe.validate(places)
    return recipe
  }

  /// Puts what `node` names over the keys so far, and notes where each stands.
  ///
  /// - Parameters:
  ///   - addsOptions: whether options of the architecture that `node` does not name stay, as for
  ///     `model.options.dropout=0.2`; else it names all of them.
  ///   - subject: what an error calls a key's place, from its line.
  private mutating func merge(_ node: Node, addsOptions: Bool = false, subject: (Int?) -> String) throws {
    guard node.mapping != nil else {
      throw MienError(.format, subject(node.mark?.line), "the recipe must be a mapping of keys to values")
    }
    root = merged(node, over: root, path: "", addsOptions: addsOptions, subject: subject)
  }

  private mutating func merged(
    _ node: Node, over old: Node, path: String, addsOptions: Bool, subject: (Int?) -> String
  ) -> Node {
    places[path] = subject(node.mark?.line)
    guard case .mapping(let changes) = node, case .mapping(var members) = old, path != "model.options" || addsOptions
    else { return Self.safe(node) }
    for (key, value) in changes {
      let name = key.string ?? ""
      let keyPath = path.isEmpty ? name : "\(path).\(name)"
      guard let member = members[name] else {
        places[keyPath] = subject(key.mark?.line)
        members[name] = Self.safe(value)
        continue
      }
      // The last setting of an option is the last in order, too.
      if path == "model.options" { members[name] = nil }
      members[name] = merged(value, over: member, path: keyPath, addsOptions: addsOptions, subject: subject)
    }
    return .mapping(members)
  }

  /// `node` with quotes around text that a number may not be made of: what is not finite, which no key takes, and whole
  /// numbers to base 60 (`1:30`), at which Yams overflows.
  static func safe(_ node: Node) -> Node {
    switch node {
    case .mapping(let mapping): return Node(mapping.map { ($0.key, safe($0.value)) }, .implicit, mapping.style)
    case .sequence(let sequence): return Node(sequence.map(safe))
    case .scalar(var scalar) where scalar.style == .plain || scalar.style == .any:
      guard scalar.string.contains(":") || node.float?.isFinite == false else { return node }
      scalar.style = .singleQuoted
      return .scalar(scalar)
    default: return node
    }
  }

  /// Gives options that an architecture has renamed their present names; the later of two counts.
  private mutating func renameOptions() {
    guard let name = root["model"]?["architecture"]?.string, let options = root["model"]?["options"]?.mapping,
      let former = try? ModelRegistry.architecture(named: name).formerOptions
    else { return }
    var renamed = Node.Mapping([])
    for (key, value) in options {
      let present = former[key.string ?? ""] ?? key.string ?? ""
      renamed[present] = value
      if present != key.string { places["model.options.\(present)"] = places["model.options.\(key.string ?? "")"] }
    }
    root["model"]?["options"] = .mapping(renamed)
  }

  /// Throws about the first key of `node` that `known` lacks; an architecture checks its own options.
  private func refuseUnknownKeys(in node: Node, known: Node, path: String) throws {
    switch (node, known) {
    case (.mapping(let members), .mapping(let known)) where path != "model.options":
      for (key, value) in members {
        let name = key.string ?? ""
        let keyPath = path.isEmpty ? name : "\(path).\(name)"
        guard let meant = known[name] else {
          throw MienError(.format, places[keyPath], try Self.unknown(keyPath, among: known.keys.compactMap(\.string)))
        }
        try refuseUnknownKeys(in: value, known: meant, path: keyPath)
      }
    case (.sequence(let members), .sequence(let known)):
      for (member, meant) in zip(members, known) { try refuseUnknownKeys(in: member, known: meant, path: path) }
    default: break
    }
  }

  /// What to say of a key that does not exist: the nearest one in its place, the one of this name in another place, or
  /// all of its place.
  ///
  /// - Parameters:
  ///   - path: the key with those above it.
  ///   - owner: whose keys they are, in words that follow the path; empty for the recipe's own.
  ///   - known: the keys that are there.
  static func unknown(_ path: String, of owner: String = "", among known: [String]) throws -> String {
    guard !path.contains(":") else { return "unknown key \(path)\(owner); \(RecipePlaces.spaceAdvice)" }
    let keys = path.split(separator: ".").map(String.init)
    let (key, place) = (keys.last ?? path, keys.dropLast().joined(separator: "."))
    let near = Spelling.nearest(key, among: known, atMost: max(2, key.count / 2))
      .map { place.isEmpty ? $0 : "\(place).\($0)" }
    let elsewhere = try paths(in: node(of: Recipe())).filter { $0.lowercased().hasSuffix(".\(key.lowercased())") }
    let remedy =
      (near ?? (elsewhere.count == 1 ? elsewhere[0] : nil)).map { "did you mean \($0)?" }
      ?? "\(place.isEmpty ? "a recipe" : place) has \(known.isEmpty ? "no keys" : known.joined(separator: ", "))"
    return "unknown key \(path)\(owner); \(remedy)"
  }

  /// The keys of `node` and of the mappings in it, with those above them.
  private static func paths(in node: Node) -> [String] {
    guard case .mapping(let members) = node else { return [] }
    return members.flatMap { key, value in
      [key.string ?? ""] + paths(in: value).map { "\(key.string ?? "").\($0)" }
    }
  }

  static func node(of value: some Encodable) throws -> Node {
    try compose(yaml: YAMLEncoder().encode(value)) ?? Node([(Node, Node)]())
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
    guard case .mapping(var members) = try RecipeDocument.node(of: architecture),
      case .mapping(let given) = try RecipeDocument.node(of: model.options)
    else { throw MienError(.format, places["model.options"], "model.options must be a mapping of keys to values") }
    for (key, value) in given {
      let name = key.string ?? ""
      guard members[name] != nil else {
        throw MienError(
          .format, places["model.options.\(name)"],
          try RecipeDocument.unknown(
            "model.options.\(name)", of: " of \(model.architecture)", among: members.keys.compactMap(\.string)))
      }
      members[name] = value
    }
    do { return try YAMLDecoder().decode(Family.self, from: .mapping(members)) } catch let error as DecodingError {
      throw places.describe(
        error, in: .mapping(members), of: architecture, below: "model.options", note: " of \(model.architecture)")
    }
  }
}
