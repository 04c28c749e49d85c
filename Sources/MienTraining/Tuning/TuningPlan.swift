import Foundation
public import MienCore

/// A search over recipe keys: all that decides it but the machine. Equal plans try equal trials.
public struct TuningPlan: Codable, Sendable, Equatable {
  /// How trials are chosen and how far they are trained.
  public enum Method: String, Codable, Sendable, CaseIterable {
    /// Every combination of lists, each to the end.
    case grid
    /// Draws, each to the end.
    case random
    /// All for a few epochs, the best of them for more, and so on (Jamieson and Talwalkar 2016).
    case halving
  }

  /// One combination of values.
  public struct Trial: Sendable, Equatable {
    /// From 1.
    public let number: Int
    /// A value for each axis, in order.
    public let values: [JSONValue]
    /// What is trained.
    public let recipe: Recipe

    /// The name of its folder.
    public var name: String { "trial-\(number)" }
  }

  static let currentFormat = 1
  static let mostTrials = 10_000
  /// Keys whose change would make scores that cannot be held against each other.
  private static let fixedKeys = ["name", "summary", "heads", "selection", "split", "folds", "seeds"]

  /// The layout's version.
  public private(set) var format = TuningPlan.currentFormat
  /// What all trials share.
  public let recipe: Recipe
  /// How trials are chosen.
  public let method: Method
  /// What they differ in.
  public let axes: [SearchAxis]
  /// How many are drawn at random; nil for every combination of lists.
  public let draws: Int?
  /// Of `halving`: one in so many goes on, for so many times the epochs.
  public let eta: Int
  /// Of `halving`: the epochs after which losers are stopped first; nil for as few as leave one winner at the end.
  public let firstEpochs: Int?
  /// Of the draws.
  public let seed: UInt64
  /// What is trained on, a data set an entry.
  public let data: [String]

  /// Plans a search, and checks that each of its trials is a valid recipe that the data sets can be split for.
  ///
  /// - Throws: ``MienError`` naming the key or setting at fault; an unknown key with the nearest known one.
  public init(
    recipe: Recipe, method: Method, axes: [SearchAxis], draws: Int? = nil, eta: Int = 3, firstEpochs: Int? = nil,
    seed: UInt64 = 1, sets: [FaceSet]
  ) throws {
    (self.recipe, self.method, self.axes, self.draws) = (recipe, method, axes, draws)
    (self.eta, self.firstEpochs, self.seed) = (eta, firstEpochs, seed)
    data = sets.map { "\($0.info.source), \($0.count) faces of \($0.width)x\($0.height)" }
    try check()
    for trial in try trials() { _ = try trial.recipe.members(for: sets) }
  }

