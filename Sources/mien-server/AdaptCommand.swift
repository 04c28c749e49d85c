import ArgumentParser
import Foundation
import MienAdaptation
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienServer

/// Where corrections are.
struct CorrectionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The file of corrections that `mien serve --corrections` keeps; without it, corrections.sqlite beside the "
        + "profiles.", valueName: "file"))
  var corrections: String?

  /// The file.
  var url: URL { corrections.map { URL(fileURLWithPath: $0) } ?? CorrectionStore.defaultURL() }

  /// Opens the file, which must be there.
  ///
  /// - Parameter isReadOnly: whether corrections are only read: then a damaged file is an error and keeps its name.
  func store(isReadOnly: Bool = true) throws -> CorrectionStore {
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw MienError(
        .file, url.path,
        "no such file; `mien serve --corrections FILE` makes it"
          + (corrections == nil ? ", or name the file with --corrections" : ""))
    }
    let store = try CorrectionStore(url: url, isReadOnly: isReadOnly)
    if let damaged = store.damagedFile {
      throw MienError(.format, url.path, "was damaged and is now \(damaged.path); a new one is begun")
    }
    return store
  }

  /// The command that lists the corrections of `profile` in this file.
  func listing(of profile: ProfileName) -> String {
    "mien corrections list" + (corrections.map { " --corrections \(ShellWord.quoted($0))" } ?? "")
      + " --profile \(profile)"
  }

  /// Says on standard error that nothing was found in the file.
  func sayNone() { Console.error("no corrections in \(Console.printable(url.path))") }

  /// The error that there are no corrections of `profile`, with the names of which there are some.
  func none(of profile: ProfileName, in store: CorrectionStore) async throws -> MienError {
    let names = try await store.listing(withCrops: false).counts.keys.sorted()
    let known = names.isEmpty ? "there are none at all" : "there are corrections of \(names.joined(separator: ", "))"
    return MienError(.mismatch, "profile \(profile)", "has no corrections in \(store.url.path); \(known)")
  }

  /// Names on standard error the corrections that cannot be read, and the commands that delete them.
  func name(unreadable ids: [Int64]) {
    for id in ids.prefix(10) {
      Console.error(
        "\(url.path): correction \(id) cannot be read and is left out; this deletes it: "
          + CorrectionStore.deletion(of: id, in: url))
    }
    if ids.count > 10 { Console.error("\(url.path): \((ids.count - 10).grouped) further corrections cannot be read") }
  }
}

/// `mien adapt --profile P`: fits the model's last layer to a profile's corrections.
struct AdaptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.adapt.rawValue, abstract: ExternalCommand.adapt.abstract,
    discussion: """
      The result is a small file that `--profile` of detect, evaluate, video and serve uses. The profile is measured \
      first, by cross-validation over the corrections; one that classifies fewer of them correctly than the unchanged \
      model, or as many with a higher log loss, is not written unless --force is given.
      """)

  @Option(help: ArgumentHelp("Whose corrections, and the name of what is made.", valueName: "name"))
  var profile: String

  @OptionGroup var source: CorrectionOptions

  @OptionGroup var model: ModelChoice

  @Option(
    help: ArgumentHelp(
      "How far the readings of ordinary faces may change on average: the Kullback-Leibler divergence in nats.",
      valueName: "nats"))
  var budget = HeadAdaptation.defaultBudget

  @Flag(help: "Write the profile even if it does worse than the unchanged model in cross-validation.")
  var force = false

  func run() async throws {
    let name = try ProfileName(profile)
    let store = try source.store()
    let listing = try await store.listing(of: name, withCrops: false)
    source.name(unreadable: listing.unreadable)
    let made = listing.corrections
    guard !made.isEmpty else { throw try await source.none(of: name, in: store) }
    try model.naming {
      let fitting = try ProfileFitting(name, made, model: model.file(), budget: budget)
      let others = fitting.otherWeights
      if others > 0 {
        try Console.print(
          "\(Spelling.counted(others, "correction")) \(others == 1 ? "was" : "were") made with other weights and left out"
        )
      }
      let clients = Set(fitting.corrections.map(\.owner)).count
      if clients > 1 {
        try Console.print("the corrections are of \(clients) clients; the profile is fitted to all of them")
      }
      source.name(unreadable: fitting.misfits)
      try report(name, fitting.corrections.map(\.emotion), fitting.check, fitting.fit)
      guard force || !fitting.check.isWorse else {
        throw MienError(
          .mismatch, "profile \(name)",
          "not written: in cross-validation it classifies fewer corrections correctly than the unchanged model, or as many "
            + "with a higher log loss. There may be too few corrections, or some contradict others: `\(source.listing(of: name))` "
            + "shows them. --force writes the profile anyway")
      }
      if !fitting.check.showsGain {
        Console.warning(
          "profile \(name): cross-validation shows no gain: no more corrections are read right than before; collect more corrections, "
            + "at least a few of each emotion that is read wrongly")
      }
      let url = try ProfileStore().write(fitting.head, as: name)
      try Console.print("wrote \(url.path); `--profile \(name)` uses it")
    }
  }

  private func report(
    _ name: ProfileName, _ emotions: [Emotion], _ check: AdaptationCheck, _ fit: HeadAdaptation.Fit
  ) throws {
    let counts = Dictionary(grouping: emotions) { $0 }.sorted { $0.key < $1.key }
    try Console.print(
      "profile \(name): \(Spelling.counted(check.count, "correction")), "
        + counts.map { "\($1.count.grouped) \($0)" }.joined(separator: ", "))
    let way = check.folds == check.count ? "leave-one-out" : "\(check.folds)-fold cross-validation"
    try Console.print(
      "read right         \(check.before.correct.grouped) of \(check.count.grouped) before, \(check.after.correct.grouped) after (\(way))"
    )
    try Console.print(
      String(format: "log loss           %.3f before, %.3f after", check.before.logLoss, check.after.logLoss))
    try Console.print(
      String(format: "ordinary faces     change by %.4f nats on average (strength %.3g)", fit.divergence, fit.strength))
  }
}
