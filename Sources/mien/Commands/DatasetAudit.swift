import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienDatasets
import MienReports

/// `mien dataset audit FACES`.
struct DatasetAudit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Looks for copies within and across splits, shared people, blank pictures and classes out of balance.",
    discussion: """
      Near copies are alike but for brightness, contrast, small marks or a shift of a pixel: mostly the same photograph, \
      but frames of one video can be as alike. Faces of the same known person with different labels do not count as copies.

      --fix leaves out, in this order: blank pictures; of exact copies whose labels differ, those outside the \
      majority, or all of them if there is no majority; training faces with a copy in validation or test, and validation faces with one in \
      test; copies of an earlier face of the same split.
      """)

  @Argument(help: "A file made by mien dataset import.")
  var faces: String

  @Option(help: "What counts as a copy.")
  var copies = FaceSetAudit.Copies.near

  @Option(help: ArgumentHelp("Write all findings as JSON, to standard output and nothing else.", valueName: "file|-"))
  var json: String?

  @Option(help: ArgumentHelp("Write a page that shows copies side by side.", valueName: "file.html"))
  var html: String?

  @Option(help: ArgumentHelp("Write a cleaned set; the input stays as it is.", valueName: "faces.safetensors"))
  var fix: String?

  func run() async throws {
    try ResultFile.check(["--fix": fix, "--json": json, "--html": html], inputs: [faces])
    let set = try FaceSet.given(faces)
    let progress = ProgressLine("faces")
    let audit = try FaceSetAudit(set, copies: copies) { progress.update($0, of: set.count) }
    progress.clear()
    if let json { try ResultFile.write(audit.json(), to: json) }
    if ![json, html].contains("-") {
      try Console.printLines(AuditTable(audit).lines)
    }
    if let html {
      let name = URL(fileURLWithPath: faces).lastPathComponent
      let page = try AuditPage(audit).report(of: name, command: RunEnvironment.commandLine)
      try ResultFile.write(page.data, to: html)
    }
    if let fix {
      let repair = FaceSetRepair(audit)
      try repair.cleaned().write(to: URL(fileURLWithPath: fix))
      ResultFile.wrote(fix)
      for reason in FaceSetRepair.Reason.allCases where repair.count(reason) > 0 {
        Console.error("left out: \(repair.count(reason).grouped) \(reason.words(repair.count(reason)))")
      }
      Console.error("\(fix): \(repair.kept.count.grouped) of \(Spelling.counted(set.count, "face"))")
    }
  }
}
