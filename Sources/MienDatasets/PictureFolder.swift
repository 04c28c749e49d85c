import Foundation
import MienCore

/// The tree of a data set with one folder per class: `SRC/CLASS/…`, `SRC/PART/CLASS/…` or `SRC/CLASS/PART/…`.
struct PictureFolder {
  /// What class names mean, beside the words that name an emotion; nil for nothing.
  let classes: ClassNames?
  /// The emotions that may occur; nil for all.
  let labels: LabelSet?

  /// A class folder, found but not yet understood.
  private struct Folder {
    let url: URL
    let split: Split
    let partName: String
    var name: String { url.lastPathComponent }
  }

  /// Files without pictures are named one by one up to this many.
  private static let named = 20

  /// The pictures below `root`, in the order of their paths. A folder that holds nothing but one other folder is looked
  /// through. Files that are no pictures are left out, with a note.
  ///
  /// - Throws: ``MienError`` if a folder cannot be read, there is no picture, or folders name no class: all of them.
  func collection(in root: URL) throws -> PictureCollection {
    let top = try innermost(root)
    let folders = try PictureTree.folders(in: top)
    guard folders.contains(where: { meansSomething($0.lastPathComponent) }) else {
      return try named(in: root, top: top, folders: folders)
    }
    let found = try classFolders(in: top, folders)
    let classes = try self.classes ?? beside(found, from: root, to: top)
    let known = try classes?.resolved(for: found.map(\.name), labels: labels)
    var collection = PictureCollection(pictures: [], labelling: "names of class folders")
    if let known, found.contains(where: { known.emotion($0.name) != nil }) {
      collection.labelling += " (by \(known.source))"
    }
    var (unknown, left): ([Folder], [URL]) = ([], [])
    for folder in found {
      if let known, known.leavesOut(folder.name) {
        collection.notes.append("left out: \(folder.url.relativePath): no emotion, by \(known.source)")
        continue
      }
      let files = try PictureTree.files(below: folder.url)
      let pictures = files.filter(PictureTree.isPicture)
      guard let label = emotion(folder.name, known) else {
        if pictures.isEmpty {
          collection.notes.append("left out: \(folder.url.relativePath): names no emotion and holds no picture")
        } else {
          unknown.append(folder)
        }
        continue
      }
      if pictures.isEmpty { collection.notes.append("\(folder.url.relativePath): the class folder holds no picture") }
      if pictures.count < files.count {
        let read = Set(pictures)
        left += files.filter { !read.contains($0) }
      }
      collection.pictures += pictures.map { url in
        var picture = LabelledPicture(url: url, label: label, className: folder.name)
        (picture.split, picture.partName) = part(of: url, in: folder)
        return picture
      }
    }
    collection.notes += Self.notes(left)
    for folder in try [top] + parts(in: folders) {
      let loose = try PictureTree.entries(of: folder).count { !$0.isFolder && PictureTree.hasPictureExtension($0.url) }
      if loose > 0 {
        collection.notes.append(
          "left out: \(Spelling.counted(loose, "picture")) in \(folder.relativePath), outside class folders")
      }
    }
    if !unknown.isEmpty {
      let error = refusal(of: unknown, among: found, top: top, known)
      // Numbers without a meaning are never passed over: most likely the others are read wrongly too.
      let isUnclear = unknown.contains { ClassNames.number($0.name) != nil && known?.emotion($0.name) == nil }
      guard !isUnclear, !collection.pictures.isEmpty else { throw error }
      collection.rejected.add(error)
    }
    guard !collection.pictures.isEmpty else {
      throw MienError(.format, root.relativePath, "its class folders hold no picture" + Self.sample(left))
    }
    collection.asksNames = true
    return collection
  }

  /// `root`, or the folder that is reached through folders which hold nothing but one other folder.
  private func innermost(_ root: URL) throws -> URL {
    var top = root
    while true {
      let folders = try PictureTree.folders(in: top)
      guard folders.count == 1, !meansSomething(folders[0].lastPathComponent) else { return top }
      top = folders[0]
    }
  }

  /// Whether a folder's name is a class, or a number that may be one, or a part.
  private func meansSomething(_ name: String) -> Bool {
    classes?.emotion(name) != nil || ClassNames.number(name) != nil || Emotion(spelling: name) != nil
      || Split(spelling: name) != nil
  }

  private func emotion(_ name: String, _ known: ClassNames?) -> Emotion? {
    guard let emotion = known?.emotion(name) ?? Emotion(spelling: name) else { return nil }
    return labels.map { $0.index(of: emotion) != nil } ?? true ? emotion : nil
  }

  private func parts(in folders: [URL]) throws -> [URL] {
    try folders.filter { Split(spelling: $0.lastPathComponent) != nil }.map(innermost)
  }

