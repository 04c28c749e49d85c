import ArgumentParser
import Foundation
import MienCore
import MienReports

/// `mien dataset inspect FACES`.
struct DatasetInspect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Counts the faces of each class and split.")

  @Argument(help: "A file made by mien dataset import.")
  var faces: String

  @Option(help: ArgumentHelp("Also draw the counts as a chart.", valueName: "file.svg"))
  var svg: String?

  func run() async throws {
    let report = FaceSetReport(try FaceSet(contentsOf: URL(fileURLWithPath: faces)))
    if let svg { try AtomicFile.write(Data(report.svg.utf8), to: URL(fileURLWithPath: svg)) }
    print(report.text)
  }
}
