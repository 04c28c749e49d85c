public import Foundation

/// A set of framed faces of one size with labels, FER+ votes and origins: one `.safetensors` file.
///
/// Tensors: `pixels` u8 [N, H, W, C]; `label` u8 [N] (index into the label set, 255 none); `split` u8 [N] (0 train, 1
/// validation, 2 test); `row` i32 [N] (row in the source); and, where known, `votes` u8 [N, 10] (ten zeros none),
/// `subject` i32 [N] and `sequence` i32 [N] (indices into name lists, -1 none). The metadata entry `mien.faceset` is
/// JSON.
///
/// A set keeps every row of its source. FER+ majority labels and soft targets are derived from the votes.
public struct FaceSet: Sendable {
  /// What the metadata holds.
  public struct Info: Codable, Sendable, Equatable {
    /// The layout's version.
    public var format: Int
    /// Where the faces come from: `fer2013`, `ckplus48`, or a name for one's own.
    public var source: String
    /// The data set's own label set.
    public var labelSet: LabelSet
    /// Names that `subject` points to.
    public var subjects: [String]
    /// Names that `sequence` points to.
    public var sequences: [String]
    /// What was done to the set since it was imported, a line a step; nil for nothing.
    public var history: [String]?
  }

  /// One face's entries but its pixels.
  public struct Row: Sendable, Equatable {
    /// The data set's own label, nil where it gives none.
    public var label: Emotion?
    /// The part it belongs to.
    public var split: Split
    /// FER+'s ten raw counts (eight emotions in ``LabelSet/ferplus`` order, unknown, not a face).
    public var votes: [UInt8]?
    /// Who it is, by the source's name.
    public var subject: String?
    /// Which sequence of pictures it is from, unique over the set.
    public var sequence: String?
    /// Its row or file number in the source, from 0.
    public var sourceRow: Int

    /// Describes a face.
    public init(
      label: Emotion?, split: Split, votes: [UInt8]? = nil, subject: String? = nil, sequence: String? = nil,
      sourceRow: Int
    ) {
      self.label = label
      self.split = split
      self.votes = votes
      self.subject = subject
      self.sequence = sequence
      self.sourceRow = sourceRow
    }
  }

  /// The columns of FER+'s votes after its eight emotions.
  public static let voteColumns = 10
  /// The metadata key of ``Info``.
  public static let metadataKey = "mien.faceset"
  /// The layout that this version writes and reads.
  public static let currentFormat = 1
  /// The largest height and width of a face, in pixels.
  public static let maximumSide = 4096
  private static let noLabel: UInt8 = 255

  /// Source, label set and names.
  public let info: Info
  /// How many faces.
  public let count: Int
  /// Height in pixels.
  public let height: Int
  /// Width in pixels.
  public let width: Int
  /// 1 (grey) or 3 (RGB).
  public let channels: Int
  /// All pixels, [N, H, W, C], 0…255; memory-mapped where read from a file.
  public let pixels: Data
  private let labels: [UInt8]
  private let splits: [UInt8]
  private let rows: [Int32]
  private let voteCounts: [UInt8]?
  private let subjects: [Int32]?
  private let sequences: [Int32]?

  /// The data set's own label set.
  public var labelSet: LabelSet { info.labelSet }
  /// Bytes a face.
  public var faceBytes: Int { height * width * channels }
  /// Whether FER+ votes are there.
  public var hasVotes: Bool { voteCounts != nil }
  /// Whether subjects are known.
  public var hasSubjects: Bool { subjects != nil }
  /// Whether sequences are known.
  public var hasSequences: Bool { sequences != nil }

