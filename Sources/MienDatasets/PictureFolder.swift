import Foundation
import MienCore

/// A picture of a class folder.
struct PictureFile: Sendable, Equatable {
  /// Where it lies.
  let url: URL
  /// What its folder says it shows.
  let label: Emotion
  /// The part of the data set that its folder belongs to.
  let split: Split
}

/// The tree of a data set with a folder a class: `SRC/CLASS/…` or `SRC/SPLIT/CLASS/…`.
struct PictureFolder {
  /// The usual names of folders that hold one part of a data set.
  static let splitNames: [String: Split] = [
    "train": .train, "training": .train, "trainset": .train,
    "val": .validation, "valid": .validation, "validation": .validation, "dev": .validation,
    "publictest": .validation,
    "test": .test, "testing": .test, "testset": .test, "privatetest": .test,
  ]
  /// Files that operating systems leave in folders.
  private static let litter: Set<String> = ["thumbs.db", "desktop.ini", "__macosx"]

  /// Which emotions may occur.
  let labelSet: LabelSet
  /// What folders named by digits mean.
  let digits: LabelSet

  /// - Parameter digits: nil for the order of `labelSet`.
  init(labelSet: LabelSet, digits: LabelSet? = nil) {
    self.labelSet = labelSet
    self.digits = digits ?? labelSet
  }

  /// The pictures below `root`, ordered by path; every file in a class folder, at any depth, counts as one, but hidden
  /// ones. A folder that holds nothing but one other folder is looked through.
  ///
  /// - Throws: ``MienError`` where a folder cannot be read, is no class, or there is no picture.
  func pictures(in root: URL) throws -> [PictureFile] {
    var top = root
    var folders = try Self.folders(in: top)
    while folders.count == 1, emotion(folders[0]) == nil, split(folders[0]) == nil {
      top = folders[0]
      folders = try Self.folders(in: top)
    }
    guard !folders.isEmpty else {
      throw MienError(.format, root.path, "expected a folder a class, found no folder")
    }
    var pictures: [PictureFile] = []
    if folders.contains(where: { split($0) != nil }) {
      for folder in folders {
        guard let split = split(folder) else {
          throw MienError(
            .format, folder.path,
            "is none of the parts train, val (or validation, valid, dev, PublicTest) and test (or testing, PrivateTest) "
              + "that stand beside it")
        }
        pictures += try classes(try Self.folders(in: folder), split)
      }
    } else {
      pictures = try classes(folders, .train)
    }
    guard !pictures.isEmpty else { throw MienError(.format, root.path, "its class folders hold no picture") }
    return pictures
  }

  private func classes(_ folders: [URL], _ split: Split) throws -> [PictureFile] {
    try folders.flatMap { folder in
      guard let label = emotion(folder) else {
        throw MienError(
          .format, folder.path,
          "names no class of \(labelSet.name); expected one of \(Emotion.spellings(in: labelSet).joined(separator: ", ")), "
            + "or 0 to \(digits.count - 1) in the order \(digits.emotions.map(\.rawValue).joined(separator: ", "))")
      }
      return try Self.files(below: folder).map { PictureFile(url: $0, label: label, split: split) }
    }
  }

  private func emotion(_ folder: URL) -> Emotion? {
    let name = folder.lastPathComponent
    return digits.emotion(spelled: name) ?? Emotion(spelling: name).flatMap { labelSet.index(of: $0) == nil ? nil : $0 }
  }

  private func split(_ folder: URL) -> Split? {
    Self.splitNames[folder.lastPathComponent.lowercased().filter(\.isLetter)]
  }

  /// What lies in `folder`, by name, without hidden files and litter.
  private static func entries(of folder: URL) throws -> [(url: URL, isFolder: Bool)] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder)
      throw MienError(
        .file, folder.path,
        exists && !isFolder.boolValue ? "is a file, expected a folder" : FolderProblem.reading(folder))
    }
    return names.sorted().filter { !$0.hasPrefix(".") && !litter.contains($0.lowercased()) }.map { name in
      let url = folder.appendingPathComponent(name)
      var isFolder: ObjCBool = false
      return (url, FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue)
    }
  }

  private static func folders(in folder: URL) throws -> [URL] {
    try entries(of: folder).filter(\.isFolder).map(\.url)
  }

  private static func files(below folder: URL) throws -> [URL] {
    try entries(of: folder).flatMap { entry -> [URL] in
      guard entry.isFolder else { return [entry.url] }
      // A link to a folder above would never end.
      let type = try? FileManager.default.attributesOfItem(atPath: entry.url.path)[.type] as? FileAttributeType
      return type == .typeSymbolicLink ? [] : try files(below: entry.url)
    }
  }
}

/// Why a folder cannot be listed, in words.
private enum FolderProblem {
  static func reading(_ url: URL) -> String {
    FileManager.default.fileExists(atPath: url.path) ? "may not be listed" : "no such folder"
  }
}
