import Foundation
import MienCommandLine
import MienCore
import MienTestSupport
import Testing

/// What all commands have in common: help, names, versions, completions, man pages and what is said of files.
@Suite struct CommandLineTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { folder.file(name).path }

  /// Every command that users can type: this program's and the others'.
  private static let commands =
    [
      "detect", "video", "camera", "merge", "models", "evaluate", "compare", "explain", "dataset", "profiles",
      "reference", "doctor", "benchmark", "completions", "manual",
    ] + ExternalCommand.allCases.map(\.rawValue)

  @Test(arguments: [[], ["help"], ["--help"], ["-h"]])
  func theOverviewNamesEveryCommand(arguments: [String]) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let names = outcome.output.split(separator: "\n").filter { $0.hasPrefix("  ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(Set(names) == Set(Self.commands) && names.count == Self.commands.count, "\(names)")
    #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test(arguments: [
    ("mien", "OpenVINO "), ("mien-server", "OpenVINO "), ("mien-train", "libtorch "),
    ("mien", "model mien-s, weights "),
  ])
  func versionsAreSaid(program: String, library: String) throws {
    let outcome = try Command.run(Command.folder.appendingPathComponent(program).path, ["--version"])
    #expect(outcome.status == 0 && outcome.output.hasPrefix("mien \(MienVersion.number)"), "\(outcome)")
    #expect(outcome.output.contains(library))
  }

  @Test func theVersionIsThatOfTheChangeLogOrNewer() {
    let parts = MienVersion.number.split(separator: ".").compactMap { Int($0) }
    #expect(parts.count == 3)
  }

  @Test(arguments: [
    (["detct", "a.jpg"], "did you mean `mien detect`?"), (["tran"], "did you mean `mien train`?"),
    (["dataset", "inspct", "f"], "did you mean `mien dataset inspect`?"),
    (["trian"], "did you mean `mien train`?"), (["helpp"], "did you mean `mien help`?"),
    (["version"], "did you mean `mien --version`?"), (["vresion"], "did you mean `mien --version`?"),
    (["tune", "shw"], "did you mean `mien tune show`?"), (["tune", "hsow", "dir"], "did you mean `mien tune show`?"),
    (["corrections", "lst"], "did you mean `mien corrections list`?"),
    (["profiles", "lst"], "did you mean `mien profiles list`?"),
    (["profiles", "frobnicate"], "`mien profiles --help` lists the commands"),
    (["dataset", "import", "fre2013", "a.csv"], "did you mean `mien dataset import fer2013`?"),
    (["help", "evalute"], "did you mean `mien evaluate`?"), (["frobnicate"], "`mien --help` lists the commands"),
    (["dataset", "frobnicate"], "`mien dataset --help` lists the commands"),
  ])
  func mistypedCommandsAreCorrected(arguments: [String], hint: String) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty)
    #expect(outcome.errors.hasPrefix("mien: error: unknown command `mien ") && outcome.errors.contains(hint))
  }

  @Test(arguments: [
    (["train", "--epocs", "3", "x"], "'--epocs'. Did you mean '--epochs'?"),
    (["tune", "chen", "--serach=a=1"], "'--serach'. Did you mean '--search'?"),
    (["evaluate", "--rnu", "x"], "'--rnu'. Did you mean '--run'?"),
    (["dataset", "audit", "--htlm", "a.html"], "'--htlm'. Did you mean '--html'?"),
    (["video", "clip.mp4", "--timelin", "t.html"], "'--timelin'. Did you mean '--timeline'?"),
    (["tune", "chen", "--data", "a", "--serch", "a=1"], "'--serch'. Did you mean '--search'?"),
    (["train", "chen", "--frobnicate"], "unknown option '--frobnicate'.\n"),
    (["train", "--foo"], "Usage: mien train [<options>] [<recipe>] --data <faces.safetensors> ...\n"),
    (["export", "--foo"], "Usage: mien export [<options>] <run> --output <model.onnx>\n"),
    (["compare", "--foo"], "Usage: mien compare [<options>] <run> ...\n"),
  ])
  func mistypedOptionsAreCorrectedBeforeMissingOnes(arguments: [String], words: String) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 64 && outcome.errors.hasPrefix("mien: error: unknown option"), "\(outcome.errors)")
    #expect(outcome.errors.contains(words) && !outcome.errors.contains("missing expected"), "\(outcome.errors)")
    #expect(outcome.errors.contains("Usage: mien \(arguments[0])"), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").allSatisfy { $0.count <= 110 }, "\(outcome.errors)")
  }

  /// What the parser would say less of than a user needs.
  @Test(arguments: [
    (["evaluate", "--run", "a", "--data", "b", "--model", "c"], "--run and --model exclude each other"),
    (["evaluate", "mine.onnx", "--data", "a"], "'mine.onnx'. Did you mean '--model mine.onnx'?"),
    (["train", "chen", "--data", "a", "--set", "epochs", "1"], "'1'. Did you mean '--set epochs=1'?"),
    (["detect", "a.jpg", "--min-face", "-3"], "--min-face -3: expected at least 12 pixels\n"),
    (["detect", "a.jpg", "--min-confidence", "-1"], "--min-confidence -1: expected a number from 0 to 1"),
    (
      ["export", "run", "-o", "m.onnx", "--crop-scale", "-1.15"],
      "--crop-scale -1.15: expected a number above 0.1 and below 10\n"
    ),
    (
      ["detect", "a.jpg", "--min-confidence", "0,5"],
      "--min-confidence 0,5: expected a number with a decimal point, such as 0.5"
    ),
    (
      ["detect", "a.jpg", "--min-confidence", "40"], "--min-confidence 40: expected a number from 0 to 1, such as 0.5\n"
    ),
    (["detect", "a.jpg", "--min-face", "abc"], "--min-face abc: expected a number"),
    (["explain", "a.jpg", "--limit", "1.5"], "--limit 1.5: expected a whole number"),
    (["explain", "a.jpg", "--limit", "0"], "--limit 0: expected at least 1\n"),
    (["video", "a.mp4", "--every", "0"], "--every 0: expected at least 1\n"),
    (
      ["evaluate", "--run", "a", "--data", "b", "--split", "all"],
      "--split all: expected train, validation or test; of all"
    ),
    (["dataset", "split", "a", "-o", "b", "--by", "mood"], "--by mood: expected none, subject or sequence\n"),
    (["video", "-"], "videos are not read from standard input; name a file\n"),
    (["dataset", "extract", "-", "-o", "x"], "videos are not read from standard input; name a file\n"),
    (["dataset", "extract", "a.mp4", "-o", "x", "--every", "0"], "--every 0: expected a number above 0\n"),
    (["train", "chen", "--data", "x", "--threads", "0"], "--threads 0: expected at least 1\n"),
    (["train", "chen", "--data", "x", "--epochs", "0"], "--epochs 0: expected at least 1\n"),
    (["train", "chen", "--data", "x", "--epochs", "abc"], "--epochs abc: expected a number"),
    (["serve", "--port", "80abc"], "--port 80abc: expected a number"),
    (["detect", "a.jpg", "-o", "x", "--shard", "3/2"], "--shard 3/2: expected a shard from 1 to 2, found 3"),
    (["detect", "a.jpg", "-o", "x", "--shard", "1"], "--shard 1: expected K/N, such as 2/4, or auto"),
    (["detect", "a.jpg", "--landmarks", "--all-landmarks"], "give one of --landmarks and --all-landmarks, not both"),
    (["detect", "a.jpg", "--confidence", "0.5"], "'--confidence'. Did you mean '--min-confidence'?"),
    (["serve", "--cors", "*"], "unknown option '--cors'. Did you mean '--cors-origin'?\n"),
    (["explain", "a.jpg", "--method", "gradcam"], "--method gradcam: gradcam needs the gradients of a run"),
    (["explain", "a.jpg", "--method", "lime"], "--method lime: expected cam or occlusion"),
    (["detect", "a.jpg", "--prior-strength", "0.5"], "--prior-strength needs --prior uniform"),
    (["video", "a.mp4", "--prior", "data", "--prior-strength", "0.5"], "--prior-strength needs --prior uniform"),
    (["evaluate", "--data", "a", "--prior-strength", "0.5"], "--prior-strength needs --prior uniform"),
    (["explain", "a.jpg", "--prior-strength", "0.5"], "--prior-strength needs --prior uniform"),
    (["reference", "--data", "a", "-o", "b", "--prior", "uniform"], "unknown option '--prior'"),
    (["reference", "--data", "a", "-o", "b", "--profile", "hall"], "unknown option '--profile'"),
  ])
  func wrongValuesAreSaidWithWhatIsExpected(arguments: [String], words: String) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 64 && outcome.errors.contains("mien: error: "), "\(outcome.errors)")
    #expect(outcome.errors.contains(words) && !outcome.errors.contains("Missing value"), "\(outcome.errors)")
  }

  @Test(arguments: [
    (["export", "runs/none", "-o", "m.onnx"], "runs/none: no such run folder"),
    (["train", "none.yaml", "--data", "faces"], "faces: no such file"),
    (["evaluate", "--run", "runs/none", "--data", "faces"], "runs/none: no such run folder"),
    (["evaluate", "--data", "none.safetensors"], "none.safetensors: no such file"),
    (["compare", "none.onnx", "--data", "faces"], "none.onnx: no such file"),
    (["detect", "a.jpg", "--detector", "none.onnx"], "none.onnx: no such file"),
    (["video", "none.mp4"], "none.mp4: no such file"),
    (["dataset", "import", "folders", "none", "-o", "x"], "none: no such folder"),
    (["merge", "none"], "none: no such folder"),
  ])
  func filesAreCalledAsTheyWereTyped(arguments: [String], words: String) throws {
    let script = "cd \"$1\" && shift && exec \"$0\" \"$@\""
    let outcome = try Command.run("/bin/sh", ["-c", script, Command.mien.path, folder.url.path] + arguments)
    #expect(outcome.status == 1 && outcome.errors == "mien: error: \(words)\n", "\(outcome.errors)")
  }

  @Test(arguments: [
    (["detect", "a.jpg", "-json", "x.json"], "-json: did you mean --json?"),
    (["video", "a.mp4", "-timeline=t.html"], "-timeline=t.html: did you mean --timeline=t.html?"),
    (["dataset", "import", "fer2013", "a.csv", "-votes", "b.csv", "-o", "x"], "-votes: did you mean --votes?"),
    (["evaluate", "-run", "runs/a", "--data", "faces"], "-run: did you mean --run?"),
    (["train", "chen", "-data", "faces"], "-data: did you mean --data?"),
    (["serve", "-port", "80"], "-port: did you mean --port?"),
    (["detect", "-photo"], "-photo: a name that starts with a dash is taken for options; write ./-photo"),
  ])
  func anOptionWithOneDashIsTakenForTheOneWithTwo(arguments: [String], words: String) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 64 && outcome.errors.hasPrefix("mien: error: \(words)"), "\(outcome.errors)")
  }

  @Test(arguments: [
    (["evaluate", "--data", "a", "--tta", "flip", "--data=b"], "--data"),
    (["dataset", "balance", "a", "-o", "b", "--output", "c"], "--output"),
    (["evaluate", "--run", "r", "--data", "a", "--split", "test", "--split", "train"], "--split"),
  ])
  func ofAnOptionGivenTwiceNoneIsTakenSilently(arguments: [String], name: String) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(
      outcome.status == 64 && outcome.errors == "mien: error: \(name): is given twice, and takes one value\n",
      "\(outcome.errors)")
    // Those that take several values do take them.
    let several = try Command.mien("train", "chen", "--data", "no", "--data", "na", "--set", "a=1", "--set", "b=2")
    #expect(several.errors.contains("no: no such file"), "\(several.errors)")
  }

  @Test(arguments: [
    (["evaluate", "--data", "a", "--report", "r.pdf"], "--report r.pdf: is written as HTML; name it r.html"),
    (
      ["dataset", "inspect", "a", "--svg", "b/counts.PNG"], "--svg b/counts.PNG: is written as SVG; name it counts.svg"
    ),
    (["detect", "a.jpg", "--json", "out.csv"], "--json out.csv: is written as JSON; name it out.json"),
  ])
  func namesOfResultsPromiseWhatIsInThem(arguments: [String], words: String) throws {
    let outcome = try Command.run(Command.mien.path, arguments)
    #expect(outcome.status == 64 && outcome.errors == "mien: error: \(words)\n", "\(outcome.errors)")
  }

  @Test func anEmptyArgumentIsNoPath() throws {
    let outcome = try Command.mien("detect", "a.jpg", "--annotate", "")
    #expect(outcome.status == 64 && outcome.errors.contains("an argument is empty ('')"), "\(outcome.errors)")
  }

  @Test func aPriorIsAWordOrAFile() throws {
    try Data("x".utf8).write(to: folder.file("a.jpg"))
    let word = try Command.mien("detect", path("a.jpg"), "--prior", "flat")
    #expect(
      word.status == 64 && word.errors.contains("--prior flat: no such file; expected data, uniform or"),
      "\(word.errors)")
    let file = try Command.mien("detect", path("a.jpg"), "--prior", path("none.json"))
    #expect(
      file.status == 1 && file.errors.contains("--prior \(path("none.json")): no such file; expected data"),
      "\(file.errors)")
  }

  @Test func knownOptionsLeaveTheMissingOne() throws {
    let outcome = try Command.mien("train", "chen", "--epochs", "3", "--set", "seed=--x")
    #expect(outcome.status == 64 && outcome.errors.contains("missing expected argument '--data"), "\(outcome.errors)")
  }

  /// `photos` is both the default command of `benchmark` and what many folders are called.
  @Test func aFolderCalledLikeADefaultCommandIsNamed() throws {
    try FileManager.default.createDirectory(at: folder.file("photos"), withIntermediateDirectories: true)
    let place = folder.url.path
    let code = "cd '\(place)' && '\(Command.mien.path)' benchmark photos"
    let outcome = try Command.run("/bin/sh", ["-c", code])
    #expect(outcome.status == 64 && outcome.errors.contains("`mien benchmark ./photos`"), "\(outcome.errors)")
  }

  /// What is no command is an argument of the default one, also if it is spelt like a command and a file has the name.
  @Test func argumentsOfADefaultCommandAreNotTakenForItsName() throws {
    let tuned = try Command.mien("tune", "chen", "--data", "none", "--search", "seed=1,2")
    #expect(!tuned.errors.contains("unknown command"), "\(tuned.errors)")
    try Data("name: shw\n".utf8).write(to: folder.file("shw"))
    let code = "cd '\(folder.url.path)' && '\(Command.mien.path)' tune shw --data none --search seed=1,2"
    let named = try Command.run("/bin/sh", ["-c", code])
    #expect(named.status != 0 && !named.errors.contains("unknown command"), "\(named.errors)")
  }

  @Test func anUnknownFormatOfADataSetHasNoUsageOfAnotherCommand() throws {
    let outcome = try Command.mien("dataset", "import", "kaggle", "x")
    #expect(outcome.status == 64 && outcome.errors.contains("kaggle: unknown format"), "\(outcome.errors)")
    #expect(!outcome.errors.contains("Usage:"), "\(outcome.errors)")
  }

  @Test func aFileInTheCommandsPlaceIsDetected() throws {
    try Data().write(to: folder.file("my photo.jpg"))
    let outcome = try Command.mien(path("my photo.jpg"))
    #expect(outcome.status == 64 && outcome.errors.contains("mien detect '\(path("my photo.jpg"))'"))
  }

  @Test(arguments: ["train", "tune", "export", "recipes", "reproduce", "serve", "adapt", "corrections"])
  func theOtherProgramsSpeakAsMien(command: String) throws {
    for arguments in [[command, "--help"], ["help", command]] {
      let help = try Command.run(Command.mien.path, arguments)
      #expect(help.status == 0 && help.output.contains("USAGE: mien \(command)"), "\(help)")
      #expect(!help.output.contains("mien-train") && !help.output.contains("mien-server"))
    }
    let wrong = try Command.mien(command, "--no-such-option")
    #expect(wrong.status == 64 && wrong.errors.hasPrefix("mien: error: "), "\(wrong.errors)")
    #expect(!wrong.errors.contains("mien-train") && !wrong.errors.contains("mien-server"))
  }

  @Test func aProgramRunByItselfSpeaksAsItself() throws {
    let train = Command.folder.appendingPathComponent("mien-train").path
    #expect(try Command.run(train, ["train", "--help"]).output.contains("USAGE: mien-train train"))
  }

  @Test func abstractsAreInOneMood() throws {
    let root = try CommandInfo.parse(Data(try Command.mien("--experimental-dump-help").output.utf8))
    func check(_ command: CommandInfo) {
      let first = String(command.abstract?.prefix { $0.isLetter } ?? "")
      #expect(first.hasSuffix("s") && command.abstract?.hasSuffix(".") == true, "\(command.commandName): \(first)")
      for option in command.options + command.positionals {
        #expect(option.abstract?.isEmpty == false, "\(command.commandName) \(option.preferredName?.text ?? "")")
      }
      command.commands.forEach(check)
    }
    root.commands.forEach(check)
    for command in ExternalCommand.allCases { #expect(command.abstract.prefix { $0.isLetter }.hasSuffix("s")) }
  }

  /// What bash offers for the last of `words`, with the profiles and models in `folder`.
  static func completions(_ words: [String], in folder: TemporaryFolder) throws -> Set<String> {
    let file = folder.file("mien.bash")
    if !FileManager.default.fileExists(atPath: file.path) {
      let script = try Command.mien("completions", "bash")
      #expect(script.status == 0 && script.errors.isEmpty, "\(script.errors)")
      try Data(script.output.utf8).write(to: file)
    }
    let list = words.map { "'\($0)'" }.joined(separator: " ")
    let code = """
      export PATH='\(Command.mien.deletingLastPathComponent().path)':"$PATH"
      export MIEN_PROFILES='\(folder.file("profiles").path)' MIEN_CACHE='\(folder.file("cache").path)'
      source '\(file.path)'; COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1)
      compopt() { :; }; _mien; printf '%s\\n' "${COMPREPLY[@]}"
      """
    let outcome = try Command.run("/bin/bash", ["-c", code])
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    return Set(outcome.output.split(separator: "\n").map(String.init))
  }

  @Test func bashCompletesCommandsOptionsAndValuesOfAllPrograms() throws {
    func completions(_ words: String...) throws -> Set<String> { try Self.completions(words, in: folder) }
    #expect(try completions("mien", "").isSuperset(of: Self.commands))
    #expect(try completions("mien", "de") == ["detect"])
    #expect(try completions("mien", "detect", "--js") == ["--json"])
    #expect(try completions("mien", "train", "chen", "--res") == ["--resume"])
    #expect(try completions("mien", "tune", "chen", "--method", "") == ["grid", "random", "halving"])
    #expect(try completions("mien", "serve", "--po") == ["--port"])
    #expect(try completions("mien", "explain", "--ru") == ["--run"])
    #expect(try completions("mien", "dataset", "import", "fe") == ["fer2013"])
    #expect(try completions("mien", "detect", "a.jpg", "--detector", "b") == ["blazeface"])
    #expect(try completions("mien", "recipes", "").isSuperset(of: ["chen", "mien-s", "yousaf"]))
    #expect(try completions("mien", "train", "mien-s-") == ["mien-s-ckplus48", "mien-s-mixup", "mien-s-robust"])
    #expect(try completions("mien", "tune", "").isSuperset(of: ["run", "show", "chen"]))
    #expect(try completions("mien", "models", "mi") == ["mien-s"])
    #expect(try completions("mien", "detect", "--prior", "") == ["data", "uniform"])
    #expect(try completions("mien", "reproduce", "ja") == ["javier"])
    #expect(try completions("mien", "dataset", "import", "folders", "--classes", "alpha") == ["alphabetical"])
    // What there is when they are asked for.
    #expect(try completions("mien", "detect", "--model", "") == ["mien-s"])
    #expect(try completions("mien", "serve", "--model", "mi") == ["mien-s"])
    #expect(try completions("mien", "video", "--profile", "").isEmpty)
    // Nothing: bash completes files, also of names' own beginnings and behind the first word.
    #expect(try completions("mien", "detect", "").isEmpty)
    #expect(try completions("mien", "train", "my-recipe").isEmpty)
    #expect(try completions("mien", "train", "chen", "--data", "a", "").isEmpty)
  }

  static func has(_ program: String) -> Bool {
    ["/bin", "/usr/bin", "/usr/local/bin"].contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
  }

  @Test(.enabled(if: CommandLineTests.has("zsh"), "needs zsh")) func zshUnderstandsItsScript() throws {
    try Data(try Command.mien("completions", "zsh").output.utf8).write(to: folder.file("_mien"))
    let outcome = try Command.run("/usr/bin/env", ["zsh", "-n", path("_mien")])
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test(.enabled(if: CommandLineTests.has("fish"), "needs fish")) func fishUnderstandsItsScript() throws {
    try Data(try Command.mien("completions", "fish").output.utf8).write(to: folder.file("mien.fish"))
    let outcome = try Command.run("/usr/bin/env", ["fish", "--no-execute", path("mien.fish")])
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test func manPagesHoldEveryOption() throws {
    let made = try Command.mien("manual", path("man"))
    #expect(made.status == 0 && made.errors.contains("files in \(path("man"))"), "\(made.errors)")
    let files = try FileManager.default.contentsOfDirectory(atPath: path("man"))
    #expect(Set(files) == Set(["mien.1"] + Self.commands.map { "mien-\($0).1" }))
    let detect = try String(contentsOf: folder.file("man/mien-detect.1"), encoding: .utf8)
    #expect(detect.contains("\\fB\\-\\-min\\-face\\fR \\fIpx\\fR"))
    let train = try String(contentsOf: folder.file("man/mien-train.1"), encoding: .utf8)
    #expect(train.contains("\\-\\-resume") && train.contains("\\fBmien train\\fR"))
    // Subcommands that need not be named.
    for (name, synopsis) in [
      ("tune", "[\\fBrun\\fR] \\fIrecipe\\fR "), ("benchmark", "[\\fBphotos\\fR] \\fIpath\\fR "),
      ("profiles", "[\\fBlist\\fR] "), ("corrections", "[\\fBlist\\fR] "),
    ] {
      let page = try String(contentsOf: folder.file("man/mien-\(name).1"), encoding: .utf8)
      #expect(page.contains("\n\\fBmien \(name)\\fR \(synopsis)"), "\(page.prefix(500))")
      #expect(page.contains("\n\\fBmien \(name)\\fR \\fIcommand\\fR "), "\(page.prefix(500))")
    }
  }

  @Test(.enabled(if: CommandLineTests.has("groff"), "needs groff")) func troffHasNothingToSayOfThePages() throws {
    #expect(try Command.mien("manual", path("man")).status == 0)
    for file in try FileManager.default.contentsOfDirectory(atPath: path("man")) {
      let outcome = try Command.run("/usr/bin/env", ["groff", "-man", "-Tutf8", "-ww", "-z", path("man/\(file)")])
      #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(file): \(outcome.errors)")
    }
  }

  @Test func colourIsForTerminalsAlone() throws {
    let outcome = try Command.mien("detect", path("none.jpg"))
    #expect(outcome.errors == "mien: error: \(path("none.jpg")): no such file\n")
    #expect(!outcome.output.contains("\u{1B}"))
  }

  @Test(
    .enabled(if: CommandLineTests.has("script"), "needs script, of util-linux"), arguments: [("", true), ("1", false)])
  func onATerminalErrorsAreRedUnlessNO_COLORIsSet(value: String, isColoured: Bool) throws {
    let outcome = try Command.run(
      "/usr/bin/env",
      [
        "TERM=xterm", "NO_COLOR=\(value)", "script", "-qec",
        ShellWord.quoted(Command.mien.path) + " detect " + path("none.jpg"), "/dev/null",
      ])
    #expect(outcome.output.contains("no such file"))
    #expect(outcome.output.contains("\u{1B}[1;31merror:\u{1B}[0m") == isColoured, "\(outcome.output)")
  }

  @Test func valuesAreNamedWithTheirOptionsAsTheyWereTyped() throws {
    let outcome = try Command.mien("detect", "--detector=no/such.onnx", path("none.jpg"))
    #expect(outcome.status == 1 && outcome.errors.contains("no such file"), "\(outcome.errors)")
    let model = try Command.mien("detect", "--model", "no-such", path("none.jpg"))
    #expect(
      model.status == 64 && model.errors.hasPrefix("mien: error: --model no-such: no such model. Known: mien-s"),
      "\(model.errors)")
    #expect(model.errors.hasSuffix("; or give a file's path, such as ./mine.onnx\n"), "\(model.errors)")
    let card = try Command.mien("models", "no-such")
    #expect(card.status == 64 && card.errors.hasPrefix("mien: error: model no-such: no such model"), "\(card.errors)")
  }

  @Test func anOptionWithoutEffectIsWarnedOf() throws {
    let warning = "mien: warning: --landmarks changes --json, --csv and -o only"
    let table = try Command.mien("detect", "--landmarks", path("none.jpg"))
    #expect(table.errors.contains(warning), "\(table.errors)")
    let json = try Command.mien("detect", "--landmarks", "--json", "-", path("none.jpg"))
    #expect(!json.errors.contains(warning), "\(json.errors)")
  }

  @Test func theHelpNamesTheGuides() throws {
    let help = try Command.mien("--help")
    #expect(help.output.contains("Guides: docs/README.md") && FileManager.default.fileExists(atPath: Self.guides))
  }

  private static let guides = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../docs/README.md").path

  @Test func whatIsMissingIsExplained() throws {
    let shell = try Command.mien("completions")
    #expect(shell.status == 64 && shell.errors.contains("bash, zsh or fish."), "\(shell.errors)")
    let data = try Command.mien("reproduce", "chen")
    #expect(
      data.status == 64 && data.errors.contains("--data is missing: the files that `mien dataset import` made"),
      "\(data.errors)")
    let system = try Command.mien("reproduce", "chenn")
    #expect(system.status == 64 && system.errors.contains("chenn: no such system; these are"), "\(system.errors)")
    #expect(system.errors.contains("did you mean chen?"))
    let compared = try Command.mien("compare", "no-such")
    #expect(
      compared.status == 64
        && compared.errors.contains("no-such: no such run folder, and no such model. Known: mien-s"),
      "\(compared.errors)")
  }

  @Test func recipesAreListedAndShown() throws {
    let list = try Command.mien("recipes")
    #expect(list.status == 0 && list.output.contains("mien-s ") && list.output.contains("chen "), "\(list.errors)")
    let lines = list.output.split(separator: "\n")
    #expect(lines.allSatisfy { $0.split(separator: " ").count > 3 })
    let names = lines.map { $0.prefix { $0 != " " } }
    #expect(names == names.sorted(), "variants come after the recipe that they vary")
    let summaries = lines.map { $0.drop { $0 != " " } }
    #expect(Set(summaries.map { $0.drop { $0 == " " } }).count == lines.count, "two recipes have one summary")
    let shown = try Command.mien("recipes", "chen")
    #expect(shown.status == 0 && shown.output.contains("\nname: chen\n"))
    let unknown = try Command.mien("recipes", "chn")
    #expect(unknown.status == 64 && unknown.errors.contains("mien-s"))
  }

  @Test func doctorSaysWhatIsThere() throws {
    let outcome = try Command.run(
      "/usr/bin/env",
      [
        "HOME=\(path("home"))", "XDG_CACHE_HOME=\(path("caches"))", "MIEN_CACHE=", "MIEN_RUNS=", Command.mien.path,
        "doctor",
      ])
    #expect(outcome.status == 0, "\(outcome)")
    for words in ["OpenVINO", "mien-s, weights", "blazeface, ready", "commands serve, adapt, corrections", "libtorch"] {
      #expect(outcome.output.contains(words), "\(words)")
    }
    #expect(outcome.output.firstMatch(of: /\nok +OpenCV +\d+\.\d+\.\d+\n/) != nil, "\(outcome.output)")
    #expect(outcome.output.firstMatch(of: /\nok +processor +.+; \d+ cores?; computes in FP32(, \w+)*\n/) != nil)
    if outcome.output.contains("ok       HEIC") { #expect(outcome.output.contains(/libheif \d+\.\d+/)) }
    #expect(outcome.output.contains(/\/mien, [0-9.]+ \w+; may be deleted\n/))
    #expect(outcome.output.contains("\(path("caches"))/mien"))
    #expect(outcome.output.contains("\(path("home"))/mien-runs, none yet"))
  }

  @Test func doctorSaysHowToMendWhatIsMissing() throws {
    let outcome = try Command.run(
      "/usr/bin/env",
      [
        "PATH=/nowhere", "DISPLAY=", "WAYLAND_DISPLAY=", "MIEN_HAARCASCADES=\(path("none"))", Command.mien.path,
        "doctor",
      ])
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output.contains("apt-get install ffmpeg") && outcome.output.contains("apt-get install opencv-data"))
    #expect(outcome.output.contains("mien camera --headless"))
    if outcome.output.contains("no /dev/video*") {
      #expect(outcome.output.contains("play a file: `mien camera --headless clip.mp4`"))
    }
    #expect(outcome.output.contains(/\nmissing +other detector +/), "\(outcome.output)")
  }
}
