import ArgumentParser
import Foundation
import MienCore
import MienInference

/// `mien models`: the models that can be named, or one model's card.
struct Models: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the models, or shows one model's card.")

  @Argument(
    help: ArgumentHelp("The model whose card to show.", valueName: "file|name"), completion: .list(BuiltInModels.names))
  var model: String?

  @Flag(help: "Show the card as the JSON that is in the model's file.")
  var json = false

  /// Characters per line of the list.
  private static let lineWidth = 110

  func validate() throws {
    if json && model == nil { throw ValidationError("--json shows one model's card: name the model") }
  }

  func run() async throws {
    if let model { try show(model) } else { try list() }
  }

  private func show(_ name: String) throws {
    do {
      let store = ModelStore()
      let card = try store.model(named: name).card()
      if json { return try Console.write(card.json(pretty: true) + Data("\n".utf8)) }
      try Console.printLines(ModelCardText(card, place: try store.url(of: name)?.path ?? "built in").lines)
    } catch let error as MienError where error.subject == nil {
      throw error.about(name)
    }
  }

  private func list() throws {
    let entries = ModelStore().entries()
    let width = entries.map(\.name.count).max() ?? 0
    var failed = false
    for entry in entries {
      let name = Console.padded(Console.printable(entry.name), max(width, 5))
      switch entry.card {
      case .success(let card):
        let labels = card.outputs.map(\.name).joined(separator: ", ")
        let measured = card.measurements.map { measurement in
          let caution = measurement.note.hasPrefix("best epoch chosen") ? "; these also chose the epoch" : ""
          return
            "\(NumberText.percent(measurement.accuracy, 1)) of \(Spelling.counted(measurement.count, "face")) of the set "
            + "`\(measurement.source)`, \(measurement.split), labels \(measurement.labels)\(caution)"
        }
        let indent = Console.padded("", name.count)
        // The card says how the model was trained, which the list need not.
        let input = card.preprocessing
        let kind =
          "The built-in model, used without --model: reads \(input.channels == 1 ? "grey" : "colour") faces of "
          + "\(input.width)x\(input.height) pixels."
        let details =
          [
            entry.name == BuiltInModels.names.first ? kind : card.summary,
            "\(card.parameterCount.grouped) parameters; labels \(labels)",
          ] + measured
        // A path is not broken.
        let place = "\(entry.url?.path ?? "built in"); weights \(card.weightsSHA256.prefix(16))"
        let width = Self.lineWidth - name.count - 2
        let lines = details.flatMap { Spelling.wrapped($0, width: width) } + [place]
        for (number, line) in lines.enumerated() {
          try Console.print("\(number == 0 ? name : indent)  \(Console.printable(line))")
        }
      case .failure(let error):
        failed = true
        Console.failure("\(error.about(entry.url?.path ?? entry.name))")
      }
    }
    if failed { throw ExitCode.failure }
  }
}
