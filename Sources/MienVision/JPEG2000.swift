import MienCore

/// What the headers of a JPEG 2000 file say (ISO/IEC 15444-1, annexes A and I): the size of the picture, and how finely it
/// is divided.
///
/// A decoder keeps some hundred bytes for each code block, precinct and tile before it looks at their data, so a few bytes may
/// ask for gigabytes.
struct JPEG2000 {
  let width: Int
  let height: Int
  let components: Int
  /// About what OpenJPEG 2.5 takes of memory beside the samples, in bytes.
  let structureBytes: Double

  /// How components are divided: a segment COD or COC (A.6.1, A.6.2).
  private struct Coding {
    let layers: Int
    let levels: Int
    /// Powers of two of a code block's sides.
    let blockWidth: Int
    let blockHeight: Int
    /// Of each resolution, from the lowest on: powers of two of a precinct's width and height, four bits each.
    let precincts: [Int]
  }

  /// Most segments that are looked at.
  private static let mostSegments = 100_000

  /// - Throws: ``MienError`` of kind `format`: truncated, or of a number of channels that is not read.
  init(_ file: ByteView) throws {
    let truncated = DecodedPicture.truncated(.jpeg2000, count: file.count)
    let start = try Self.codestream(in: file)
    func number(_ offset: Int) throws -> Int {
      guard let value = file.bigEndian32(start + offset) else { throw truncated }
      return value
    }
    guard file.has([0xFF, 0x4F, 0xFF, 0x51], at: start), let components = file.bigEndian16(start + 40) else {
      throw truncated
    }
    let (right, bottom, left, top) = try (number(8), number(12), number(16), number(20))
    (width, height, self.components) = (right - left, bottom - top, components)
    guard [1, 3, 4].contains(components) else {
      throw MienError(
        .format, nil,
        "is a JPEG 2000 picture of \(components) channels, of which 1, 3 and 4 are read; convert it first: "
          + "opj_decompress -i in.jp2 -o out.png")
    }
    let (tileWidth, tileHeight) = try (max(1, number(24)), max(1, number(28)))
    let tiles = Double((width - 1) / tileWidth + 2) * Double((height - 1) / tileHeight + 2)
    let (wide, high) = (min(width, tileWidth), min(height, tileHeight))
    let largest = Self.codings(of: file, from: start + 2).map { Self.bytes($0, width: wide, height: high) }.max()
    structureBytes = tiles * Double(6_000 + 1_200 * components) + Double(components) * (largest ?? 0)
  }

  /// Where the codestream begins. Its own markers count: decoders go by them, whatever the boxes around it say.
  private static func codestream(in file: ByteView) throws -> Int {
    if file.has([0xFF, 0x4F]) { return 0 }
    let truncated = DecodedPicture.truncated(.jpeg2000, count: file.count)
    var offset = 0
    while !file.has("jp2c", at: offset + 4) {
      guard let length = file.bigEndian32(offset) else { throw truncated }
      let long = length == 1 ? file.number(offset + 9, bytes: 7, bigEndian: true) : length
      guard let long, long >= 8, long <= file.count - offset else { throw truncated }
      offset += long
    }
    return offset + (file.bigEndian32(offset) == 1 ? 16 : 8)
  }

  /// The codings of the main header and of tiles.
  private static func codings(of file: ByteView, from start: Int) -> [Coding] {
    var codings: [Coding] = []
    var layers = 1
    var (offset, tileStart) = (start, 0)
    for _ in 0..<mostSegments {
      guard let marker = file.bigEndian16(offset), marker > 0xFF00 else { break }
      if marker == 0xFF93 {
        // The data of a tile's part, up to the next part; without a length, up to the end.
        guard let length = file.bigEndian32(tileStart + 6), length >= 14 else { break }
        offset = tileStart + length
        continue
      }
      guard let length = file.bigEndian16(offset + 2), length >= 2 else { break }
      switch marker {
      case 0xFF90: tileStart = offset
      case 0xFF52:
        layers = max(layers, file.bigEndian16(offset + 6) ?? 1)
        coding(file, offset + 9, hasPrecincts: (file.u8(offset + 4) ?? 0) & 1 == 1, layers).map { codings.append($0) }
      case 0xFF53:
        coding(file, offset + 6, hasPrecincts: (file.u8(offset + 5) ?? 0) & 1 == 1, layers).map { codings.append($0) }
      default: break
      }
      offset += 2 + length
    }
    return codings
  }

  /// The coding whose parameters start at `offset` (table A.15).
  private static func coding(_ file: ByteView, _ offset: Int, hasPrecincts: Bool, _ layers: Int) -> Coding? {
    guard let levels = file.u8(offset), levels <= 32, let width = file.u8(offset + 1), let height = file.u8(offset + 2)
    else { return nil }
    return Coding(
      layers: layers, levels: levels, blockWidth: width & 15 + 2, blockHeight: height & 15 + 2,
      precincts: (0...levels).map { hasPrecincts ? file.u8(offset + 5 + $0) ?? 0xFF : 0xFF })
  }

  /// Bytes for the parts of one component of a tile.
  private static func bytes(_ coding: Coding, width: Int, height: Int) -> Double {
    var (blocks, precincts, mostPrecincts) = (0.0, 0.0, 0.0)
    for (resolution, precinct) in coding.precincts.enumerated() {
      let shift = coding.levels - resolution
      let (across, down) = ((width - 1) >> shift + 1, (height - 1) >> shift + 1)
      let (precinctWidth, precinctHeight) = (precinct & 15, precinct >> 4)
      let count = Double(across >> precinctWidth + 1) * Double(down >> precinctHeight + 1)
      // All but the lowest have three bands of half its size; a block lies inside a precinct's part of a band.
      let half = resolution == 0 ? 0 : 1
      let blockWidth = min(coding.blockWidth, max(0, precinctWidth - half))
      let blockHeight = min(coding.blockHeight, max(0, precinctHeight - half))
      blocks +=
        Double(resolution == 0 ? 1 : 3) * Double(across >> (half + blockWidth) + 1)
        * Double(down >> (half + blockHeight) + 1)
      precincts += count
      mostPrecincts = max(mostPrecincts, count)
    }
    // Which packets are there: two bytes for each layer of each precinct.
    let packets = 2 * Double(coding.layers) * mostPrecincts * Double(coding.levels + 1)
    return 500 * (blocks + precincts) + packets
  }
}
