import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

/// HEIC and AVIF pictures that are made of others, and what decoding them may take.
@Suite struct HEIFTests {
  private typealias Item = MadeHEIF.Item
  private static let tile = MadeHEIF.tile

  private static func item(_ number: Int, _ properties: [Data] = []) -> Item { Item(number, tile, 64, 64, properties) }

  private static func error(_ made: MadeHEIF, limits: ImageLimits = .default) -> MienError? {
    BadPictureTests.error(made.file, limits: limits)
  }

  /// Whether `image` has the tile's colour everywhere, or what is 0 in `alpha` is white.
  private static func hasColor(_ image: Image, _ x: Int, _ y: Int) -> Bool {
    zip(image.pixel(x, y), [119, 93, 81]).allSatisfy { abs(Int($0) - $1) < 4 }
  }

  // MARK: - What is read

  @Test func aGridWhoseTilesReachBeyondItIsRead() throws {
    let file = MadeHEIF.repeated(
      Self.item(2), "grid", MadeHEIF.grid(rows: 2, columns: 2, 100, 90), 100, 90, count: 4)
    let image = try Image(encoded: file.file)
    #expect(image.width == 100 && image.height == 90)
    #expect(Self.hasColor(image, 0, 0) && Self.hasColor(image, 99, 89))
  }

