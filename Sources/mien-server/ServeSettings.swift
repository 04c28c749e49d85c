import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import Yams

/// Options of `mien serve` that stand in a file or in the environment instead of on the command line.
///
/// There is one table of options, the command's own: `max-body` in a file is `MIEN_SERVE_MAX_BODY` in the environment and
/// `--max-body` on the command line. The command line comes first, then the environment, then the file.
struct ServeSettings {
  /// The command line with the other sources' options in front.
  let arguments: [String]
  /// Where each of those options stands, by its name, as `serve.yaml, line 3: max-body`.
  var origins: [String: String] { settings.mapValues(\.origin) }
  private let settings: [String: Setting]

  /// How variables of the environment start.
  static let prefix = "MIEN_SERVE_"
  /// The option that names the file.
  private static let configName = "config"

  /// Reads the file that `--config` or `MIEN_SERVE_CONFIG` names, and the environment.
  ///
  /// - Parameter given: the arguments of `serve`.
  /// - Throws: ``MienError`` of kind `argument` or `format` that names the file and the key, or the variable.
  init(_ given: [String], environment: [String: String]) throws {
    let options = try ServeOption.all()
    let names = Set(given.prefix { $0 != "--" }.compactMap(Self.name))
    var settings = try Self.settings(in: environment, options)
    let file = Self.value(of: Self.configName, in: given) ?? settings.removeValue(forKey: Self.configName)?.values.first
    if let file {
      settings.merge(try Self.settings(inFile: file, options)) { environment, _ in environment }
    }
    // What the command line says is not said twice: lists would be joined.
    settings = settings.filter { !names.contains($0.key) }
    arguments = settings.sorted { $0.key < $1.key }.flatMap { name, setting in setting.arguments(name) } + given
    self.settings = settings
  }

  /// The origins of the options that `message` mentions, by their names or their values, one line each.
  func notes(on message: String) -> [String] {
    settings.sorted { $0.key < $1.key }.compactMap { name, setting in
      // A number of one or two digits is mentioned by chance.
      let isMentioned =
        Self.mentions(message, "--\(name)") || setting.values.contains { $0.count > 3 && message.contains($0) }
      return isMentioned ? "--\(name) is set by \(setting.origin)" : nil
    }
  }

  /// Whether `message` has the option as a whole word: `--max-body` does not mention `--max`.
  private static func mentions(_ message: String, _ option: String) -> Bool {
    var rest = message[...]
    while let found = rest.firstRange(of: option) {
      rest = rest[found.upperBound...]
      guard let next = rest.first, next == "-" || next.isLetter || next.isNumber else { return true }
    }
    return false
  }

  /// What one source says of one option.
  private struct Setting {
    let origin: String
    let values: [String]
    let isFlag: Bool

    func arguments(_ name: String) -> [String] {
      isFlag ? (values == ["true"] ? ["--\(name)"] : []) : values.map { "--\(name)=\($0)" }
    }
  }

  private static func name(_ argument: String) -> String? {
    guard argument.hasPrefix("--") else { return nil }
    return String(argument.dropFirst(2).prefix { $0 != "=" })
  }

  /// The value of an option on the command line.
  private static func value(of name: String, in given: [String]) -> String? {
    for (index, argument) in given.enumerated() {
      if argument.hasPrefix("--\(name)=") { return String(argument.dropFirst(name.count + 3)) }
      if argument == "--\(name)", index + 1 < given.count { return given[index + 1] }
    }
    return nil
  }

  // MARK: - The environment

  private static func settings(
    in environment: [String: String], _ options: [String: ServeOption]
  ) throws -> [String: Setting] {
    var settings: [String: Setting] = [:]
    for (variable, value) in environment where variable.hasPrefix(prefix) && !value.isEmpty {
      let name = variable.dropFirst(prefix.count).lowercased().replacing("_", with: "-")
      guard let option = options[name] else {
        throw unknown(variable, name, options) { prefix + $0.uppercased().replacing("-", with: "_") }
      }
      let values =
        option.isRepeating
        ? value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } : [value]
      settings[name] = try option.setting(values, origin: variable, subject: variable)
    }
    return settings
  }

  // MARK: - The file

  private static func settings(inFile path: String, _ options: [String: ServeOption]) throws -> [String: Setting] {
    let url = URL(fileURLWithPath: path)
    guard let data = FileManager.default.contents(atPath: url.path), let text = String(data: data, encoding: .utf8)
    else {
      throw MienError(.file, path, FileProblem.reading(url))
    }
    let node: Node?
    do { node = try Yams.compose(yaml: text) } catch {
      throw MienError.notYAML(path, error)
    }
    // An empty file, or one with comments alone.
    guard let node else { return [:] }
    guard let mapping = node.mapping else {
      throw MienError(.format, path, "expected lines like `port: 8080`, found something else")
    }
    var settings: [String: Setting] = [:]
    for (key, value) in mapping {
      let line = key.mark.map { ", line \($0.line)" } ?? ""
      guard let name = key.string else {
        throw MienError(.format, "\(path)\(line)", "expected the name of an option, as port")
      }
      let subject = "\(path)\(line): \(name)"
      guard let option = options[name], name != configName else {
        throw unknown(subject, name, options) { $0 }
      }
      let values: [String]
      if let scalar = value.scalar {
        // `token-file:` without a value, or ~.
        if scalar.string.isEmpty || value.null != nil { continue }
        values = [scalar.string]
      } else if let sequence = value.sequence, option.isRepeating {
        values = try sequence.map { item in
          guard let scalar = item.scalar else {
            throw MienError(.argument, subject, "expected a list of texts, as [one, two]")
          }
          return scalar.string
        }
      } else {
        throw MienError(
          .argument, subject, option.isRepeating ? "expected a value or a list of values" : "expected one value")
      }
      settings[name] = try option.setting(values, origin: subject, subject: subject)
    }
    return settings
  }

  private static func unknown(
    _ subject: String, _ name: String, _ options: [String: ServeOption], spelt: (String) -> String
  ) -> MienError {
    let near = Spelling.nearest(name, among: options.keys.sorted())
    let advice = near.map { "; did you mean \(spelt($0))?" } ?? "; `mien serve --help` lists the options"
    return MienError(.argument, subject, "mien serve has no option --\(name)\(advice)")
  }

  /// An option of `mien serve`, as ArgumentParser describes it.
  private struct ServeOption {
    let isFlag: Bool
    let isRepeating: Bool

    /// All options by name.
    static func all() throws -> [String: ServeOption] {
      var options: [String: ServeOption] = [:]
      for argument in try CommandInfo.parse(Data(ServeCommand._dumpHelp().utf8)).arguments ?? [] {
        for name in argument.names ?? [] where name.kind == .long && name.name != "help" {
          options[name.name] = ServeOption(isFlag: argument.kind == .flag, isRepeating: argument.isRepeating)
        }
      }
      return options
    }

    func setting(_ values: [String], origin: String, subject: String) throws -> Setting {
      guard isFlag else { return Setting(origin: origin, values: values, isFlag: false) }
      switch values.first?.lowercased() {
      case "true", "yes", "on", "1": return Setting(origin: origin, values: ["true"], isFlag: true)
      case "false", "no", "off", "0": return Setting(origin: origin, values: ["false"], isFlag: true)
      default: throw MienError(.argument, subject, "expected true or false, found \(values.joined(separator: ", "))")
      }
    }
  }
}
