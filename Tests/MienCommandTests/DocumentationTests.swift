import Foundation
import MienTestSupport
import Testing

/// What the pages say can be followed: links lead somewhere, commands and options exist, the tutorial runs.
@Suite struct DocumentationTests {
  @Test func everyLinkLeadsToAFileOrHeading() throws {
    let pages = try MarkdownPage.all()
    let problems = pages.flatMap(\.brokenLinks)
    #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    let count = pages.map(\.links.count).reduce(0, +)
    #expect(count > 100, "\(count) links in \(pages.map(\.name))")
  }

  /// Pages of the libraries' reference have an index of their own.
  @Test func theIndexNamesEveryPage() throws {
    let pages = try MarkdownPage.all()
    let index = try #require(pages.first { $0.name == "docs/README.md" })
    let named = Set(index.links.map { "docs/" + ($0.text.split(separator: "#").first.map { String($0) } ?? "") })
    let missing = pages.map(\.name).filter {
      $0.hasPrefix("docs/") && !$0.hasPrefix("docs/Mien.docc/") && $0 != index.name && !named.contains($0)
    }
    #expect(missing.isEmpty, "\(missing)")
  }

  @Test func everyCommandAndOptionExists() throws {
    let help = HelpPages()
    var (problems, count): ([String], Int) = ([], 0)
    for page in try MarkdownPage.all() {
      for invocation in page.invocations {
        count += 1
        if let problem = try help.problem(of: invocation.words) { problems.append("\(invocation.place): \(problem)") }
      }
    }
    #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    #expect(count > 200, "\(count) commands were found")
  }

  /// A synopsis at the head of a page has every option of its command. `[limits]` stands for options in a table of the page.
  @Test func everySynopsisNamesAllOptions() throws {
    let help = HelpPages()
    var (problems, count): ([String], Int) = ([], 0)
    for page in try MarkdownPage.all() {
      let synopses = page.synopses
      count += synopses.count
      problems += try help.missing(in: synopses.map(\.words)).map { "\(page.name): \($0)" }
    }
    #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    #expect(count >= 9, "\(count) synopses were found")
  }