  @Test func gridsOfHEVCTilesAreRead() throws {
    let photo = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("photo.heic"))
    let file = MadeHEIF.repeated(
      Item(2, try Self.hevc(), 64, 64), "grid", MadeHEIF.grid(rows: 1, columns: 2, 128, 64), 128, 64, count: 2)
    let (image, whole) = (try Image(encoded: file.file), try Image(encoded: photo))
    #expect(image.width == 128 && image.pixel(6, 4) == whole.pixel(6, 4) && image.pixel(70, 4) == whole.pixel(6, 4))
  }

  @Test func picturesInSeveralStepsAreRead() throws {
    // An overlay of a grid of a picture of a tile, with an alpha channel.
    let file = MadeHEIF(
      [
        Item(1, "iovl", MadeHEIF.overlay(1, 128, 64), [MadeHEIF.size(128, 64)]),
        Item(2, "grid", MadeHEIF.grid(rows: 1, columns: 2, 128, 64), [MadeHEIF.size(128, 64)]),
        Item(3, "iden", Data(count: 1), [MadeHEIF.size(64, 64)]), Self.item(4), Self.item(5, [MadeHEIF.alpha]),
      ], [("dimg", 1, [2]), ("dimg", 2, [3, 3]), ("dimg", 3, [4]), ("auxl", 5, [4])])
    let image = try Image(encoded: file.file)
    #expect(image.width == 128 && image.height == 64)
  }

  /// Phones make them up to 16,384 pixels wide.
  @Test func panoramasAreRead() throws {
    let file = MadeHEIF.repeated(
      Self.item(2), "grid", MadeHEIF.grid(rows: 1, columns: 188, 12_000, 64), 12_000, 64, count: 188)
    let image = try Image(encoded: file.file)
    #expect(image.width == 12_000 && Self.hasColor(image, 11_999, 63))
  }

  @Test func cutFilesAreErrorsOrTheWholePicture() throws {
    let file = MadeHEIF.repeated(
      Self.item(2), "grid", MadeHEIF.grid(rows: 1, columns: 2, 100, 64), 100, 64, count: 2
    ).file
    let whole = try Image(encoded: file)
    for length in 16..<file.count {
      guard let read = try? Image(encoded: file.prefix(length)) else { continue }
      #expect(read.pixels == whole.pixels, "\(length) of \(file.count) bytes")
    }
  }

  // MARK: - Time

  @Test(arguments: ["grid", "small grid", "overlay", "steps", "canvases", "frames", "HEVC frames", "alpha"])
  func picturesOfTooManyTilesAreRefused(kind: String) throws {
    var made: MadeHEIF
    let grid = MadeHEIF.grid(rows: 60, columns: 60, 3840, 3840)
    switch kind {
    case "grid": made = .repeated(Self.item(2), "grid", grid, 3840, 3840, count: 3600)
    // Tiles of one pixel, by their boxes, all lie inside.
    case "small grid":
      let data = MadeHEIF.grid(rows: 60, columns: 60, 64, 64)
      made = .repeated(Item(2, Self.tile, 1, 1), "grid", data, 64, 64, count: 3600)
    case "overlay": made = .repeated(Self.item(2), "iovl", MadeHEIF.overlay(3000, 64, 64), 64, 64, count: 3000)
    case "steps":
      made = .repeated(Self.item(2), "iovl", MadeHEIF.overlay(20, 64, 64), 64, 64, count: 20)
      for step in 2...3 {
        made.items.append(Self.item(step + 1))
        made.items[step - 1] = Item(step, "iovl", MadeHEIF.overlay(20, 64, 64), [MadeHEIF.size(64, 64)])
        made.references.append(("dimg", step, [Int](repeating: step + 1, count: 20)))
      }
    // Nothing is on them, and they take their time to fill.
    case "canvases":
      let canvas = Item(2, "iovl", MadeHEIF.overlay(1, 3000, 3000), [MadeHEIF.size(3000, 3000)])
      made = .repeated(canvas, "iovl", MadeHEIF.overlay(10, 64, 64), 64, 64, count: 10)
      made.items.append(Self.item(3))
      made.references.append(("dimg", 2, [3]))
    case "frames":
      let frame = Array(Self.tile.data.suffix(16))
      var coded = Self.tile
      for _ in 0..<400 { coded.data += Data([0x32, 16]) + frame }
      made = MadeHEIF([Item(1, coded, 64, 64)])
    case "HEVC frames":
      var coded = try Self.hevc()
      let picture = coded.data
      for _ in 0..<400 { coded.data += picture }
      made = MadeHEIF([Item(1, coded, 64, 64)])
    default:
      made = .repeated(Self.item(2), "iovl", MadeHEIF.overlay(150, 64, 64), 64, 64, count: 150)
      made.items.append(Self.item(3, [MadeHEIF.alpha]))
      made.references.append(("auxl", 3, [2]))
    }
    let error = Self.error(made)
    #expect(error?.kind == .limit && error?.message.contains("million pixels") == true, "\(error?.message ?? "read")")
  }

  private static func hevc() throws -> MadeHEIF.Coded {
    let photo = try Data(contentsOf: DecodingTests.fixtures.appendingPathComponent("photo.heic"))
    return try #require(MadeHEIF.hevc(of: photo))
  }

  /// libde265 decodes each of them, and keeps what it needs for each.
  @Test func slicesInOnePlaceAreRefused() throws {
    var coded = try Self.hevc()
    // The picture is one block: a slice that is not its first has no other place.
    var slice = coded.data
    try #require(slice[6] & 0x80 != 0)
    slice[6] &= 0x7F
    for _ in 0..<300 { coded.data += slice }
    let error = Self.error(MadeHEIF([Item(1, coded, 64, 64)]))
    #expect(error?.kind == .format && error?.message.contains("coded part") == true, "\(error?.message ?? "read")")
  }

  @Test func manyUnitsAreRefused() throws {
    func file(_ count: Int) throws -> MadeHEIF {
      var coded = try Self.hevc()
      // Access unit delimiters.
      for _ in 0..<count { coded.data = Data([0, 0, 0, 3, 0x46, 1, 0x50]) + coded.data }
      return MadeHEIF([Item(1, coded, 64, 64)])
    }
    let error = Self.error(try file(5000))
    #expect(error?.kind == .limit && error?.message.contains("units") == true, "\(error?.message ?? "read")")
    #expect(try Image(encoded: file(10).file).width == 64)
  }

  @Test func manyTurnsAreRefused() {
    func turned(_ count: Int) -> MadeHEIF {
      MadeHEIF([Self.item(1, [Data](repeating: DrawnClip.box("irot", Data([1])), count: count))])
    }
    #expect(Self.error(turned(100))?.message.contains("turned") == true)
    #expect(throws: Never.self) { try Image(encoded: turned(1).file) }
  }

  @Test func manyItemsAreRefused() {
    func file(_ count: Int) -> MadeHEIF {
      MadeHEIF([Self.item(1)] + (2...count).map { Item($0, "Exif", Data(count: 4)) })
    }
    let error = Self.error(file(5000))
    #expect(error?.kind == .limit && error?.message.contains("5,000 parts") == true, "\(error?.message ?? "read")")
    #expect(throws: Never.self) { try Image(encoded: file(500).file) }
  }

  /// libheif copies the data of each item, and may keep them.
  @Test func manyItemsOfTheSameDataAreRefused() {
    func file(_ count: Int) -> MadeHEIF {
      let others = (3..<(3 + count)).map { Item($0, "Exif", Data(), sharesDataOf: 2) }
      return MadeHEIF([Self.item(1), Item(2, "Exif", Data(count: 1 << 20))] + others)
    }
    let error = Self.error(file(100))
    #expect(error?.kind == .limit && error?.message.contains("same data") == true, "\(error?.message ?? "read")")
    #expect(throws: Never.self) { try Image(encoded: file(5).file) }
  }

  /// What an auxiliary picture is has to be found out for each reference to it.
  @Test func manyReferencesAreRefused() {
    func file(_ count: Int, name: Int) -> MadeHEIF {
      let kind = MadeHEIF.fullBox("auxC", Data(repeating: 97, count: name) + Data(count: 1))
      return MadeHEIF([Self.item(1), Self.item(2, [kind])], [("auxl", 2, [Int](repeating: 1, count: count))])
    }
    let many = Self.error(file(9000, name: 20))
    #expect(many?.kind == .limit && many?.message.contains("8,192 times") == true, "\(many?.message ?? "read")")
    let long = Self.error(file(1, name: 5000))
    #expect(long?.kind == .format && long?.message.contains("box auxC") == true, "\(long?.message ?? "read")")
    #expect(throws: Never.self) { try Image(encoded: file(1, name: 100).file) }
  }

  /// libheif keeps each of them, also those that it knows nothing of.
  @Test(arguments: ["after the picture", "inside", "inside without an end"]) func manyBoxesAreRefused(place: String) {
    func file(_ count: Int) -> Data {
      let free = (0..<count).reduce(into: Data()) { boxes, _ in boxes += DrawnClip.box("free", Data()) }
      var made = MadeHEIF([Self.item(1)])
      switch place {
      case "after the picture": return made.file + free
      case "inside": made.more = DrawnClip.box("dinf", DrawnClip.box("dinf", free))
      default: made.more = DrawnClip.box("dinf", Data([0, 0, 0, 0]) + Data("dinf".utf8) + free)
      }
      return made.file
    }
    let error = BadPictureTests.error(file(70_000))
    #expect(error?.kind == .limit && error?.message.contains("65,536 boxes") == true, "\(error?.message ?? "read")")
    if place != "inside without an end" { #expect(throws: Never.self) { try Image(encoded: file(100)) } }
  }

  /// A place of no bytes takes none in the file, and memory.
  @Test func manyPlacesOfAnItemAreRefused() throws {
    var file = MadeHEIF([Self.item(1)]).file
    let box = try #require(file.range(of: Data("iloc".utf8))).upperBound
    // Offsets and lengths of no bytes; how many of them item 1 has.
    file[box + 4] = 0
    file.replaceSubrange((box + 12)..<(box + 14), with: [0xFF, 0xFF])
    let error = BadPictureTests.error(file)
    #expect(error?.kind == .limit && error?.message.contains("places") == true, "\(error?.message ?? "read")")
  }

  /// libheif unpacks them, and a byte becomes a thousand.
  @Test func longCompressedTextsAreRefused() {
    func file(_ text: Data) -> MadeHEIF {
      MadeHEIF([Self.item(1), Item(2, "mime\0application/rdf+xml\0deflate", text)], [("cdsc", 2, [1])])
    }
    let error = Self.error(file(Data(count: 70_000)))
    #expect(error?.kind == .limit && error?.message.contains("70,000 bytes") == true, "\(error?.message ?? "read")")
    // The letter a.
    let short = Data([0x78, 0x01, 0x01, 0x01, 0x00, 0xFE, 0xFF, 0x61, 0x00, 0x62, 0x00, 0x62])
    #expect(throws: Never.self) { try Image(encoded: file(short).file) }
  }

  // MARK: - Circles and doubles

  /// libheif follows them until the stack is full.
  @Test(arguments: ["grid", "iovl", "iden"]) func aPictureThatIsAPartOfItselfIsAnError(type: String) {
    let data =
      ["grid": MadeHEIF.grid(rows: 1, columns: 1, 64, 64), "iovl": MadeHEIF.overlay(1, 64, 64)][type] ?? Data(count: 1)
    let sized = [MadeHEIF.size(64, 64)]
    let circles = [
      MadeHEIF([Item(1, type, data, sized), Self.item(2)], [("dimg", 1, [1])]),
      MadeHEIF(
        [Item(1, type, data, sized), Item(2, "iden", Data(count: 1), sized), Self.item(3)],
        [("dimg", 1, [2]), ("dimg", 2, [1])]),
      MadeHEIF(
        [Item(1, type, data, sized), Self.item(2), Item(3, type, data, sized + [MadeHEIF.alpha])],
        [("dimg", 1, [2]), ("dimg", 3, [1]), ("auxl", 3, [1])]),
    ]
    for circle in circles {
      let error = Self.error(circle)
      #expect(
        error?.kind == .format && error?.message.contains("part of itself") == true, "\(error?.message ?? "read")")
    }
  }

  @Test func partsOfPartsOfPartsHaveAnEnd() {
    let sized = [MadeHEIF.size(64, 64)]
    let chain = (1...20).map { Item($0, "iden", Data(count: 1), sized) } + [Self.item(21)]
    let error = Self.error(MadeHEIF(chain, (1...20).map { ("dimg", $0, [$0 + 1]) }))
    #expect(error?.kind == .limit && error?.message.contains("steps") == true, "\(error?.message ?? "read")")
  }

  /// Which of two counts is not said, and decoders differ.
  @Test func whatIsThereTwiceIsAnError() {
    let grid = MadeHEIF.repeated(Self.item(2), "grid", MadeHEIF.grid(rows: 1, columns: 1, 64, 64), 64, 64, count: 1)
    var (boxes, items, sources, configurations) = (grid, grid, grid, grid)
    boxes.more = MadeHEIF.fullBox("iref", Data())
    items.items.append(Self.item(2))
    sources.references.append(("dimg", 1, [2]))
    configurations.items[1].properties.append(Self.tile.configuration)
    for (made, words) in [
      (boxes, "two boxes iref"), (items, "two items"), (sources, "two ways"), (configurations, "several"),
    ] {
      let error = Self.error(made)
      #expect(error?.kind == .format && error?.message.contains(words) == true, "\(error?.message ?? "read")")
    }
  }

  @Test func twoListsOfPropertiesOfAnItemAreAnError() throws {
    var file = MadeHEIF([Self.item(1), Self.item(2)]).file
    let box = try #require(file.range(of: Data("ipma".utf8))).upperBound
    // After version and count: an item's number, how many properties it has, and these in two bytes each.
    let second = box + 8 + 3 + 2 * 2
    try #require(file[second + 1] == 2)
    file[second + 1] = 1
    #expect(BadPictureTests.error(file)?.message.contains("two lists of properties for item 1") == true)
  }

  // MARK: - Memory

  /// A picture of the given header, which no frame follows that could be decoded.
  private static func picture(_ sequence: [UInt8], _ width: Int, _ height: Int, frame: [UInt8] = [0]) -> MadeHEIF {
    MadeHEIF([Item(1, MadeHEIF.av1(sequence: sequence, frames: [frame]), width, height)])
  }

  @Test func theMemoryOfManyBitsColoursAndGrainIsBounded() {
    // What the server has.
    let limits = ImageLimits(sampleBytes: 400_000_000)
    func error(_ side: Int, _ bits: Int, isNarrow: Bool, hasGrain: Bool = false) -> MienError? {
      let sequence = MadeHEIF.sequence(side, side, bits: bits, isNarrow: isNarrow, hasGrain: hasGrain)
      return Self.error(Self.picture(sequence, side, side), limits: limits)
    }
    // 3.1 GB.
    let large = error(10_000, 12, isNarrow: false, hasGrain: true)
    #expect(
      large?.kind == .limit && large?.message.contains("10000x10000 pixels of 12 bits") == true,
      "\(large?.message ?? "read")")
    #expect(error(6500, 12, isNarrow: false, hasGrain: true)?.kind == .limit)
    #expect(error(6500, 12, isNarrow: false)?.kind == .format)
    #expect(error(6100, 12, isNarrow: false, hasGrain: true)?.kind == .format)
    #expect(error(10_000, 8, isNarrow: true)?.kind == .format)
    #expect(error(9500, 10, isNarrow: true)?.kind == .format)
    #expect(error(10_000, 10, isNarrow: false)?.kind == .limit)
  }

  /// Decoders go by what is coded.
  @Test func theCodedSizeCounts() {
    let coded = Self.error(Self.picture(MadeHEIF.sequence(30_000, 30_000), 64, 64))
    #expect(
      coded?.kind == .limit && coded?.message.contains("900 million pixels") == true, "\(coded?.message ?? "read")")
    let said = Self.error(Self.picture(MadeHEIF.sequence(64, 64), 30_000, 30_000))
    #expect(said?.kind == .limit && said?.message.contains("30000x30000") == true, "\(said?.message ?? "read")")
    // A frame may have a size of its own, in as many bits as the header says.
    let sequence = MadeHEIF.sequence(64, 64, isStill: false)
    func frame(hasSize: Int) -> [UInt8] {
      // A key frame that is shown, with adapted probabilities, without screen content.
      MadeHEIF.packed([(0, 1), (0, 2), (1, 1), (0, 1), (0, 1), (hasSize, 1)])
    }
    #expect(Self.error(Self.picture(sequence, 64, 64, frame: frame(hasSize: 1)))?.kind == .limit)
    #expect(Self.error(Self.picture(sequence, 64, 64, frame: frame(hasSize: 0)))?.kind == .format)
  }
}
