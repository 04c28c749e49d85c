import Foundation
import MienCore

/// What the file names of well-known data sets tell.
struct PictureName: Equatable {
  /// A data set whose files are named by a rule of its own.
  enum Convention: String, CaseIterable {
    case jaffe = "JAFFE"
    case kdef = "KDEF"
    case rafd = "RaFD"
    case ckplus = "CK+"

    /// An example, for messages.
    var example: String {
      switch self {
      case .jaffe: "KA.AN1.39.tiff"
      case .kdef: "AF01ANS.JPG"
      case .rafd: "Rafd090_01_Caucasian_female_angry_frontal.jpg"
      case .ckplus: "S010_004_00000017.png"
      }
    }
  }

  /// What it shows; nil for CK+, whose names do not tell.
  var emotion: Emotion?
  /// The word or code of the emotion.
  var code = ""
  /// Who it is.
  var subject: String
  /// Which sequence of pictures it is from.
  var sequence: String?

  /// The two letters of JAFFE and KDEF; `AF` (afraid) is KDEF's.
  private static let codes: [String: Emotion] = [
    "AF": .fear, "AN": .anger, "DI": .disgust, "FE": .fear, "HA": .happiness, "NE": .neutral, "SA": .sadness,
    "SU": .surprise,
  ]

  /// Reads the name of a file; nil if it does not follow `convention`.
  init?(_ url: URL, _ convention: Convention) {
    let stem = url.deletingPathExtension().lastPathComponent
    switch convention {
    case .jaffe: self.init(jaffe: stem)
    case .kdef: self.init(kdef: stem.uppercased())
    case .rafd: self.init(rafd: stem)
    case .ckplus: self.init(ckplus: stem)
    }
  }

  /// A name of CK+'s form, which one's own pictures can have too: person, series, picture.
  static let ownExample = "S001_001_00000001.png"

  /// The convention that most of `files` follow; nil for none.
  ///
  /// - Parameter isMost: whether more than half of them must follow it; else the convention that the most of them follow is
  ///   taken, however few.
  static func convention(of files: [URL], isMost: Bool = true) -> Convention? {
    let counts = Convention.allCases.map { convention in files.count { PictureName($0, convention) != nil } }
    guard let most = counts.max(), most > 0, !isMost || most * 2 > files.count else { return nil }
    return zip(Convention.allCases, counts).first { $0.1 == most }?.0
  }

  /// What is said if nobody is known.
  static let unknownPeople =
    "people are unknown: no file name says who it is, as \(ownExample) would (person, series, picture); a split may put one "
    + "person into two parts"

  /// What the names of `files` tell of people and sequences: of all files, or of none. If only some names tell it, `warning`
  /// names others; if none does, `note` says that people are unknown.
  static func origins(of files: [URL]) -> (names: [PictureName]?, note: String?, warning: String?) {
    guard let convention = convention(of: files, isMost: false) else { return (nil, unknownPeople, nil) }
    let names = files.map { PictureName($0, convention) }
    let odd = zip(files, names).filter { $0.1 == nil }.map(\.0)
    guard !odd.isEmpty else { return (names.compactMap(\.self), nil, nil) }
    let shown = odd.prefix(3).map(\.relativePath).joined(separator: ", ") + (odd.count > 3 ? ", …" : "")
    let told = files.count - odd.count
    let warning =
      "people are unknown: \(Spelling.counted(told, "file name")) \(told == 1 ? "says" : "say") who it is, \(odd.count.grouped) "
      + "\(odd.count == 1 ? "does" : "do") not: \(shown); rename \(odd.count == 1 ? "it" : "them") like "
      + "\(convention.example), or a split may put one person into two parts"
    return (nil, nil, warning)
  }

  /// `KA.AN1.39`: subject, emotion and take, number of the picture.
  private init?(jaffe stem: String) {
    let parts = stem.split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 3, parts[0].count == 2, parts[0].allSatisfy({ $0.isASCII && $0.isLetter }),
      Self.isNumber(parts[1].dropFirst(2)), Self.isNumber(parts[2][...])
    else { return nil }
    code = parts[1].prefix(2).uppercased()
    guard let emotion = Self.codes[code] else { return nil }
    (self.emotion, subject) = (emotion, parts[0].uppercased())
  }

  /// `AF01ANS`: session, sex and number of the person, emotion, angle.
  private init?(kdef stem: String) {
    let letters = Array(stem)
    guard (7...8).contains(letters.count), "AB".contains(letters[0]), "FM".contains(letters[1]),
      Self.isNumber(String(letters[2...3])[...]), ["S", "HL", "HR", "FL", "FR"].contains(String(letters[6...]))
    else { return nil }
    code = String(letters[4...5])
    guard let emotion = Self.codes[code], code != "FE" else { return nil }
    // Both sessions, A and B, are of the same people.
    (self.emotion, subject) = (emotion, String(letters[1...3]))
  }

  /// `Rafd090_01_Caucasian_female_angry_frontal`: angle, person, group, sex, emotion, gaze.
  private init?(rafd stem: String) {
    let parts = stem.split(separator: "_").map { String($0) }
    guard parts.count == 6, parts[0].lowercased().hasPrefix("rafd"), Self.isNumber(parts[0].dropFirst(4)),
      Self.isNumber(parts[1][...]), let emotion = Emotion(spelling: parts[4])
    else { return nil }
    (self.emotion, code, subject) = (emotion, parts[4], parts[1])
  }

  /// `S010_004_00000017`: subject, sequence, frame.
  private init?(ckplus stem: String) {
    let parts = stem.split(separator: "_", omittingEmptySubsequences: false).map { String($0) }
    guard parts.count == 3, parts[0].first == "S", Self.isNumber(parts[0].dropFirst()), Self.isNumber(parts[1][...]),
      Self.isNumber(parts[2][...])
    else { return nil }
    (subject, sequence) = (parts[0], "\(parts[0])_\(parts[1])")
  }

  private static func isNumber(_ text: Substring) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
  }
}
