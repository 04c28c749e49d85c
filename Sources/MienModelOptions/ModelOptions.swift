package import ArgumentParser
import MienCore
package import MienInference
package import MienONNX

/// `--model`: which network.
package struct ModelChoice: ParsableArguments, Sendable {
  /// A file or a name; nil for the built-in model.
  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "A model file, or a name that `mien models` lists. Without it, the built-in model.", valueName: "file|name"))
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

/// `--model` and `--profile`: which model reads faces.
package struct ModelOptions: ParsableArguments, Sendable {
  /// The network.
  @OptionGroup package var model: ModelChoice

  /// The name of a profile; nil for the model as it is.
  @Option(
    help: ArgumentHelp(
      "Use the profile of this name, which `mien adapt` made from a user's corrections.", valueName: "name"))
  package var profile: String?

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

  /// Compiles the model out of its file, with the profile's last layer where one is named.
  package func classifier(of file: ONNXModel, threads: Int? = nil) throws -> EmotionClassifier {
    do {
      let head = try profile.map { try ProfileStore().head(of: ProfileName($0)) }
      return try naming { try EmotionClassifier(model: file, threads: threads, adaptedHead: head) }
    } catch let error as MienError where error.subject == profile.map({ "profile \($0)" }) && error.subject != nil {
      throw MienError(
        error.kind, error.subject, "\(error.message); `mien adapt --profile \(profile ?? "")` makes one that fits")
    }
  }
}