  /// What the tests above would say of a page that is wrong.
  @Test func whatIsWrongIsNamedWithItsLine() throws {
    let folder = try TemporaryFolder()
    let text = """
      # A page, and `its` heading

      [right](page.md#a-page-and-its-heading) [no file](none.md) `[code](none.md)` [no heading](#elsewhere)

          mien detect PATH… [--json FILE|-]
                      [--min-face PX] [--minface PX]

      `mien evaluate --label ferplus`, "unknown command `mien detct`", `mien COMMAND --help`

      ```
      xz -dc a.csv.xz | mien dataset import fer2013 - -o a.safetensors --vote b.csv   # mien detect --no
      mien dataset inspct a.safetensors
      mien train chen --data a.safetensors \\
        --epoch 3 --set 'heads=[{labels: fer2013}]'
      mien evaluate --run runs/a --data a.safetensors --threads 2 --tta flip
      podman build -t mien .
      ```

      ```swift
      mien.detect(--x)
      ```
      """
    try Data(text.utf8).write(to: folder.file("page.md"))
    let page = try MarkdownPage(folder.file("page.md"), name: "page.md")
    #expect(
      page.brokenLinks == ["page.md:3: none.md: no such file", "page.md:3: #elsewhere: no such heading"],
      "\(page.brokenLinks)")
    let help = HelpPages()
    #expect(
      try help.missing(in: [["merge", "DIR…", "-o", "FILE"], ["merge", "DIR…", "[--help]"]]) == [
        "the synopsis of mien merge lacks --partial"
      ])
    // `mien tune` is short for `mien tune run`.
    #expect(try help.missing(in: [["tune", "RECIPE"]]).contains("the synopsis of mien tune lacks --precision"))
    let problems = try page.invocations.compactMap { found in
      try help.problem(of: found.words).map { "\(found.place): \($0)" }
    }
    #expect(
      problems.sorted() == [
        "page.md:11: mien dataset import fer2013 has no option --vote",
        "page.md:12: there is no command mien dataset inspct",
        "page.md:13: mien train has no option --epoch",
        "page.md:15: mien evaluate has no option --tta",
        "page.md:5: mien detect has no option --minface",
        "page.md:8: mien evaluate has no option --label",
      ], "\(problems)")
  }

  /// docs/own-faces.md, on pictures of four people.
  @Test(
    .enabled(
      if: Shared.has("data/ck48/CK+48") && Shared.has("media/obama.jpg"), "CK+48 or the photo obama.jpg is not here"))
  func theTutorialRuns() throws {
    let (folder, files) = (try TemporaryFolder(), FileManager.default)
    var copied = 0
    for emotion in ["anger", "disgust", "fear", "happy", "sadness", "surprise"] {
      let (source, target) = (Shared.url("data/ck48/CK+48/\(emotion)"), folder.file("faces/\(emotion)"))
      try files.createDirectory(at: target, withIntermediateDirectories: true)
      for name in try files.contentsOfDirectory(atPath: source.path)
      where ["S011_", "S055_", "S071_", "S130_"].contains(where: { name.hasPrefix($0) }) {
        try files.copyItem(at: source.appendingPathComponent(name), to: target.appendingPathComponent(name))
        copied += 1
      }
    }
    try #require(copied == 63)
    try files.createDirectory(at: folder.file("photos"), withIntermediateDirectories: true)
    try files.copyItem(at: Shared.url("media/obama.jpg"), to: folder.file("photos/obama.jpg"))

    let page = try MarkdownPage(MarkdownPage.root.appendingPathComponent("docs/own-faces.md"), name: "own-faces.md")
    var said: [String] = []
    for block in page.blocks {
      guard let mark = block.mark else { continue }
      if mark.hasPrefix("file: ") {
        try Data((block.lines.map(\.text).joined(separator: "\n") + "\n").utf8)
          .write(to: folder.file(String(mark.dropFirst("file: ".count))))
      } else if mark == "run" {
        for line in block.joinedLines {
          let script = #"cd "$1" && PATH="$2:$PATH" && export PATH && "# + line.text
          let outcome = try Command.run("/bin/sh", ["-c", script, "sh", folder.url.path, Command.folder.path])
          try #require(outcome.status == 0, "own-faces.md:\(line.number): \(line.text)\n\(outcome.errors)")
          said.append(outcome.output + outcome.errors)
        }
      }
    }
    #expect(said.count >= 9)
    // The seed that the page names for another split makes another one of these people.
    let seed = try #require(page.text.firstMatch(of: /`--seed (\d+)` splits these/)).1
    let split = try Command.mien(
      "dataset", "split", folder.file("faces.safetensors").path, "-o", folder.file("other.safetensors").path, "--train",
      "0.5", "--validation", "0.25", "--test", "0.25", "--seed", String(seed))
    let parts = split.errors.split(separator: "\n").filter { $0.hasPrefix("train: ") || $0.hasPrefix("test: ") }
    #expect(parts.count == 2 && !parts.allSatisfy { line in said.contains { $0.contains(line) } }, "\(split)")
    // What the page shows of the first steps does not depend on the processor.
    for words in ["known by file names: 4 people, 21 sequences", "faces.safetensors: 63 faces (63 train)"] {
      #expect(page.text.contains(words) && said.contains { $0.contains(words) }, "\(words)")
    }
    for name in ["mine.onnx", "report.html", "counts.svg", "marked/obama.jpg", "runs/mine/report.html"] {
      #expect(files.fileExists(atPath: folder.file(name).path), "\(name)")
    }
  }
}

/// A page of the documentation: its prose, and its blocks of code.
private struct MarkdownPage {
  /// A line and its number, from 1.
  struct Line {
    let number: Int
    let text: String
  }

  /// A fenced or indented block of code.
  struct Block {
    /// What stands behind the fence; empty for indented blocks.
    let language: String
    /// The words of the HTML comment before it: `run`, or `file: NAME`.
    let mark: String?
    var lines: [Line] = []

    /// The lines, those that go on joined: after a backslash, and options of a synopsis on further lines.
    var joinedLines: [Line] {
      var joined: [Line] = []
      for line in lines where !line.text.trimmingCharacters(in: .whitespaces).isEmpty {
        let text = line.text.trimmingCharacters(in: .whitespaces)
        guard let last = joined.last, last.text.hasSuffix("\\") || (line.text.hasPrefix(" ") && text.hasPrefix("["))
        else {
          joined.append(Line(number: line.number, text: text))
          continue
        }
        let start = last.text.hasSuffix("\\") ? String(last.text.dropLast()) : last.text
        joined[joined.count - 1] = Line(number: last.number, text: start + " " + text)
      }
      return joined
    }
  }