  /// Makes a set from rows and their pixels.
  ///
  /// - Parameters:
  ///   - pixels: `rows.count * height * width * channels` bytes, [N, H, W, C].
  ///   - history: what was done to the set since it was imported.
  /// - Throws: ``MienError`` where sizes do not fit, a label is outside `labelSet`, or votes are not ten a row.
  public init(
    source: String, labelSet: LabelSet, height: Int, width: Int, channels: Int, rows: [Row], pixels: Data,
    history: [String] = []
  ) throws {
    guard (1...Self.maximumSide).contains(height), (1...Self.maximumSide).contains(width), [1, 3].contains(channels),
      pixels.count == rows.count * height * width * channels
    else {
      throw MienError(
        .mismatch, source, "\(pixels.count) bytes of pixels for \(rows.count) faces of \(width)x\(height)x\(channels)")
    }
    func indices(_ names: [String?]) -> (list: [String], indices: [Int32])? {
      guard names.contains(where: { $0 != nil }) else { return nil }
      let list = Set(names.compactMap(\.self)).sorted()
      let lookup = Dictionary(uniqueKeysWithValues: zip(list, Int32(0)...))
      return (list, names.map { $0.flatMap { lookup[$0] } ?? -1 })
    }
    let subjects = indices(rows.map(\.subject))
    let sequences = indices(rows.map(\.sequence))
    info = Info(
      format: Self.currentFormat, source: source, labelSet: labelSet, subjects: subjects?.list ?? [],
      sequences: sequences?.list ?? [], history: history.isEmpty ? nil : history)
    count = rows.count
    (self.height, self.width, self.channels, self.pixels) = (height, width, channels, pixels)
    labels = try rows.map { row in
      guard let label = row.label else { return Self.noLabel }
      guard let index = labelSet.index(of: label) else {
        throw MienError(.mismatch, source, "row \(row.sourceRow): \(label.rawValue) is not in \(labelSet.name)")
      }
      return UInt8(index)
    }
    splits = rows.map { UInt8(Split.allCases.firstIndex(of: $0.split) ?? 0) }
    self.rows = rows.map { Int32(truncatingIfNeeded: $0.sourceRow) }
    if rows.contains(where: { $0.votes != nil }) {
      voteCounts = try rows.flatMap { row -> [UInt8] in
        guard let votes = row.votes else { return [UInt8](repeating: 0, count: Self.voteColumns) }
        guard votes.count == Self.voteColumns else {
          throw MienError(.mismatch, source, "row \(row.sourceRow): expected 10 votes, found \(votes.count)")
        }
        return votes
      }
    } else {
      voteCounts = nil
    }
    self.subjects = subjects?.indices
    self.sequences = sequences?.indices
  }

  /// Opens a FaceSet file; pixels stay memory-mapped.
  ///
  /// - Throws: ``MienError`` naming the file where it cannot be read, is no FaceSet, or its parts do not fit together.
  public init(contentsOf url: URL) throws {
    let file: SafeTensors
    do { file = try SafeTensors(contentsOf: url) } catch let error as MienError { throw Self.explained(error, url) }
    do { try self.init(file) } catch let error as MienError { throw error.about(url.relativePath) }
  }

