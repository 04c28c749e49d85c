import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienReports
import MienTraining

/// `mien tune show DIR`
struct TuneShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows the trials of a search, the best first.")

  @Argument(help: ArgumentHelp("The folder of the search.", valueName: "dir"))
  var folder: String

  @Option(help: ArgumentHelp("Write table and charts as one HTML file.", valueName: "file.html"))
  var report: String?

  func run() throws { try Self.show(TuningFolder(opening: URL(fileURLWithPath: folder)), report: report) }

  /// Prints the table, and writes the page where one is asked for.
  static func show(_ folder: TuningFolder, report: String?) throws {
    let results = folder.results
    for line in SearchTable(results).lines { try Console.print(line) }
    guard let report else { return }
    try ResultFile.write(SearchPage(results).report(command: RunEnvironment.commandLine).data, to: report)
  }
}