  /// Decodes a plan.
  ///
  /// - Throws: ``MienError`` where a value does not fit, as for a new plan.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    format = try container.decode(Int.self, forKey: .format)
    recipe = try container.decode(Recipe.self, forKey: .recipe)
    method = try container.decode(Method.self, forKey: .method)
    axes = try container.decode([SearchAxis].self, forKey: .axes)
    draws = try container.decodeIfPresent(Int.self, forKey: .draws)
    eta = try container.decode(Int.self, forKey: .eta)
    firstEpochs = try container.decodeIfPresent(Int.self, forKey: .firstEpochs)
    seed = try container.decode(UInt64.self, forKey: .seed)
    data = try container.decode([String].self, forKey: .data)
    try check()
  }

  /// Checks all but the trials.
  private func check() throws {
    guard !axes.isEmpty else {
      throw MienError(.argument, "--search", "nothing to search: name at least one key and its values")
    }
    for (index, axis) in axes.enumerated() {
      if axes[..<index].contains(where: { $0.key == axis.key }) {
        throw MienError(.argument, "--search \(axis.key)", "is given twice")
      }
      if let top = axis.key.split(separator: ".").first, Self.fixedKeys.contains(String(top)) {
        throw MienError(
          .argument, "--search \(axis.key)", "trials must share it, or their scores could not be compared")
      }
      if axis.key == "epochs", method == .halving {
        throw MienError(.argument, "--search epochs", "halving itself chooses how long a trial trains")
      }
    }
    guard eta >= 2 else { throw MienError(.argument, "--eta", "expected at least 2, found \(eta)") }
    if let firstEpochs, firstEpochs < 1 {
      throw MienError(.argument, "--first-epochs", "expected at least 1, found \(firstEpochs)")
    }
    if let draws, !(1...Self.mostTrials).contains(draws) {
      throw MienError(.argument, "--trials", "expected 1 to \(Self.mostTrials.grouped), found \(draws)")
    }
  }

  /// The trials, in the order of their numbers.
  ///
  /// - Throws: ``MienError`` where one is no valid recipe, they do not measure the same faces, or there are too many or too
  ///   few combinations.
  public func trials() throws -> [Trial] {
    let base = try RecipeDocument(recipe, file: recipe.name)
    let trials = try combinations().enumerated().map { index, values in
      var document = base
      for (axis, value) in zip(axes, values) {
        try document.set("\(axis.key)=\(value.jsonText)", option: "--search")
      }
      var recipe = try document.recipe()
      recipe.name += " trial \(index + 1)"
      return Trial(number: index + 1, values: values, recipe: recipe)
    }
    // Copies made before the split are measured too.
    let balances = trials.map(\.recipe.balance)
    if balances.contains(where: { $0.when == .beforeSplit }), balances.contains(where: { $0 != balances[0] }) {
      throw MienError(
        .argument, "--search balance", "trials must share it with beforeSplit, or their scores could not be compared")
    }
    return trials
  }

  private func combinations() throws -> [[JSONValue]] {
    let lists = axes.compactMap { axis in if case .list(let list) = axis.values { list } else { nil } }
    let count = lists.count == axes.count ? lists.reduce(1.0) { $0 * Double($1.count) } : .infinity
    guard let draws else {
      if let range = axes.first(where: { if case .list = $0.values { false } else { true } }) {
        throw MienError(
          .argument, "--search \(range.key)=\(range.text)",
          "a range needs --trials N, for N random draws, or give a list")
      }
      guard count <= Double(Self.mostTrials) else {
        throw MienError(
          .limit, "--search",
          "\(count < 1e12 ? Int(count).grouped : "\(count)") combinations, at most \(Self.mostTrials.grouped) are tried"
        )
      }
      return lists.reduce([[]]) { rows, list in rows.flatMap { row in list.map { row + [$0] } } }
    }
    guard Double(draws) <= count else {
      throw MienError(.argument, "--trials \(draws)", "there are only \(Int(count).grouped) combinations")
    }
    var found: [[JSONValue]] = []
    var known: Set<[JSONValue]> = []
    var random = SeededRandom(seed: seed)
    // Whole numbers of a small range may have fewer combinations than draws are asked for.
    for _ in 0..<(draws * 1000) where found.count < draws {
      let values = axes.map { $0.draw(&random) }
      if known.insert(values).inserted { found.append(values) }
    }
    guard found.count == draws else {
      throw MienError(.argument, "--trials \(draws)", "found only \(found.count.grouped) different combinations")
    }
    return found
  }

  /// After how many epochs trials are held against each other; the last entry, nil, is the end of the recipe.
  public func rungs(trialCount: Int) -> [Int?] {
    guard method == .halving else { return [nil] }
    var epochs = firstEpochs ?? recipe.epochs
    if firstEpochs == nil {
      var left = trialCount / eta
      while left >= 1, epochs > 1 { (epochs, left) = (max(1, epochs / eta), left / eta) }
    }
    var rungs: [Int?] = []
    while epochs < recipe.epochs {
      rungs.append(epochs)
      let (next, isTooLarge) = epochs.multipliedReportingOverflow(by: eta)
      epochs = isTooLarge ? recipe.epochs : next
    }
    return rungs + [nil]
  }
}
