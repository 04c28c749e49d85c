import Foundation
import MienCore
import MienVision

/// Data sets as their makers hand them out: pictures in one place, labels in lists of a format of their own.
struct PictureList {
  private let files: [URL]
  /// Pictures by their names without extension, in lower case.
  private let pictures: [String: URL]

  /// Looks at what lies below `root`.
  ///
  /// - Throws: ``MienError`` if a folder cannot be listed.
  init(in root: URL) throws {
    files = try PictureTree.files(below: root)
    pictures = Dictionary(
      files.filter { PictureTree.hasPictureExtension($0) }.map { (Self.stem($0), $0) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The pictures of RAF-DB, ExpW, CK+ or FER+; nil if none of their lists is there.
  ///
  /// - Throws: ``MienError`` naming the list if it breaks its format, or if CK+'s labels are missing.
  func collection() throws -> PictureCollection? {
    if let list = file("list_patition_label.txt") ?? file("list_partition_label.txt") { return try rafdb(list) }
    if let list = file("label.lst") { return try expw(list) }
    let emotions = files.filter { $0.lastPathComponent.lowercased().hasSuffix("_emotion.txt") }
    if !emotions.isEmpty { return try ckplus(emotions) }
    if let picture = files.first(where: { $0.pathComponents.contains("cohn-kanade-images") }) {
      throw MienError(
        .format, picture.deletingLastPathComponent().relativePath,
        "holds CK+'s pictures, but there is no Emotion folder with their labels (files such as "
          + "S005_001_00000011_emotion.txt); unpack Emotion_labels.zip beside cohn-kanade-images")
    }
    let votes = files.filter {
      $0.lastPathComponent == "label.csv"
        && Split(spelling: $0.deletingLastPathComponent().lastPathComponent) != nil
    }
    return votes.isEmpty ? nil : try ferplus(votes)
  }

  /// `train_00001.jpg 5` per line. The aligned faces count; without them, the faces that the boxes name in the photos.
  private func rafdb(_ list: URL) throws -> PictureCollection {
    let name = list.lastPathComponent
    let boxes = Dictionary(
      files.filter { $0.lastPathComponent.hasSuffix("_boundingbox.txt") }.map { (Self.stem($0), $0) },
      uniquingKeysWith: { first, _ in first })
    var collection = PictureCollection(pictures: [], labelling: "RAF-DB's list \(name)")
    var whole = 0
    try Self.forEachRow(of: list) { words, place in
      guard words.count == 2, let label = ClassNames.rafdb.emotion(words[1]) else {
        throw MienError(
          .format, place, "expected a file and a number of 1 to 7, found `\(words.joined(separator: " ").prefix(60))`")
      }
      let stem = Self.stem(URL(fileURLWithPath: words[0]))
      guard let url = pictures["\(stem)_aligned"] ?? pictures[stem] else {
        throw MienError(.file, place, "there is no picture \(words[0]), nor an aligned one, in the folder")
      }
      let part = String(stem.prefix { $0 != "_" })
      var picture = LabelledPicture(url: url, label: label, className: words[1])
      if let split = Split(spelling: part) { (picture.split, picture.partName) = (split, part) }
      if Self.stem(url) == stem {
        picture.box = boxes["\(stem)_boundingbox"].flatMap(Self.box)
        if picture.box == nil { whole += 1 }
      }
      collection.pictures.append(picture)
    } reject: {
      collection.rejected.add($0)
    }
    if whole > 0 {
      collection.notes.append(
        "\(Spelling.counted(whole, "whole photo")) without a box: the centred square is taken; RAF-DB's aligned.zip has "
          + "the faces")
    }
    return collection
  }

  /// Picture, number of the face in it, top, left, right and bottom of its box, confidence, label.
  private func expw(_ list: URL) throws -> PictureCollection {
    var collection = PictureCollection(pictures: [], labelling: "ExpW's list \(list.lastPathComponent)")
    try Self.forEachRow(of: list) { words, place in
      let numbers = words.dropFirst(2).prefix(4).compactMap { Double($0).flatMap { Int(exactly: $0.rounded()) } }
      guard words.count == 8, numbers.count == 4, let label = ClassNames.expw.emotion(words[7]) else {
        throw MienError(
          .format, place,
          "expected a file, the face's number, top, left, right and bottom, a confidence and a label of 0 to 6, found "
            + "`\(words.joined(separator: " ").prefix(60))`")
      }
      guard let url = pictures[Self.stem(URL(fileURLWithPath: words[0]))] else {
        throw MienError(.file, place, "there is no picture \(words[0]) in the folder")
      }
      let (top, left, right, bottom) = (numbers[0], numbers[1], numbers[2], numbers[3])
      guard right > left, bottom > top else { throw MienError(.format, place, "the face's box is empty") }
      var picture = LabelledPicture(url: url, label: label, className: words[7])
      picture.box = Box(x: left, y: top, width: right - left, height: bottom - top)
      collection.pictures.append(picture)
    } reject: {
      collection.rejected.add($0)
    }
    return collection
  }

  /// CK+'s sequences run from a neutral face to the peak, which is their last frame and what its emotion file labels;
  /// only that frame is read. Sequences without an emotion file have no label.
  private func ckplus(_ emotions: [URL]) throws -> PictureCollection {
    var collection = PictureCollection(
      pictures: [], labelling: "CK+'s Emotion files, for the last frame of each sequence")
    for file in emotions {
      let stem = String(file.lastPathComponent.dropLast("_emotion.txt".count))
      let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
      let number = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)).flatMap(Int.init(exactly:))
      guard let origin = PictureName(URL(fileURLWithPath: stem + ".png"), .ckplus) else {
        collection.rejected.add(
          MienError(
            .format, file.relativePath,
            "expected a name of subject, sequence and frame, as S010_004_00000017_emotion.txt"))
        continue
      }
      guard let number, let label = ClassNames.ckplus.emotion("\(number)") else {
        collection.rejected.add(
          MienError(.format, file.relativePath, "expected a number of 0 to 7, found `\(text.prefix(40))`"))
        continue
      }
      guard let url = pictures[stem.lowercased()] else {
        collection.rejected.add(MienError(.file, file.relativePath, "its picture \(stem).png is not in the folder"))
        continue
      }
      var picture = LabelledPicture(url: url, label: label, className: "\(number)")
      (picture.subject, picture.sequence) = (origin.subject, origin.sequence)
      collection.pictures.append(picture)
    }
    let sequences = Set(pictures.values.compactMap { PictureName($0, .ckplus)?.sequence })
    let unlabelled = sequences.subtracting(collection.pictures.compactMap(\.sequence)).count
    if unlabelled > 0 {
      collection.notes.append("\(unlabelled.grouped) of \(sequences.count.grouped) sequences have no label")
    }
    return collection
  }

  /// FER+'s folders `FER2013Train`, `FER2013Valid` and `FER2013Test`: `fer0000000.png,"(0, 0, 48, 48)"` and ten counts.
  private func ferplus(_ lists: [URL]) throws -> PictureCollection {
    var collection = PictureCollection(pictures: [], labelling: "FER+'s votes in label.csv")
    for list in lists {
      let folder = list.deletingLastPathComponent()
      var row = CSVRow()
      try LineReader(.file(list)).forEachLine { line, number in
        if CSVRow.isEmpty(line) { return }
        row.split(line)
        let counts = row.fields.suffix(FaceSet.voteColumns).compactMap { field in
          CSVRow.number(line.extracting(field)).flatMap(UInt8.init(exactly:))
        }
        let place = "\(list.relativePath), line \(number)"
        guard row.fields.count == FaceSet.voteColumns + 2, counts.count == FaceSet.voteColumns else {
          collection.rejected.add(MienError(.format, place, "expected a file, a box and ten counts of votes"))
          return
        }
        let file = row.text(0, of: line)
        let url = folder.appendingPathComponent(file)
        guard FileManager.default.fileExists(atPath: url.path) else {
          collection.rejected.add(MienError(.file, place, "there is no picture \(file) beside the list"))
          return
        }
        var picture = LabelledPicture(url: url, label: nil, className: "")
        (picture.votes, picture.partName) = (counts, folder.lastPathComponent)
        picture.split = Split(spelling: picture.partName) ?? .train
        collection.pictures.append(picture)
      }
    }
    return collection
  }

  private func file(_ name: String) -> URL? { files.first { $0.lastPathComponent.lowercased() == name } }

  /// Calls `body` with the words of each line and its place; what it throws goes to `reject`.
  private static func forEachRow(
    of list: URL, _ body: ([String], String) throws -> Void, reject: (MienError) -> Void
  ) throws {
    try LineReader(.file(list)).forEachLine { line, number in
      if CSVRow.isEmpty(line) { return }
      let text = line.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
      do {
        try body(text.split { $0.isWhitespace || $0 == "," }.map(String.init), "\(list.relativePath), line \(number)")
      } catch let
        error as MienError
      { reject(error) }
    }
  }

  /// `left top right bottom` in pixels.
  private static func box(_ file: URL) -> Box? {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
    let numbers = text.split { $0.isWhitespace || $0 == "," }.compactMap { Double($0) }
    guard numbers.count == 4, numbers.allSatisfy({ abs($0) < 1e6 }), numbers[2] > numbers[0], numbers[3] > numbers[1]
    else {
      return nil
    }
    let edges = numbers.map { Int($0.rounded()) }
    return Box(x: edges[0], y: edges[1], width: edges[2] - edges[0], height: edges[3] - edges[1])
  }

  private static func stem(_ url: URL) -> String { url.deletingPathExtension().lastPathComponent.lowercased() }
}
