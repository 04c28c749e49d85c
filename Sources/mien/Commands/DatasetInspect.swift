import ArgumentParser
import Foundation
import MienCommandLine
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
    try ResultFile.check(["--svg": svg], inputs: [faces])
    let set = try FaceSet.given(faces)
    let report = FaceSetReport(set, name: URL(fileURLWithPath: faces).lastPathComponent)
    if let svg { try ResultFile.write(Data(report.svg.utf8), to: svg) }
    try Console.printLines([report.text])
    for step in set.info.history ?? [] { try Console.print("\n\(Console.printable(step))") }
  }
}