  /// A call of `mien`: the words behind its name.
  struct Invocation {
    let place: String
    let words: [String]
  }

  /// The checkout.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  let url: URL
  /// Its path below the checkout.
  let name: String
  let text: String
  private(set) var prose: [Line] = []
  private(set) var blocks: [Block] = []

  init(_ url: URL, name: String) throws {
    (self.url, self.name, text) = (url, name, try String(contentsOf: url, encoding: .utf8))
    var (isFenced, isIndented, wasBlank): (Bool, Bool, Bool) = (false, false, true)
    var mark: String?
    for (index, content) in text.components(separatedBy: "\n").enumerated() {
      let line = Line(number: index + 1, text: content)
      let trimmed = content.trimmingCharacters(in: .whitespaces)
      if trimmed.hasPrefix("```") {
        isFenced.toggle()
        if isFenced { blocks.append(Block(language: String(trimmed.drop { $0 == "`" }), mark: mark)) }
        (isIndented, wasBlank, mark) = (false, false, nil)
      } else if isFenced {
        blocks[blocks.count - 1].lines.append(line)
      } else {
        let goesOn = content.hasPrefix("    ") && (isIndented || wasBlank)
        if goesOn {
          if !isIndented { blocks.append(Block(language: "", mark: nil)) }
          blocks[blocks.count - 1].lines.append(Line(number: line.number, text: String(content.dropFirst(4))))
        }
        (isIndented, wasBlank) = (goesOn, trimmed.isEmpty)
        prose.append(line)
        if trimmed.hasPrefix("<!--"), trimmed.hasSuffix("-->") {
          mark = trimmed.dropFirst(4).dropLast(3).trimmingCharacters(in: .whitespaces)
        } else if !trimmed.isEmpty {
          mark = nil
        }
      }
    }
  }

