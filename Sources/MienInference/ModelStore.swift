public import Foundation
public import MienCore
public import MienONNX

/// Finds models by name or path: those inside the program, and ONNX files in folders of models.
public struct ModelStore: Sendable {
  /// A model that can be named.
  public struct Entry: Sendable {
    /// What `--model` takes.
    public let name: String
    /// The file; nil for a model inside the program.
    public let url: URL?
    /// The file's card, or why it cannot be used.
    public let card: Result<ModelCard, MienError>
  }

  /// The folders searched, first match wins.
  public let folders: [URL]

  /// Searches `folders`.
  public init(folders: [URL]) { self.folders = folders }

  /// Searches `models` in the cache folder: `MIEN_CACHE`, else `mien` in `XDG_CACHE_HOME` or `~/.cache`.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.init(folders: [Folders.cache(environment).appendingPathComponent("models", isDirectory: true)])
  }

  /// The model that `name` means: nil the default one; a path where it holds a slash or ends in `.onnx`; else a built-in
  /// model's name, or that of a file in a folder of models.
  ///
  /// - Throws: ``MienError`` that names the file, or lists the names there are.
  public func model(named name: String?) throws -> ONNXModel {
    try name.flatMap { try url(of: $0) }.map { try ONNXModel(contentsOf: $0) } ?? BuiltInModels.model(named: name)
  }

  /// The file of the model that `name` means; `nil` for a built-in one.
  ///
  /// - Throws: ``MienError`` that lists the names there are, or says how to make a model of a run folder.
  package func url(of name: String) throws -> URL? {
    if name.contains("/") || name.hasSuffix(".onnx") {
      try Self.refuseRun(name)
      return URL(fileURLWithPath: name)
    }
    if BuiltInModels.names.contains(name) { return nil }
    for folder in folders {
      let url = folder.appendingPathComponent("\(name).onnx")
      if FileManager.default.fileExists(atPath: url.path) { return url }
    }
    try Self.refuseRun(name)
    let names = entries().map(\.name).joined(separator: ", ")
    throw MienError(
      .argument, "model \(name)",
      "no such model. Known: \(names); or give a file's path, such as \(Self.example(for: name))")
  }

  /// A path that can be given, or what is here under the name of a model.
  private static func example(for name: String) -> String {
    let url = URL(fileURLWithPath: name)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) else { return "./mine.onnx" }
    if isFolder.boolValue { return "./mine.onnx; \(name), which is here, is a folder" }
    if let signature = FileSignature(contentsOf: url) {
      return "./mine.onnx; \(name), which is here, is \(signature.name)"
    }
    return "./\(name) for the file that is here: a path has a slash or ends in .onnx"
  }

  /// Refuses the folder of a training run, which has a recipe, and its checkpoints.
  private static func refuseRun(_ name: String) throws {
    func isRun(_ folder: URL) -> Bool {
      FileManager.default.fileExists(atPath: folder.appendingPathComponent("recipe.yaml").path)
    }
    let url = URL(fileURLWithPath: name)
    let run = url.deletingLastPathComponent().deletingLastPathComponent()
    let isCheckpoint = url.pathExtension == "safetensors" && isRun(run)
    guard isCheckpoint || isRun(url) else { return }
    let command = "`mien export \(ShellWord.quoted(isCheckpoint ? run.relativePath : name)) -o mine.onnx`"
    throw MienError(
      .file, name,
      "is \(isCheckpoint ? "a checkpoint of a run" : "a run folder"), expected a model file; \(command) makes one, and "
        + "`mien evaluate` and `mien explain` take the run itself with --run")
  }

  /// The built-in models, then those in the folders, by name.
  public func entries() -> [Entry] {
    var entries = BuiltInModels.names.map { name in
      Entry(name: name, url: nil, card: Self.card { try BuiltInModels.model(named: name) })
    }
    for folder in folders {
      let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
      for url in files.sorted(by: { $0.lastPathComponent < $1.lastPathComponent }) where url.pathExtension == "onnx" {
        let name = url.deletingPathExtension().lastPathComponent
        guard !entries.contains(where: { $0.name == name }) else { continue }
        entries.append(Entry(name: name, url: url, card: Self.card { try ONNXModel(contentsOf: url) }))
      }
    }
    return entries
  }

  private static func card(_ model: () throws -> ONNXModel) -> Result<ModelCard, MienError> {
    do { return .success(try model().card()) } catch {
      return .failure(error as? MienError ?? MienError(.native, nil, "\(error)"))
    }
  }
}
