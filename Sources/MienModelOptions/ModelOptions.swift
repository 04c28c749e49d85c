package import ArgumentParser
import Foundation
import MienCommandLine
package import MienCore
package import MienInference
package import MienONNX

/// `--model`: which network.
package struct ModelChoice: ParsableArguments, Sendable {
  /// A file or a name; nil for the built-in model.
  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "A model file, or a name that `mien models` lists. Without it, the built-in model.", valueName: "file|name"),
    completion: .models)
  package var name: String?

  package init() {}

  /// What errors call the model.
  package var subject: String { name ?? "the built-in model" }

  /// Reads the model's file.
  package func file() throws -> ONNXModel { try naming { try ModelStore().model(named: name) } }

  /// Runs `body` on the model; errors that do not say what they are about are about the model.
  package func naming<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as MienError where error.subject == nil { throw error.about(subject) }
  }
}

/// `--prior` and `--prior-strength`: how often each emotion is expected.
package struct PriorOptions: ParsableArguments, Sendable {
  /// `data`, `uniform` or the name of a JSON file.
  @Option(
    help: ArgumentHelp(
      "How often each emotion is expected: as in the training data, equally often, or in the shares of a JSON file "
        + "such as {\"neutral\": 0.2, \"happiness\": 0.5, \"sadness\": 0.3}.",
      valueName: "data|uniform|file.json"), completion: .list(["data", "uniform"]))
  package var prior = "data"

  /// 0…1; `nil` for 1.
  @Option(
    help: ArgumentHelp(
      "How far to go from the training data's mix of emotions (0) to that of --prior (1; the default).", valueName: "s")
  )
  package var priorStrength: Float?

  package init() {}

  package func validate() throws {
    try ValidationError.check(share: priorStrength.map(Double.init), of: "--prior-strength")
    guard priorStrength == nil || prior != "data" else {
      throw ValidationError("--prior-strength needs --prior uniform or --prior with a JSON file of shares")
    }
  }

  /// The mix of emotions that `--prior` names.
  package func classPrior() throws -> ClassPrior {
    let strength = priorStrength ?? 1
    switch prior {
    case "data": return .data
    case "uniform": return try ClassPrior(.uniform, strength: strength)
    default:
      let file = URL(fileURLWithPath: prior)
      guard let data = try? Data(contentsOf: file) else {
        let problem = FileProblem.error(reading: file)
        // A word is meant for one of the two words.
        let isWord = problem.kind == .missing && prior.allSatisfy { $0.isLetter || $0 == "-" || $0 == "_" }
        throw MienError(
          isWord ? .argument : problem.kind, "--prior \(prior)",
          "\(problem.message); expected data, uniform or a JSON file of shares such as {\"neutral\": 0.4, \"anger\": 0.6}"
        )
      }
      do { return try ClassPrior(json: data, strength: strength) } catch let error as MienError {
        throw error.about(prior)
      }
    }
  }
}

/// `--model`, `--profile`, `--prior` and `--prior-strength`: which model reads faces, and how.
package struct ModelOptions: ParsableArguments, Sendable {
  /// The network.
  @OptionGroup package var model: ModelChoice

  /// The name of a profile; nil for the model as it is.
  @Option(
    help: ArgumentHelp(
      "Use the profile of this name, which `mien adapt` made from a user's corrections.", valueName: "name"),
    completion: .profiles)
  package var profile: String?

  /// The mix of emotions to expect.
  @OptionGroup package var prior: PriorOptions

  package init() {}

  /// Reads the model's file.
  package func file() throws -> ONNXModel { try model.file() }

  /// Runs `body` on the model; errors that do not say what they are about are about the model.
  package func naming<Result>(_ body: () throws -> Result) throws -> Result { try model.naming(body) }

  /// Compiles the model, with the profile's last layer where one is named.
  ///
  /// - Parameter threads: how many threads one run may use; nil for as many as there are cores.
  package func classifier(threads: Int? = nil) throws -> EmotionClassifier {
    try classifier(of: file(), threads: threads)
  }

  /// Compiles the model out of its file, with the profile's last layer if one is named. The classifier lives as long as the
  /// process, as freeing its network takes time.
  package func classifier(of file: ONNXModel, threads: Int? = nil) throws -> EmotionClassifier {
    do {
      let head = try profile.map { try ProfileStore().head(of: ProfileName($0)) }
      let prior = try prior.classPrior()
      return try naming {
        let made = try EmotionClassifier(model: file, threads: threads, adaptedHead: head, prior: prior)
        _ = Unmanaged.passRetained(made)
        return made
      }
    } catch let error as MienError {
      throw error.advising(profiles: profile.map { [$0] } ?? [], model: model.name)
    }
  }
}

extension MienError {
  /// The error with what helps, if it is about one of `profiles`: there is none of its name, or it is another model's.
  ///
  /// - Parameter model: the value of `--model`; `nil` if it was not given.
  package func advising(profiles: [String], model: String?) -> MienError {
    guard let profile = profiles.first(where: { subject == "profile \($0)" }) else { return self }
    let command = "`mien adapt --profile \(profile)\(model.map { " --model \(ShellWord.quoted($0))" } ?? "")`"
    let remedy =
      kind == .mismatch
      ? "take the profile's model\(model == nil ? " with --model" : ""), or collect corrections with "
        + "\(model ?? "the built-in one"): \(command)"
      : "\(command) makes one from corrections"
    return MienError(kind, subject, "\(message); \(remedy)")
  }
}
