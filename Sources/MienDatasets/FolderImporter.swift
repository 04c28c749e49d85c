public import Foundation
public import MienCore

/// Reads a data set with a folder a class, as `train/angry/1.jpg` or `happy/a.png`.
///
/// Pictures may be of any size and colour: each gives its largest centred square, resized to ``side``.
public struct FolderImporter: Sendable {
  /// The default width and height of a face in pixels.
  public static let defaultSide = 48

  /// The label set of the result, which says what digits mean; nil for FER2013's seven classes, or FER+'s eight where a
  /// folder shows contempt. Digits are then read in FER2013's order.
  public var labelSet: LabelSet?
  /// Width and height of a face in pixels.
  public var side: Int
  /// Whether faces are kept in colour.
  public var isColor: Bool
  /// Whether bad pictures are counted and left out, instead of ending the import.
  public var skipsBadPictures: Bool

  /// Sets up an import.
  public init(
    labelSet: LabelSet? = nil, side: Int = defaultSide, isColor: Bool = false, skipsBadPictures: Bool = false
  ) {
    self.labelSet = labelSet
    self.side = side
    self.isColor = isColor
    self.skipsBadPictures = skipsBadPictures
  }

  /// Reads the pictures below `folder`, in the order of their paths.
  ///
  /// - Parameter progress: called after each picture with how many are done, and of how many.
  /// - Throws: ``MienError`` where a folder names no class (with the accepted spellings), a picture cannot be decoded
  ///   (unless ``skipsBadPictures``), or none is left.
  public func load(_ folder: URL, progress: (Int, Int) -> Void = { _, _ in }) throws -> ImportResult {
    let (pictures, labelSet) = try scan(folder)
    return try load(
      pictures, labelSet: labelSet, source: folder.standardizedFileURL.lastPathComponent, progress: progress
    ) { _ in nil }
  }

  private func scan(_ folder: URL) throws -> ([PictureFile], LabelSet) {
    if let labelSet { return (try PictureFolder(labelSet: labelSet).pictures(in: folder), labelSet) }
    let lenient = try LabelSet(name: "the known emotions", emotions: LabelSet.fer2013.emotions + [.contempt])
    let pictures = try PictureFolder(labelSet: lenient, digits: .fer2013).pictures(in: folder)
    let hasContempt = pictures.contains { $0.label == .contempt }
    return (pictures, hasContempt ? .ferplus : .fer2013)
  }

  /// Decodes `pictures`; `origin` names each one's subject and sequence, or throws where its name is no good.
  func load(
    _ pictures: [PictureFile], labelSet: LabelSet, source: String, progress: (Int, Int) -> Void,
    origin: (URL) throws -> (subject: String, sequence: String)?
  ) throws -> ImportResult {
    let channels = isColor ? 3 : 1
    guard (1...FaceSet.maximumSide).contains(side) else {
      throw MienError(.argument, "--size \(side)", "expected 1 to \(FaceSet.maximumSide) pixels")
    }
    var rows: [FaceSet.Row] = []
    var pixels = Data()
    var rejected = Rejections()
    try PictureLoader(side: side, channels: channels).load(pictures.map(\.url)) { index, face in
      let picture = pictures[index]
      do {
        let face = try face.get()
        let origin = try origin(picture.url)
        pixels.append(contentsOf: face)
        rows.append(
          .init(
            label: picture.label, split: picture.split, subject: origin?.subject, sequence: origin?.sequence,
            sourceRow: index))
      } catch let error as MienError where skipsBadPictures {
        rejected.add(error)
      }
      progress(index + 1, pictures.count)
    }
    guard !rows.isEmpty else {
      throw MienError(.format, source, "has no usable picture; \(rejected.count) bad ones were left out")
    }
    let faces = try FaceSet(
      source: source, labelSet: labelSet, height: side, width: side, channels: channels, rows: rows, pixels: pixels)
    return ImportResult(faces: faces, rejected: rejected)
  }
}

/// Reads CK+48: a folder a class, with names such as `S010_004_00000017.png` that tell subject and sequence.
///
/// Three near-identical frames stand for each sequence and a subject has several, so every face is in the train split:
/// parts that measure anything must be cut by subject.
public struct CKPlus48Importer: Sendable {
  /// Whether bad pictures are counted and left out, instead of ending the import.
  public var skipsBadPictures: Bool

  /// Sets up an import.
  public init(skipsBadPictures: Bool = false) { self.skipsBadPictures = skipsBadPictures }

  /// Reads the pictures below `folder`, in the order of their paths.
  ///
  /// - Parameter progress: called after each picture with how many are done, and of how many.
  /// - Throws: ``MienError`` as ``FolderImporter/load(_:progress:)`` does, or where a name tells no subject and sequence.
  public func load(_ folder: URL, progress: (Int, Int) -> Void = { _, _ in }) throws -> ImportResult {
    let pictures = try PictureFolder(labelSet: .ckplus48).pictures(in: folder).map {
      PictureFile(url: $0.url, label: $0.label, split: .train)
    }
    return try FolderImporter(skipsBadPictures: skipsBadPictures).load(
      pictures, labelSet: .ckplus48, source: "ckplus48", progress: progress, origin: Self.origin)
  }

  /// Subject (`S010`) and sequence (`S010_004`) of a file's name.
  private static func origin(_ url: URL) throws -> (subject: String, sequence: String) {
    let parts = url.deletingPathExtension().lastPathComponent.split(separator: "_", omittingEmptySubsequences: false)
    let isNumber = { (text: Substring) in !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber } }
    guard parts.count == 3, parts[0].first == "S", isNumber(parts[0].dropFirst()), isNumber(parts[1]),
      isNumber(parts[2])
    else {
      throw MienError(.format, url.path, "expected a name of subject, sequence and frame, as S010_004_00000017.png")
    }
    return (String(parts[0]), "\(parts[0])_\(parts[1])")
  }
}