  private func classFolders(in top: URL, _ folders: [URL]) throws -> [Folder] {
    guard folders.contains(where: { Split(spelling: $0.lastPathComponent) != nil }) else {
      return folders.map { Folder(url: $0, split: .train, partName: "") }
    }
    let others = folders.filter { Split(spelling: $0.lastPathComponent) == nil }
    guard others.isEmpty else {
      let parts = Split.allCases.flatMap(\.spellings).joined(separator: ", ")
      throw MienError(
        .format, top.relativePath,
        "\(others.map(\.lastPathComponent).joined(separator: ", ")): no part of the data set, beside folders that are "
          + "(\(parts)); move it elsewhere")
    }
    return try folders.flatMap { folder -> [Folder] in
      let name = folder.lastPathComponent
      guard let split = Split(spelling: name) else { return [] }
      return try PictureTree.folders(in: innermost(folder)).map { Folder(url: $0, split: split, partName: name) }
    }
  }

  /// The part of a picture: its class folder's, or that of a folder in it, as `angry/test/1.jpg`.
  private func part(of url: URL, in folder: Folder) -> (Split, String) {
    if folder.partName.isEmpty {
      let inside = url.deletingLastPathComponent().pathComponents.dropFirst(folder.url.pathComponents.count)
      if let name = inside.first, let split = Split(spelling: name) { return (split, name) }
    }
    return (folder.split, folder.partName)
  }

  /// What a list of classes that lies beside numbered folders says of them; nil if there is none, or if it does not give
  /// every number a meaning.
  private func beside(_ folders: [Folder], from root: URL, to top: URL) throws -> ClassNames? {
    let numbers = Set(folders.compactMap { ClassNames.number($0.name) })
    guard !numbers.isEmpty, let list = Self.list(from: root, to: top), let classes = try? ClassNames(contentsOf: list)
    else { return nil }
    return numbers.allSatisfy { classes.emotion("\($0)") != nil } ? classes : nil
  }

  /// A file that lists classes, in a folder from `root` to `top`.
  private static func list(from root: URL, to top: URL) -> URL? {
    let names: Set<String> = ["classes", "class_names", "labels", "class_indices", "label_map", "data"]
    var folder = top
    while true {
      let files = (try? PictureTree.entries(of: folder).filter { !$0.isFolder }.map(\.url)) ?? []
      let found = files.first { file in
        names.contains(file.deletingPathExtension().lastPathComponent.lowercased())
          && ["txt", "csv", "json", "yaml", "yml", "names"].contains(file.pathExtension.lowercased())
      }
      if let found { return found }
      guard folder.path != root.path, folder.pathComponents.count > root.pathComponents.count else { return nil }
      folder.deleteLastPathComponent()
    }
  }

  /// Why `folders` cannot be read, and what to do about each kind.
  private func refusal(of folders: [Folder], among all: [Folder], top: URL, _ known: ClassNames?) -> MienError {
    func listed(_ names: some Sequence<String>) -> String {
      Set(names).sorted { (ClassNames.number($0) ?? .max, $0) < (ClassNames.number($1) ?? .max, $1) }
        .joined(separator: ", ")
    }
    let numbers = Set(folders.compactMap { ClassNames.number($0.name) }).sorted()
    let outside = folders.filter {
      emotion($0.name, known) == nil && (known?.emotion($0.name) ?? Emotion(spelling: $0.name)) != nil
    }
    let words = folders.filter { folder in
      ClassNames.number(folder.name) == nil && !outside.contains { $0.url == folder.url }
    }
    var problems: [String] = []
    if let labels, !outside.isEmpty {
      problems.append(
        "\(listed(outside.map(\.name))): no class of \(labels.name) (--labels), which has "
          + labels.emotions.map(\.rawValue).joined(separator: ", "))
    }
    if !numbers.isEmpty, let known {
      let found = Set(all.compactMap { ClassNames.number($0.name) }).sorted()
      let schemes = ClassNames.schemes(for: found).map { "--classes \($0)" } + ["--classes NUMBER=EMOTION,…"]
      let all = found.count > numbers.count ? ", of \(found.map(String.init).joined(separator: ", "))" : ""
      problems.append(
        "\(known.source) gives no meaning to the class folder\(numbers.count == 1 ? "" : "s") "
          + "\(numbers.map(String.init).joined(separator: ", "))\(all); if another numbering is meant, choose it: "
          + schemes.joined(separator: ", "))
    } else if !numbers.isEmpty {
      problems.append(meaninglessNumbers(numbers, all, top))
    }
    if !words.isEmpty {
      let named = Set(words.map(\.name)).sorted().map { name in
        Emotion.nearest(to: name).map { "\(name) (\($0.rawValue)?)" } ?? name
      }
      let mapping = Set(words.map(\.name)).sorted().map {
        ShellWord.quoted("\($0)=" + (Emotion.nearest(to: $0)?.rawValue ?? "EMOTION"))
      }
      let known = Emotion.spellings(in: labels ?? .ferplus).joined(separator: ", ")
      problems.append(
        "class folders that name no emotion known here: \(named.joined(separator: ", ")); rename them, or say what they "
          + "show with --classes \(mapping.joined(separator: ",")); known spellings are \(known)")
    }
    return MienError(.format, top.relativePath, problems.joined(separator: "; and "))
  }

