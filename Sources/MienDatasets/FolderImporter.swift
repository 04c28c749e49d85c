public import Foundation
public import MienCore

/// Reads a data set of pictures: one folder per class, as `train/angry/1.jpg` or `happy/a.png`; the layouts in which
/// RAF-DB, ExpW, CK+ and FER+ are handed out; or file names that tell the emotion, as JAFFE's and KDEF's do.
///
/// Pictures may be of any size and colour: each gives its largest centred square, or the box that a list names, resized
/// to ``side``.
public struct FolderImporter: Sendable {
  /// The default width and height of a face in pixels.
  public static let defaultSide = 48

  /// The label set of the result; nil for FER2013's seven classes, or FER+'s eight if a picture shows contempt, or CK+48's
  /// for CK+.
  public var labelSet: LabelSet?
  /// What class names mean, numbers among them; nil for words alone.
  public var classes: ClassNames?
  /// Width and height of a face in pixels.
  public var side: Int
  /// Whether faces are kept in colour.
  public var isColor: Bool

  /// Sets up an import.
  public init(
    labelSet: LabelSet? = nil, classes: ClassNames? = nil, side: Int = defaultSide, isColor: Bool = false
  ) {
    self.labelSet = labelSet
    self.classes = classes
    self.side = side
    self.isColor = isColor
  }

  /// Reads the pictures below `folder`, in the order of their paths or of the data set's list.
  ///
  /// - Parameter progress: called after each picture with how many are done, and of how many.
  /// - Returns: the faces, and what could not be used: pictures that cannot be decoded, folders that name no class.
  /// - Throws: ``MienError`` if class folders are numbers without a meaning, a folder cannot be read, or no picture can be
  ///   used.
  public func load(_ folder: URL, progress: (Int, Int) -> Void = { _, _ in }) throws -> ImportResult {
    let listed = try PictureList(in: folder).collection()
    let collection = try listed ?? PictureFolder(classes: classes, labels: labelSet).collection(in: folder)
    return try load(collection, folder: folder, progress: progress)
  }

  /// Decodes the pictures of a collection found in `folder`.
  func load(
    _ collection: PictureCollection, folder: URL, source: String? = nil, progress: (Int, Int) -> Void
  ) throws -> ImportResult {
    let channels = isColor ? 3 : 1
    guard (1...FaceSet.maximumSide).contains(side) else {
      throw MienError(.argument, "size \(side)", "expected 1 to \(FaceSet.maximumSide) pixels")
    }
    let pictures = collection.pictures
    var kept: [(index: Int, picture: LabelledPicture)] = []
    var pixels = Data()
    var rejected = collection.rejected
    var summary = ImportSummary(
      labelling: collection.labelling, notes: collection.notes, warnings: collection.warnings)
    var photos: (count: Int, example: String) = (0, "")
    try PictureLoader(side: side, channels: channels).load(pictures) { index, face in
      let picture = pictures[index]
      do {
        if let labelSet, let label = picture.label, labelSet.index(of: label) == nil {
          throw MienError(
            .format, picture.url.relativePath, "shows \(label.rawValue), which is no class of \(labelSet.name)")
        }
        let face = try face.get()
        pixels.append(contentsOf: face.pixels)
        if let (width, height) = face.photo {
          if photos.count == 0 { photos.example = "\(picture.url.relativePath), \(width)x\(height)" }
          photos.count += 1
        }
        kept.append((index, picture))
        summary.count(picture.label, as: picture.className, picture.split, as: picture.partName)
      } catch let error as MienError {
        rejected.add(error)
      }
      progress(index + 1, pictures.count)
    }
    guard !kept.isEmpty else { throw rejected.nothingLeft(of: folder.relativePath, "picture") }
    summary.sort()
    if collection.asksNames {
      // Of the pictures that are left out no name matters.
      let origins = PictureName.origins(of: kept.map(\.picture.url))
      if let names = origins.names {
        for (place, name) in names.enumerated() {
          (kept[place].picture.subject, kept[place].picture.sequence) = (name.subject, name.sequence)
        }
      }
      summary.notes += origins.note.map { [$0] } ?? []
      summary.warnings += origins.warning.map { [$0] } ?? []
    }
    let labels = labelSet ?? Self.labelSet(for: kept.map(\.picture))
    let rows = kept.map { index, picture in
      FaceSet.Row(
        label: picture.label, split: picture.split, votes: picture.votes, subject: picture.subject,
        sequence: picture.sequence, sourceRow: index)
    }
    if photos.count > 0 {
      let isOne = photos.count == 1
      summary.warnings.append(
        "\(Spelling.counted(photos.count, "picture")) \(isOne ? "looks like a whole photo" : "look like whole photos"), not a "
          + "face cut out of one (\(photos.example)\(isOne ? "" : ", …")): the import does not look for faces, it takes the "
          + "centred square and resizes it to \(side)x\(side); docs/own-faces.md says how to cut faces out of photos, `mien dataset extract` "
          + "cuts them out of videos")
    }
    let people = Set(rows.compactMap(\.subject)).count
    if people > 0 {
      let sequences = Set(rows.compactMap(\.sequence)).count
      summary.notes.append(
        "known by file names: \(people == 1 ? "1 person" : "\(people) people")"
          + (sequences > 0 ? ", \(Spelling.counted(sequences, "sequence"))" : ""))
    }
    let faces = try FaceSet(
      source: source ?? folder.standardizedFileURL.lastPathComponent, labelSet: labels, height: side, width: side,
      channels: channels, rows: rows, pixels: pixels)
    summary.noteVotes(of: faces)
    return ImportResult(faces: faces, rejected: rejected, summary: summary)
  }

