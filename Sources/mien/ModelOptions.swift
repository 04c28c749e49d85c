import ArgumentParser
import Foundation
import MienCore
import MienInference
import MienONNX

/// Which model to use.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A model file, or a name that `mien models` lists. Without it, the built-in model.", valueName: "file|name"))
  var model: String?

  @Option(
    help: ArgumentHelp(
      "Read as `mien adapt` fitted the model to a user's corrections under this name.", valueName: "name"))
  var profile: String?

  /// Reads the model's file.
  func file() throws -> ONNXModel { try ModelStore().model(named: model) }

  /// Runs `body` on the model; errors that do not say what they are about are about the model.
  func naming<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as MienError where error.subject == nil {
      throw error.about(model ?? "the built-in model")
    }
  }

  /// Compiles the model, with the profile's last layer where one is named.
  func classifier() throws -> EmotionClassifier { try classifier(of: file()) }

  /// Compiles the model out of its file, with the profile's last layer where one is named.
  func classifier(of file: ONNXModel) throws -> EmotionClassifier {
    let head = try profile.map { try ProfileStore().head(of: ProfileName($0)) }
    return try naming { try EmotionClassifier(model: file, adaptedHead: head) }
  }
}

/// Where results go.
enum ResultFile {
  /// Writes `data` to the file at `path`, or to standard output for `-`.
  static func write(_ data: Data, to path: String) throws {
    if path == "-" { Console.write(data) } else { try AtomicFile.write(data, to: URL(fileURLWithPath: path)) }
  }

  /// Checks before long work that a file could be written at `path`.
  static func check(_ path: String?) throws {
    guard let path, path != "-" else { return }
    let url = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
      throw MienError(.file, path, "is a folder, expected a file to write")
    }
    let place = AtomicFile.isSpecial(url) ? url : url.resolvingSymlinksInPath().deletingLastPathComponent()
    guard FileManager.default.isWritableFile(atPath: place.path) else {
      throw MienError(.file, path, "cannot be written: its folder is missing or may not be written to")
    }
  }

  /// Checks as ``check(_:)`` does, and that `path`, given by `option`, is another file than `input`, by whatever name.
  static func check(_ path: String, isNot input: String, option: String) throws {
    try check(path)
    let (target, source) = (URL(fileURLWithPath: path), URL(fileURLWithPath: input))
    guard target.resolvingSymlinksInPath().standardizedFileURL != source.resolvingSymlinksInPath().standardizedFileURL
    else { throw MienError(.argument, "\(option) \(path)", "is the input, expected another file") }
  }
}
