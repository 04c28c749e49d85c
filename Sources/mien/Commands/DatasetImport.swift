import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienDatasets

/// `mien dataset import FORMAT SRC -o FACES.safetensors`.
struct DatasetImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Turns a data set into one file of faces.",
    subcommands: [ImportFER2013.self, ImportFolders.self, ImportCKPlus48.self, ImportWithoutFormat.self],
    defaultSubcommand: ImportWithoutFormat.self)

  /// The formats by name.
  static let formats = [ImportFER2013.self, ImportFolders.self, ImportCKPlus48.self].compactMap {
    ($0 as any ParsableCommand.Type).configuration.commandName
  }
}

/// What every import takes.
struct ImportOptions: ParsableArguments {
  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The file to write.", valueName: "faces.safetensors"))
  var output: String

  @Flag(help: "Leave out rows or pictures that cannot be used, instead of failing.")
  var skipBad = false

  /// Checks before the work that the file can be written and is none of `inputs`.
  func check(inputs: [String?]) throws { try ResultFile.check(["--output": output], inputs: inputs) }

  /// Writes `result` and says on standard error what was understood, what was made and what was left out.
  ///
  /// - Throws: ``MienError`` if something cannot be used and is not to be left out; all of it is named first.
  func finish(_ result: ImportResult) throws {
    for line in result.summary.lines(result.faces.labelSet) { Console.error(Console.printable(line)) }
    for warning in result.summary.warnings { Console.warning(warning) }
    let (count, first) = (result.rejected.count, result.rejected.first)
    if !skipBad, count == 1 {
      throw MienError(.format, first[0].subject, "\(first[0].message) (--skip-bad leaves out what cannot be used)")
    }
    for problem in first { Console.error(Console.printable("\(skipBad ? "skipped" : "bad"): \(problem)")) }
    if count > first.count { Console.error("\(skipBad ? "skipped" : "bad"): \((count - first.count).grouped) more") }
    guard skipBad || count == 0 else {
      throw MienError(
        .format, nil,
        "\(count.grouped) rows or files cannot be used, so that nothing was written; fix them, or leave them out "
          + "with --skip-bad")
    }
    try result.faces.write(to: URL(fileURLWithPath: output))
    ResultFile.wrote(output)
    let splits = Split.allCases.compactMap { split in
      let count = result.faces.indices(in: split).count
      return count > 0 ? "\(count.grouped) \(split.rawValue)" : nil
    }
    let skipped = count > 0 ? "; \(count.grouped) bad left out" : ""
    let faces = Spelling.counted(result.faces.count, "face")
    Console.error("\(output): \(faces) (\(splits.joined(separator: ", ")))\(skipped)")
  }
}

/// `--classes`.
struct ClassOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What numbers and other names of classes mean: \(ClassNames.schemeNames), a list (angry,disgust,… from 0 on; or \
      1=surprise,Natural=neutral), or a file that holds one (classes.txt).
      """, valueName: "scheme|list|file"), completion: .list(ClassNames.schemeList))
  var classes: String?

  /// The meanings; nil if none are given.
  func names() throws -> ClassNames? { try classes.map { try ClassNames($0) } }
}

/// `mien dataset import fer2013`.
struct ImportFER2013: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fer2013", abstract: "Imports FER2013's CSV, with FER+'s votes where given.",
    discussion: """
      Reads fer2013.csv, icml_face_data.csv, train.csv and similar files, gzipped or not: the header names pixels, \
      emotion and Usage in any order. Without Usage, the split is the one that the file is named after, else train.
      """)

  @Argument(help: "fer2013.csv, or - for standard input.")
  var source: String

  @Option(help: ArgumentHelp("FER+'s votes, row by row with the CSV.", valueName: "fer2013new.csv"))
  var votes: String?

  @OptionGroup var classes: ClassOptions

  @OptionGroup var options: ImportOptions

  func run() async throws {
    try options.check(inputs: [source, votes])
    let importer = FER2013Importer(votes: votes.map { URL(fileURLWithPath: $0) }, classes: try classes.names())
    let source: ByteSource = source == "-" ? .standardInput : .file(URL(fileURLWithPath: source))
    try options.finish(importer.load(source))
  }
}

/// `mien dataset import folders`.
struct ImportFolders: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "folders", abstract: "Imports pictures sorted into one folder per class.",
    discussion: """
      Class folders may be spelt in any usual way (angry, Happy, SAD). --classes says what numbers mean; they are never \
      guessed. Class folders may lie in train, val and test folders; otherwise all faces are for training. Each picture \
      gives its largest centred square. RAF-DB, ExpW, CK+ and FER+ are also read in their original layout, JAFFE, KDEF and \
      RaFD by their file names.
      """)

  @Argument(help: "The folder that holds the class folders, or train, val and test.")
  var source: String

  @Option(help: ArgumentHelp("Width and height of a face in pixels.", valueName: "px"))
  var size = FolderImporter.defaultSide

  @Flag(help: "Keep colour.")
  var color = false

  @Option(
    help: ArgumentHelp(
      "The label set of the result: \(LabelSet.known.map(\.name).joined(separator: ", ")). "
        + "Without it fer2013; ferplus if a picture shows contempt; ckplus48 if the file names are CK+'s and no face is "
        + "neutral.", valueName: "set"))
  var labels: String?

  @OptionGroup var classes: ClassOptions

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
      labelSet: LabelSet.known.first { $0.name == labels }, classes: try classes.names(), side: size, isColor: color)
    try options.finish(
      ProgressLine.during("pictures") { try importer.load(URL(fileURLWithPath: source), progress: $0.update) })
  }
}

/// `mien dataset import ckplus48`.
struct ImportCKPlus48: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ckplus48", abstract: "Imports CK+48, with subjects and sequences.",
    discussion: """
      CK+ in its original layout (cohn-kanade-images and Emotion) is read too: the last frame of each sequence.
      """
  )

  @Argument(help: "The folder that holds the class folders.")
  var source: String

  @OptionGroup var options: ImportOptions

  func run() async throws {
    try options.check(inputs: [source])
    try options.finish(
      ProgressLine.during("pictures") { try CKPlus48Importer().load(URL(fileURLWithPath: source), progress: $0.update) }
    )
  }
}

/// What `mien dataset import` does if no format is named: it says which there are.
struct ImportWithoutFormat: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "without-format", shouldDisplay: false)

  @Argument(parsing: .captureForPassthrough)
  var words: [String] = []

  func run() async throws {
    guard let word = words.first, !["-h", "--help"].contains(word) else {
      throw CleanExit.helpRequest(DatasetImport.self)
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: word, isDirectory: &isFolder) else {
      throw MienError(
        .argument, word,
        "unknown format or no such file; expected \(DatasetImport.formats.joined(separator: ", ")): "
          + "`fer2013` reads FER2013's CSV (and FER+'s votes), `folders` class folders, RAF-DB, AffectNet, ExpW, CK+, JAFFE "
          + "and KDEF; `mien dataset import --help` says more")
    }
    let command = [isFolder.boolValue ? "folders" : "fer2013"] + words.map(ShellWord.quoted)
    throw MienError(
      .argument, nil,
      "expected a format before the source (\(DatasetImport.formats.joined(separator: ", "))): "
        + "mien dataset import \(command.joined(separator: " "))")
  }
}