  private static func labelSet(for pictures: [LabelledPicture]) -> LabelSet {
    let shown = Set(pictures.compactMap(\.label))
    if !shown.contains(.neutral), pictures.allSatisfy({ $0.sequence != nil }) { return .ckplus48 }
    return shown.contains(.contempt) ? .ferplus : .fer2013
  }
}

/// Reads CK+48, one folder per class with names such as `S010_004_00000017.png` that tell subject and sequence, or CK+ as
/// it is handed out (`cohn-kanade-images` and `Emotion`).
///
/// In CK+48 three near-identical frames stand for each sequence, and a subject has several, so every face is in the train
/// split: parts that measure anything must be cut by subject.
public struct CKPlus48Importer: Sendable {
  /// Sets up an import.
  public init() {}

  /// Reads the pictures below `folder`, in the order of their paths.
  ///
  /// - Parameter progress: called after each picture with how many are done, and of how many.
  /// - Returns: the faces, and what could not be used, such as pictures whose names tell no subject and sequence.
  /// - Throws: ``MienError`` as ``FolderImporter/load(_:progress:)`` does.
  public func load(_ folder: URL, progress: (Int, Int) -> Void = { _, _ in }) throws -> ImportResult {
    let importer = FolderImporter(labelSet: .ckplus48)
    if let listed = try PictureList(in: folder).collection() {
      return try importer.load(listed, folder: folder, source: "ckplus", progress: progress)
    }
    var collection = try PictureFolder(classes: nil, labels: .ckplus48).collection(in: folder)
    var named: [LabelledPicture] = []
    for var picture in collection.pictures {
      guard let name = PictureName(picture.url, .ckplus) else {
        collection.rejected.add(
          MienError(
            .format, picture.url.relativePath,
            "expected a name of subject, sequence and frame, as S010_004_00000017.png"))
        continue
      }
      (picture.split, picture.partName, picture.subject, picture.sequence) = (.train, "", name.subject, name.sequence)
      named.append(picture)
    }
    (collection.pictures, collection.asksNames) = (named, false)
    return try importer.load(collection, folder: folder, source: "ckplus48", progress: progress)
  }
}