  /// The pages that users and developers read.
  static func all() throws -> [MarkdownPage] {
    var names = ["README.md", "CONTRIBUTING.md", "models/README.md"]
    for folder in ["docs", "Examples"] {
      let found = FileManager.default.enumerator(
        at: root.appendingPathComponent(folder), includingPropertiesForKeys: nil, options: [.skipsHiddenFiles])
      for case let url as URL in try #require(found) where url.pathExtension == "md" {
        names.append(String(url.standardizedFileURL.path.dropFirst(root.standardizedFileURL.path.count + 1)))
      }
    }
    return try names.sorted().map { try MarkdownPage(root.appendingPathComponent($0), name: $0) }
  }

  // MARK: Links

  /// The addresses of links and pictures, but those of other sites and of the reference (`doc:`).
  var links: [Line] {
    prose.flatMap { line in
      let text = line.text.replacing(/`[^`]*`/, with: "")
      let found =
        text.matches(of: /\]\((?<address>[^)\s]+)(\s+"[^"]*")?\)/).map { String($0.output.address) }
        + text.matches(of: /(src|href)="(?<address>[^"]+)"/).map { String($0.output.address) }
      return found.filter { $0.firstMatch(of: /^[a-z]+:/) == nil }.map { Line(number: line.number, text: $0) }
    }
  }

  /// The links that lead nowhere.
  var brokenLinks: [String] {
    links.compactMap { link in
      let parts = link.text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
      let target = parts[0].isEmpty ? url : url.deletingLastPathComponent().appendingPathComponent(parts[0])
      guard FileManager.default.fileExists(atPath: target.path) else {
        return "\(name):\(link.number): \(link.text): no such file"
      }
      guard parts.count == 2 else { return nil }
      let known = parts[0].isEmpty ? anchors : (try? MarkdownPage(target, name: parts[0]).anchors) ?? []
      return known.contains(parts[1]) ? nil : "\(name):\(link.number): \(link.text): no such heading"
    }
  }

  /// What links to headings are called: in small letters, without marks, blanks as dashes, equal ones numbered.
  var anchors: Set<String> {
    var (anchors, counts): (Set<String>, [String: Int]) = ([], [:])
    for line in prose {
      for named in line.text.matches(of: /<a (id|name)="(?<name>[^"]+)"/) { anchors.insert(String(named.output.name)) }
      guard let heading = line.text.firstMatch(of: /^#{1,6}\s+(?<title>.*)$/) else { continue }
      let title = String(heading.output.title).replacing(/\[(?<words>[^\]]*)\]\([^)]*\)/) { String($0.output.words) }
      let anchor = String(
        title.trimmingCharacters(in: .whitespaces).lowercased().compactMap { character -> Character? in
          if character == " " { return "-" }
          return character.isLetter || character.isNumber || character == "-" || character == "_" ? character : nil
        })
      let count = counts[anchor, default: 0]
      counts[anchor] = count + 1
      anchors.insert(count == 0 ? anchor : "\(anchor)-\(count)")
    }
    return anchors
  }

  // MARK: Commands

  /// All calls of `mien` in blocks and in the running text. What stands in quotation marks is a message.
  var invocations: [Invocation] {
    let lines = blocks.filter { ["", "sh", "bash", "shell", "console"].contains($0.language) }.flatMap(\.joinedLines)
    let spans = prose.flatMap { line in
      line.text.matches(of: /`(?<code>(\$ )?mien [^`]*)`/).compactMap { span -> Line? in
        guard line.text[..<span.range.lowerBound].count(where: { $0 == "\"" }).isMultiple(of: 2) else { return nil }
        return Line(number: line.number, text: String(span.output.code).replacing("\\|", with: "|"))
      }
    }
    return (lines + spans).flatMap { line in
      Self.calls(in: line.text).map { Invocation(place: "\(name):\(line.number)", words: $0) }
    }
  }

  /// The calls in the block at the head of the page, before its first section.
  var synopses: [Invocation] {
    let section = prose.first { $0.text.hasPrefix("## ") }?.number ?? .max
    let block = blocks.first { block in
      guard let line = block.lines.first else { return false }
      return block.language.isEmpty && line.number < section && line.text.hasPrefix("mien ")
    }
    return (block?.joinedLines ?? []).filter { $0.text.contains(" [-") }.flatMap { line in
      Self.calls(in: line.text).map { words in
        let others = words.contains("[limits]") ? optionsInTables : []
        return Invocation(place: "\(name):\(line.number)", words: words + others)
      }
    }
  }

  /// The options that tables of the page explain.
  private var optionsInTables: [String] {
    prose.filter { $0.text.hasPrefix("|") }.flatMap { $0.text.matches(of: /`(--[a-z-]+)`/).map { String($0.1) } }
  }

  /// The words behind each `mien` that stands where a shell takes a word for a program.
  private static func calls(in line: String) -> [[String]] {
    let comment = line.firstMatch(of: /(^|\s)#.*/)
    let words = line[..<(comment?.range.lowerBound ?? line.endIndex)].split(whereSeparator: \.isWhitespace)
    var calls: [[String]] = []
    var (isInside, isStart): (Bool, Bool) = (false, true)
    for word in words.map({ String($0) }) {
      if ["|", "||", "&&", "&", ";", ">", ">>", "<"].contains(word) {
        (isInside, isStart) = (false, !word.hasPrefix(">") && word != "<")
      } else if isInside {
        let ends = word.hasSuffix(";")
        calls[calls.count - 1].append(ends ? String(word.dropLast()) : word)
        if ends { (isInside, isStart) = (false, true) }
      } else {
        let bare = String(word.drop { "'\"(".contains($0) })
        if isStart || bare != word, bare == "mien" || bare.hasSuffix("/mien") {
          calls.append([])
          isInside = true
        } else if word != "$", !["time", "exec", "nice", "sudo"].contains(word), word.firstMatch(of: /^[A-Z_]+=/) == nil
        {
          isStart = false
        }
      }
    }
    return calls
  }
}

/// The help of each command, asked for once.
private final class HelpPages {
  /// A command: its words, and its options and subcommands.
  private struct Page {
    var options: Set<String> = []
    /// The options line by line, each with its short form or its opposite.
    var lines: [[String]] = []
    var subcommands: [String] = []
    var standard: String?
  }

  private var pages: [[String]: Page?] = [:]

  /// What is wrong with a call; nil for nothing.
  func problem(of words: [String]) throws -> String? {
    guard let first = words.first, !first.hasPrefix("-") else {
      let unknown = Self.options(in: words).first { !["--help", "-h", "--version"].contains($0) }
      return unknown.map { "mien has no option \($0)" }
    }
    // `mien COMMAND --help` stands for all of them.
    if first.first?.isUppercase == true { return nil }
    let (command, options) = try find([first], Array(words.dropFirst()))
    guard let options else { return "there is no command mien \(command.joined(separator: " "))" }
    let unknown = Self.options(in: words).first { !options.contains($0) }
    return unknown.map { "mien \(command.joined(separator: " ")) has no option \($0)" }
  }

  /// The options that the synopses of a page lack. Those of one command count together.
  func missing(in synopses: [[String]]) throws -> [String] {
    var named: [[String]: Set<String>] = [:]
    for words in synopses {
      let isOfARun = words.contains("--run") && ["evaluate", "explain"].contains(words.first)
      let command = Array(words.prefix { $0.allSatisfy(\.isLowercase) }) + (isOfARun ? ["--run", "RUN"] : [])
      named[command, default: []].formUnion(Self.options(in: words))
    }
    return try named.sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { command, options in
      let own = try page(command)
      let lines = try own?.standard.map { try page(command + [$0])?.lines ?? [] } ?? own?.lines ?? []
      return lines.filter { !$0.contains("--help") && options.isDisjoint(with: $0) }.map {
        "the synopsis of mien \(command.joined(separator: " ")) lacks \($0.last ?? "")"
      }
    }
  }

  /// The command that `words` and what follows it name, and its options; nil if there is none.
  private func find(_ words: [String], _ rest: [String]) throws -> (command: [String], options: Set<String>?) {
    // With --run, another program answers.
    let isOfARun = ["evaluate", "explain"].contains(words[0]) && Self.options(in: rest).contains("--run")
    guard let page = try page(words + (isOfARun ? ["--run", "RUN"] : [])) else { return (words, nil) }
    if page.subcommands.isEmpty { return (words, page.options) }
    let next = rest.first ?? ""
    if page.subcommands.contains(next) { return try find(words + [next], Array(rest.dropFirst())) }
    if let standard = page.standard { return (words, try find(words + [standard], rest).options) }
    // `mien dataset import FORMAT` stands for all of them.
    guard next.isEmpty || next.first?.isLowercase == false else { return (words + [next], nil) }
    var options: Set<String> = []
    for subcommand in page.subcommands { options.formUnion(try find(words + [subcommand], []).options ?? []) }
    return (words, options)
  }

  private func page(_ words: [String]) throws -> Page? {
    if let known = pages[words] { return known }
    let outcome = try Command.run(Command.mien.path, words + ["--help"])
    let page = outcome.status == 0 && !outcome.output.isEmpty ? Self.read(outcome.output) : nil
    pages[words] = .some(page)
    return page
  }

  private static func read(_ help: String) -> Page {
    var page = Page(options: ["--help", "-h"])
    var isList = false
    for line in help.components(separatedBy: "\n") {
      if line.hasPrefix("  -") {
        // `  -o, --output <file>   Write …`, `  --landmarks/--all-landmarks`
        let column = line.trimmingCharacters(in: .whitespaces).prefix { $0 != "<" }
        let names = String(column).components(separatedBy: "  ")[0].split { " ,/".contains($0) }
        page.lines.append(names.filter { $0.hasPrefix("-") }.map { String($0) })
        page.options.formUnion(page.lines.last ?? [])
      }
      if line == "SUBCOMMANDS:" {
        isList = true
      } else if isList, line.isEmpty {
        isList = false
      } else if isList, line.hasPrefix("  "), !line.hasPrefix("   "), let name = line.split(separator: " ").first {
        page.subcommands.append(String(name))
        if line.contains("(default)") { page.standard = String(name) }
      }
    }
    return page
  }

  /// The names of the options among `words`, also those of a synopsis: `[--json FILE|-]`, `[--tta flip|none]`.
  private static func options(in words: [String]) -> [String] {
    var options: [String] = []
    for word in words.prefix(while: { $0 != "--" }) {
      for part in word.hasPrefix("[") ? word.components(separatedBy: "|") : [word] {
        let bare = part.trimmingCharacters(in: CharacterSet(charactersIn: "[]…'\""))
        guard let option = bare.firstMatch(of: /^(?<name>--[A-Za-z][A-Za-z0-9-]*|-[A-Za-z])(=.*)?$/) else { continue }
        options.append(String(option.output.name))
      }
    }
    return options
  }
}
