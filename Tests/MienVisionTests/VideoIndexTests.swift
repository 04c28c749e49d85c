import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

/// Indexes that claim more than their file holds: FFmpeg would list every frame that they claim before it reads one.
@Suite
struct VideoIndexTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(
    _ data: Data, _ limits: VideoLimits = VideoLimits(), name: String = "claims.mp4"
  ) throws -> MienError {
    let url = folder.file(name)
    try data.write(to: url)
    let error = try #require(throws: MienError.self) { try VideoReader(contentsOf: url, limits: limits) }
    #expect(error.subject == url.path)
    return error
  }

  /// Three frames of H.264.
  private func clip() throws -> URL {
    let url = folder.file("clip.mp4")
    let writer = try VideoWriter(url: url, framesPerSecond: 5, sound: nil, program: nil)
    let image = try Image(width: 64, height: 32, channels: 1, pixels: [UInt8](repeating: 90, count: 64 * 32))
    for index in 0..<3 { try writer.write(image, seconds: Double(index) / 5) }
    try writer.finish()
    return url
  }

  /// How many frames are read.
  private func frames(of url: URL) throws -> Int {
    let reader = try VideoReader(contentsOf: url)
    var count = 0
    while try reader.next() != nil { count += 1 }
    return count
  }

  private static func clip(_ tables: Data...) -> Data {
    DrawnClip.mp4(handler: "vide", codec: "avc1", tables: tables.reduce(Data(), +))
  }

  private static let many: UInt32 = 50_000_000
  private static let sizes = DrawnClip.box("stsz", [0, 1, many])

  /// What takes FFmpeg a byte or nothing per entry, each in a file of some hundred bytes.
  static let claims: [(name: String, file: Data, message: String)] = [
    ("samples of one size", clip(sizes), "claims 50,000,000 entries"),
    (
      "chunks of samples", clip(DrawnClip.box("stsc", [0, 1, 1, many, 1]), DrawnClip.box("stco", [0, 1, 40])), "entries"
    ),
    (
      "edits that repeat the film",
      clip(
        DrawnClip.box("stsz", [0, 1, 60_000]),
        DrawnClip.box("edts", DrawnClip.box("elst", [0, 100] + [UInt32](repeating: 0x10000, count: 300)))),
      "claims 5,940,000 entries"
    ),
    ("encrypted samples", clip(DrawnClip.box("senc", [0, many])), "entries"),
    (
      "a fragment",
      clip() + DrawnClip.box("moof", DrawnClip.box("traf", DrawnClip.box("trun", [0, many]))),
      "claims 50,000,000 entries"
    ),
    (
      "tracks and fragments",
      clip() + (0..<300).reduce(Data()) { all, _ in all + DrawnClip.box("moof", Data()) }
        + DrawnClip.box("moov", (0..<300).reduce(Data()) { all, _ in all + DrawnClip.box("trak", Data()) }),
      "claims 270,900 entries"
    ),
    ("sizes", clip(DrawnClip.box("stsz", [0, 0, many])), "its stsz box claims 50,000,000 entries and has room for 0"),
    (
      "times", clip(DrawnClip.box("stts", [0, many, 1, 1])), "its stts box claims 50,000,000 entries and has room for 1"
    ),
    ("offsets", clip(DrawnClip.box("co64", [0, many, 0, 0, 0, 0])), "has room for 2"),
    ("groups", clip(DrawnClip.box("sgpd", [0, 0x7379_6E63, many])), "its sgpd box claims"),
    (
      "a table in a description", clip(DrawnClip.box("stsd", [0, 1, 40, 0x6176_6331] + [0, 0, 0, 20, 0x7374_737A])),
      "stsz"
    ),
    (
      "a compressed index",
      DrawnClip.mp4(handler: "vide", codec: "avc1") + DrawnClip.box("moov", DrawnClip.box("cmov", [])), "cmov"
    ),
  ]

  @Test(arguments: claims.indices)
  func whatTheFileCannotHoldIsRefused(index: Int) throws {
    let claim = Self.claims[index]
    let error = try refusal(claim.file)
    #expect(error.kind == .format && error.message.contains(claim.message), "\(claim.name): \(error)")
  }

  /// A box that FFmpeg knows by its 64 bits of length, and one that reaches to the end.
  @Test
  func claimsAreFoundInBoxesOfAnyLength() throws {
    let track = DrawnClip.track(handler: "vide", codec: "avc1", tables: Self.sizes)
    let start = DrawnClip.box("ftyp", Data("isom\0\0\0\0isom".utf8))
    let long = Data([0, 0, 0, 1]) + Data("moov".utf8) + Data(count: 7) + Data([UInt8(track.count + 16)]) + track
    try #require(track.count + 16 < 256)
    #expect(try refusal(start + long).message.contains("50,000,000 entries"))
    #expect(try refusal(start + Data(count: 4) + Data("moov".utf8) + track).message.contains("50,000,000 entries"))
    // An index that was taken out of use is read if there is no other.
    let retired = DrawnClip.box("free", DrawnClip.box("mvhd", []) + track)
    #expect(try refusal(Self.clip() + retired).message.contains("50,000,000 entries"))
  }

  @Test
  func indexesOverTheLimitAreRefused() throws {
    // As many frames as bytes, which the file could hold.
    let file = Self.clip(DrawnClip.box("stsz", [0, 1, 70_000])) + DrawnClip.box("free", Data(count: 70_000))
    var limits = VideoLimits()
    limits.maxIndexEntries = 69_999
    let error = try refusal(file, limits)
    #expect(
      error.kind == .limit && error.message.contains("more than the limit of 69,999; cut it into parts"), "\(error)")
    limits.maxIndexEntries = 70_000
    #expect(try refusal(file, limits).message.contains("FFmpeg finds no video stream"))
  }

  /// Two hundred seconds of uncompressed sound, ten million samples, of which FFmpeg lists a thousand at a time.
  @Test
  func uncompressedSoundMayHaveMillionsOfSamples() throws {
    let url = try clip()
    let frames = try frames(of: url)
    let whole = try Data(contentsOf: url)
    func withSound(tick: UInt32) throws -> Data {
      let tables =
        DrawnClip.box("stsz", [0, 2, 10_000_000]) + DrawnClip.box("stts", [0, 1, 10_000_000, tick])
        + DrawnClip.box("stsc", [0, 1, 1, 5_000_000, 1]) + DrawnClip.box("stco", [0, 2, 0, 0])
      let track = DrawnClip.track(handler: "soun", codec: "sowt", tables: tables)
      let type = try #require(whole.range(of: Data("moov".utf8), options: .backwards)).lowerBound
      let body = whole[(type + 4)...]
      return whole[..<(type - 4)] + DrawnClip.box("moov", body + track)
    }
    #expect(try refusal(withSound(tick: 2)).message.contains("claims 10,000,"))
    try withSound(tick: 1).write(to: url)
    #expect(try self.frames(of: url) == frames && frames > 0)
  }

  /// A phone's motion photo has a track of notes, whose description names their type.
  @Test
  func aTrackOfNotesMayNameWhatItLikes() throws {
    let url = try clip()
    let frames = try frames(of: url)
    let whole = try Data(contentsOf: url)
    let type = try #require(whole.range(of: Data("moov".utf8), options: .backwards)).lowerBound
    func withNotes(_ handler: String) -> Data {
      let note = DrawnClip.box("mett", Data(count: 8) + Data("\0application/motionphoto-image-meta\0".utf8))
      let description = DrawnClip.box("stsd", Data([0, 0, 0, 0, 0, 0, 0, 1]) + note)
      let kind = DrawnClip.box("hdlr", Data(count: 8) + Data(handler.utf8) + Data(count: 13))
      let tables = DrawnClip.box("minf", DrawnClip.box("stbl", description))
      let track = DrawnClip.box("trak", DrawnClip.box("mdia", kind + tables))
      return whole[..<(type - 4)] + DrawnClip.box("moov", whole[(type + 4)...] + track)
    }
    try withNotes("meta").write(to: url)
    #expect(try self.frames(of: url) == frames && frames > 0)
    // In a track of pictures FFmpeg would look into the description.
    #expect(try refusal(withNotes("vide")).message.contains("a meta box lies in its stsd box"))
  }

  /// FFmpeg would take this file of a program stream's first bytes for an MP4, whose index nobody looked at.
  @Test
  func aFileIsReadAsWhatItWasTakenFor() throws {
    let start = Data([0, 0, 1, 0xBA]) + Data("skip".utf8) + Data(count: 434)
    let error = try refusal(start + Data(contentsOf: clip()), name: "two.mpg")
    #expect(error.message.contains("cannot be read as MPEG program stream"), "\(error)")
  }

  @Test
  func indexesOfMXFAreRefusedThatClaimMoreThanTheFileHolds() throws {
    let start: [UInt8] = [0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 1, 1, 0x0D, 1, 2, 1, 1, 2, 4, 0, 0]
    let segment: [UInt8] = [0x06, 0x0E, 0x2B, 0x34, 0x02, 0x53, 1, 1, 0x0D, 1, 2, 1, 1, 0x10, 1, 0]
    let items: [UInt8] = [0x3F, 0x0D, 0, 8, 0, 0, 0, 0, 2, 0xFA, 0xF0, 0x80, 0x3F, 0x0A, 0, 8, 0, 0, 0, 1, 0, 0, 0, 11]
    let file = Data(start + segment + [0x83, 0, 0, UInt8(items.count)] + items + [0, 0, 0])
    let message = try refusal(file, name: "claims.mxf").message
    #expect(message.contains("has a damaged index (MXF): it claims 50,000,000 entries"), "\(message)")
  }
}
