import ArgumentParser
import Foundation
import MienCore
import MienDatasets

/// `mien dataset import FORMAT SRC -o FACES.safetensors`.
struct DatasetImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Turns a data set into one file of faces.",
    subcommands: [ImportFER2013.self])
}

/// What every import takes.
struct ImportOptions: ParsableArguments {
  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The file to write.", valueName: "faces.safetensors"))
  var output: String

  @Flag(help: "Count bad rows or pictures and go on without them.")
  var skipBad = false

  /// Writes `result` and says on standard error what was made and what was left out.
  func finish(_ result: ImportResult) throws {
    try result.faces.write(to: URL(fileURLWithPath: output))
    for problem in result.rejected.first { Console.error("skipped: \(problem)") }
    if result.rejected.count > result.rejected.first.count {
      Console.error("skipped: \(result.rejected.count - result.rejected.first.count) more")
    }
    let splits = Split.allCases.compactMap { split in
      let count = result.faces.indices(in: split).count
      return count > 0 ? "\(count) \(split.rawValue)" : nil
    }
    let skipped = result.rejected.count > 0 ? "; \(result.rejected.count) bad left out" : ""
    Console.error("\(output): \(result.faces.count) faces (\(splits.joined(separator: ", ")))\(skipped)")
  }
}

/// `mien dataset import fer2013`.
struct ImportFER2013: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fer2013", abstract: "Imports FER2013's CSV, with FER+'s votes where given.")

  @Argument(help: "fer2013.csv, or - for standard input.")
  var source: String

  @Option(help: ArgumentHelp("FER+'s votes, row by row with the CSV.", valueName: "fer2013new.csv"))
  var votes: String?

  @OptionGroup var options: ImportOptions

  func run() async throws {
    let importer = FER2013Importer(
      votes: votes.map { URL(fileURLWithPath: $0) }, skipsBadRows: options.skipBad)
    let source: ByteSource = source == "-" ? .standardInput : .file(URL(fileURLWithPath: source))
    try options.finish(importer.load(source))
  }
}