  /// `error`, which says what `url` is if that is a kind of file that Mien knows.
  private static func explained(_ error: MienError, _ url: URL) -> MienError {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
      return MienError(.file, url.relativePath, "is a folder, expected a file of faces")
    }
    guard error.kind == .format, let signature = FileSignature(contentsOf: url), signature.kind != .faces else {
      return error
    }
    return MienError(.format, url.relativePath, "is \(signature.name), expected a file of faces")
  }

  /// Reads a FaceSet from its tensors.
  public init(_ file: SafeTensors) throws {
    guard let json = file.metadata[Self.metadataKey],
      let info = try? JSONDecoder().decode(Info.self, from: Data(json.utf8))
    else {
      throw MienError(
        .format, nil, "no FaceSet: its metadata has no \(Self.metadataKey)")
    }
    guard info.format == Self.currentFormat else {
      throw MienError(.format, nil, "FaceSet of format \(info.format), this version reads \(Self.currentFormat)")
    }
    let pixels = try file.tensor("pixels", type: .u8, rank: 4)
    let count = pixels.shape[0]
    (height, width, channels) = (pixels.shape[1], pixels.shape[2], pixels.shape[3])
    guard (1...Self.maximumSide).contains(height), (1...Self.maximumSide).contains(width), [1, 3].contains(channels)
    else {
      throw MienError(
        .format, nil,
        "pixels have the shape \(pixels.shape), expected [N, H, W, 1 or 3] with sides up to \(Self.maximumSide)")
    }
    func column<Element: SafeTensorElement>(_ name: String, _: Element.Type, width: Int? = nil) throws -> [Element] {
      let tensor = try file.tensor(name, type: Element.safeTensorType, rank: width == nil ? 1 : 2)
      guard tensor.shape == [count] + (width.map { [$0] } ?? []) else {
        throw MienError(.format, nil, "\(name) has the shape \(tensor.shape) in a set of \(count) faces")
      }
      return try tensor.values()
    }
    func names(_ name: String, _ list: [String]) throws -> [Int32]? {
      guard file.tensors[name] != nil else { return nil }
      let indices = try column(name, Int32.self)
      guard indices.allSatisfy({ (-1..<Int32(list.count)).contains($0) }) else {
        throw MienError(.format, nil, "\(name) points outside its \(list.count) names")
      }
      return indices
    }
    self.info = info
    self.count = count
    self.pixels = pixels.bytes
    labels = try column("label", UInt8.self)
    splits = try column("split", UInt8.self)
    rows = try column("row", Int32.self)
    voteCounts = file.tensors["votes"] == nil ? nil : try column("votes", UInt8.self, width: Self.voteColumns)
    subjects = try names("subject", info.subjects)
    sequences = try names("sequence", info.sequences)
    guard labels.allSatisfy({ $0 == Self.noLabel || Int($0) < info.labelSet.count }),
      splits.allSatisfy({ Int($0) < Split.allCases.count })
    else { throw MienError(.format, nil, "a label is outside \(info.labelSet.name), or a split is none of three") }
  }

  /// The set as tensors to write.
  public func safeTensors() throws -> SafeTensors {
    var file = SafeTensors(metadata: [Self.metadataKey: String(decoding: try JSONText.line(info), as: UTF8.self)])
    file.tensors["pixels"] = try .init(type: .u8, shape: [count, height, width, channels], bytes: pixels)
    file.tensors["label"] = try .init(labels, shape: [count])
    file.tensors["split"] = try .init(splits, shape: [count])
    file.tensors["row"] = try .init(rows, shape: [count])
    if let voteCounts { file.tensors["votes"] = try .init(voteCounts, shape: [count, Self.voteColumns]) }
    if let subjects { file.tensors["subject"] = try .init(subjects, shape: [count]) }
    if let sequences { file.tensors["sequence"] = try .init(sequences, shape: [count]) }
    return file
  }

  /// Writes the set as a whole or not at all.
  public func write(to url: URL) throws { try safeTensors().write(to: url) }

  /// The entries of face `index`.
  public subscript(index: Int) -> Row {
    Row(
      label: label(at: index), split: split(at: index), votes: votes(at: index),
      subject: subjects.flatMap { $0[index] < 0 ? nil : info.subjects[Int($0[index])] },
      sequence: sequences.flatMap { $0[index] < 0 ? nil : info.sequences[Int($0[index])] },
      sourceRow: Int(rows[index]))
  }

  /// The data set's own label of face `index`.
  public func label(at index: Int) -> Emotion? {
    labels[index] == Self.noLabel ? nil : labelSet.emotions[Int(labels[index])]
  }

  /// The split of face `index`.
  public func split(at index: Int) -> Split { Split.allCases[Int(splits[index])] }

  /// FER+'s ten raw counts of face `index`; nil where it has none, which the file says by ten zeros.
  public func votes(at index: Int) -> [UInt8]? {
    guard let counts = voteCounts?[(index * Self.voteColumns)..<((index + 1) * Self.voteColumns)],
      counts.contains(where: { $0 > 0 })
    else { return nil }
    return Array(counts)
  }

  /// The number of the subject of face `index`; nil if it is not known.
  func subjectIndex(at index: Int) -> Int? { subjects.flatMap { $0[index] < 0 ? nil : Int($0[index]) } }

  /// The number of the sequence of face `index`; nil if it is not known.
  func sequenceIndex(at index: Int) -> Int? { sequences.flatMap { $0[index] < 0 ? nil : Int($0[index]) } }

  /// The pixels of face `index`, [H, W, C].
  public func face(at index: Int) -> [UInt8] {
    let start = pixels.startIndex + index * faceBytes
    return [UInt8](pixels[start..<(start + faceBytes)])
  }

  /// The faces of `split`, in order; all faces where nil.
  public func indices(in split: Split?) -> [Int] {
    (0..<count).filter { split == nil || self.split(at: $0) == split }
  }
}
