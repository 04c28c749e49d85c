import ArgumentParser
import Foundation
import MienCore
import MienReports
import MienTraining

/// `mien tune show DIR`
struct TuneShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show the trials of a search, the best first.")

  @Argument(help: "The folder of the search.")
  var folder: String

  @Option(help: ArgumentHelp("Write table and charts as one HTML file.", valueName: "file.html"))
  var report: String?

  func run() throws { try Self.show(TuningFolder(opening: URL(fileURLWithPath: folder)), report: report) }

  /// Prints the table, and writes the page where one is asked for.
  static func show(_ folder: TuningFolder, report: String?) throws {
    let results = folder.results
    for line in SearchTable(results).lines { try Console.print(line) }
    guard let report else { return }
    try AtomicFile.write(SearchPage(results).report.data, to: URL(fileURLWithPath: report))
  }
}
