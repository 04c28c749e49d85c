import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienDatasets

/// `mien dataset import FORMAT SRC -o FACES.safetensors`.
struct DatasetImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Turns a data set into one file of faces.",
    subcommands: [ImportFER2013.self, ImportFolders.self, ImportCKPlus48.self])
}

/// What every import takes.
struct ImportOptions: ParsableArguments {
  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The file to write.", valueName: "faces.safetensors"))
  var output: String

  @Flag(help: "Count bad rows or pictures and go on without them.")
  var skipBad = false

  /// Checks before the work that the file can be written and is none of `inputs`.
  func check(inputs: [String?]) throws { try ResultFile.check(["--output": output], inputs: inputs) }

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
    try options.check(inputs: [source, votes])
    let importer = FER2013Importer(
      votes: votes.map { URL(fileURLWithPath: $0) }, skipsBadRows: options.skipBad)
    let source: ByteSource = source == "-" ? .standardInput : .file(URL(fileURLWithPath: source))
    try options.finish(importer.load(source))
  }
}

/// `mien dataset import folders`.
struct ImportFolders: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "folders", abstract: "Imports pictures from a folder a class.",
    discussion: """
      Class folders may be spelt in any usual way (angry, Happy, SAD, 0). They may lie in train, val and test folders; \
      otherwise all faces are for training. Each picture gives its largest centred square.
      """)

  @Argument(help: "The folder that holds the class folders, or train, val and test.")
  var source: String

  @Option(help: ArgumentHelp("Width and height of a face in pixels.", valueName: "px"))
  var size = FolderImporter.defaultSide

  @Flag(help: "Keep colour.")
  var color = false

  @Option(
    help: ArgumentHelp(
      "The classes and the meaning of digits: \(LabelSet.known.map(\.name).joined(separator: ", ")). "
        + "Without it fer2013, or ferplus where a folder shows contempt.", valueName: "set"))
  var labels: String?

  @OptionGroup var options: ImportOptions

  func validate() throws {
    guard (1...FaceSet.maximumSide).contains(size) else {
      throw ValidationError("--size \(size): expected 1 to \(FaceSet.maximumSide) pixels")
    }
    if let labels, !LabelSet.known.contains(where: { $0.name == labels }) {
      let known = LabelSet.known.map(\.name).joined(separator: ", ")
      throw ValidationError("--labels \(labels): expected one of \(known)")
    }
  }

  func run() async throws {
    try options.check(inputs: [source])
    let importer = FolderImporter(
      labelSet: LabelSet.known.first { $0.name == labels }, side: size, isColor: color,
      skipsBadPictures: options.skipBad)
    try options.finish(
      ProgressLine.during("pictures") { try importer.load(URL(fileURLWithPath: source), progress: $0.update) })
  }
}

/// `mien dataset import ckplus48`.
struct ImportCKPlus48: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ckplus48", abstract: "Imports CK+48, with subjects and sequences.")

  @Argument(help: "The folder that holds the class folders.")
  var source: String

  @OptionGroup var options: ImportOptions

  func run() async throws {
    try options.check(inputs: [source])
    let importer = CKPlus48Importer(skipsBadPictures: options.skipBad)
    try options.finish(
      ProgressLine.during("pictures") { try importer.load(URL(fileURLWithPath: source), progress: $0.update) })
  }
}