  private func meaninglessNumbers(_ numbers: [Int], _ folders: [Folder], _ top: URL) -> String {
    let names = folders.compactMap { try? PictureTree.entries(of: $0.url).first?.name }
    let isRAFDB = names.contains { $0.contains("_aligned.") && ($0.hasPrefix("train_") || $0.hasPrefix("test_")) }
    var advice: [String] = []
    if isRAFDB { advice.append("the files are named as RAF-DB's are (--classes rafdb)") }
    if let list = Self.list(from: top, to: top) {
      advice.append("\(list.lastPathComponent) beside them may tell: --classes \(ShellWord.quoted(list.relativePath))")
    }
    let schemes = ClassNames.schemes(for: numbers).map { "--classes \($0)" }
    let example = numbers.prefix(2).map { "\($0)=EMOTION" }.joined(separator: ",")
    let isOne = numbers.count == 1
    return
      "the class folder\(isOne ? "" : "s") \(numbers.map(String.init).joined(separator: ", ")) "
      + "\(isOne ? "is a number" : "are numbers"), and data sets number their classes differently"
      + advice.map { "; \($0)" }.joined() + "; say what they mean: "
      + (schemes + ["--classes \(example),…", "or rename them to words"]).joined(separator: ", ")
  }

  /// Pictures without class folders, whose names tell what they show.
  private func named(in root: URL, top: URL, folders: [URL]) throws -> PictureCollection {
    let files = try PictureTree.files(below: root)
    let pictures = files.filter(PictureTree.hasPictureExtension)
    guard let convention = PictureName.convention(of: pictures), convention != .ckplus else {
      return try worded(pictures, root: root, top: top, folders: folders)
    }
    var collection = PictureCollection(pictures: [], labelling: "\(convention.rawValue)'s file names")
    for url in pictures {
      guard let name = PictureName(url, convention), let label = name.emotion else {
        collection.rejected.add(
          MienError(
            .format, url.relativePath,
            "is not named as \(convention.rawValue)'s files are, such as \(convention.example)"))
        continue
      }
      guard labels?.index(of: label) != nil || labels == nil else {
        collection.rejected.add(
          MienError(.format, url.relativePath, "shows \(label.rawValue), no class of \(labels?.name ?? "")"))
        continue
      }
      var picture = LabelledPicture(url: url, label: label, className: name.code)
      picture.subject = name.subject
      collection.pictures.append(picture)
    }
    return collection
  }

  /// Pictures without class folders whose names all begin with an emotion, as `angry_001.jpg`.
  private func worded(_ pictures: [URL], root: URL, top: URL, folders: [URL]) throws -> PictureCollection {
    let read = pictures.compactMap { url -> LabelledPicture? in
      let word = url.lastPathComponent.prefix { $0.isLetter }
      guard word.count > 2, let label = emotion(String(word), classes) else { return nil }
      return LabelledPicture(url: url, label: label, className: word.lowercased())
    }
    guard read.isEmpty || read.count < pictures.count else {
      return PictureCollection(
        pictures: read, labelling: "the first word of each file's name", notes: [PictureName.unknownPeople])
    }
    let tables = try PictureTree.files(below: top).filter { $0.lastPathComponent.lowercased().contains(".csv") }
    if Emotion(spelling: root.lastPathComponent) != nil, !pictures.isEmpty, folders.isEmpty {
      throw MienError(
        .format, root.relativePath,
        "is itself a class folder; give the folder that holds it and the other class folders")
    }
    // The pictures are counted below the folder that was given, class folders are looked for in the innermost one.
    let found = folders.isEmpty && top.path != root.path ? [top] : folders
    throw MienError(
      .format, (folders.isEmpty ? root : top).relativePath, Self.missingFolders(pictures, found, tables: tables))
  }

  private static func missingFolders(_ pictures: [URL], _ folders: [URL], tables: [URL]) -> String {
    let wanted = "; make one folder per emotion (`happy`, `sad`, …) and sort the pictures into them"
    guard !pictures.isEmpty else {
      let tables = tables.first.map {
        "; it holds \($0.lastPathComponent), which `mien dataset import fer2013` may read"
      }
      return "holds no class folders and no pictures\(tables ?? wanted)"
    }
    guard folders.isEmpty else {
      let names = folders.prefix(5).map(\.lastPathComponent).joined(separator: ", ")
      return "no folder in it is named for an emotion (found \(names)\(folders.count > 5 ? ", …" : "")); rename class "
        + "folders to emotions (`happy`, `sad`, …), or say what they show with --classes NAME=EMOTION,…"
    }
    return
      "holds \(Spelling.counted(pictures.count, "picture")) and no class folders, and neither its own name nor the pictures' tell what "
      + "they show; rename it to an emotion (`happy`, `sad`, …), or\(wanted.dropFirst())"
  }

  /// A line for each file that is no picture, and one for the rest of many.
  private static func notes(_ files: [URL]) -> [String] {
    let named = files.prefix(named).map { "left out: \($0.relativePath): not a picture" }
    return named
      + (files.count > named.count
        ? ["left out: \((files.count - named.count).grouped) more that are not pictures"] : [])
  }

  private static func sample(_ files: [URL]) -> String {
    guard let first = files.first else { return "" }
    return "; the \(files.count.grouped) files in them are none (\(first.lastPathComponent), …)"
  }
}
