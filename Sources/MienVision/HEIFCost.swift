import MienCore

/// What decoding a HEIC or AVIF picture takes, by its headers.
extension HEIFFile {
  /// The limits that are counted for the picture as a whole.
  private enum Most {
    /// Pixels to decode for each pixel of the picture: it and its alpha channel, both in tiles that reach beyond it, or two
    /// layers.
    static let pixelsPerPixel = 2.5
    /// Painting a pixel of a canvas that is a part of the picture, in pixels that could be decoded in this time.
    static let painting = 0.5
    /// Further pixels to decode: tiles that reach beyond a small picture.
    static let morePixels = 16e6
    /// What a decoder takes to start, in pixels that it could decode in this time.
    static let leastPixels = 65_536.0
    /// Pictures that are made of pictures that are made of others.
    static let depth = 8
    /// Units of a coded picture. The highest level of HEVC has 600 slices.
    static let units = 640
    /// Turns, mirrors and crops of an item: each has one at most.
    static let turns = 3
    /// Tiles that libheif decodes at a time.
    static let threads = 4
    /// Bytes of memory for each of ``ImageLimits/sampleBytes``.
    static let memory = 3.0
  }

  /// What decoding an item takes.
  struct Cost {
    /// Size in pixels, before it is turned.
    var width = 0
    var height = 0
    /// Pixels that are decoded, each tile as often as it is referred to, and what takes as long.
    var pixels = 0.0
    /// Pixels of the canvas that a derived picture is painted on.
    var canvas = 0.0
    /// Bytes that decoders are given.
    var bytes = 0.0
    /// Bytes of memory of its planes: red, green, blue, alpha.
    var held = 0.0
    /// Bytes of memory at the most while it is decoded.
    var peak = 0.0
    /// Bytes per sample of its planes, 1 or 2.
    var sampleBytes = 1.0
    var hasAlpha = false
    /// Bits per sample of what is coded.
    var bits = 8

    var area: Double { Double(width) * Double(height) }
  }

  /// Checks what decoding takes, before anything is decoded.
  ///
  /// Counted are the pixels of all coded frames that the picture is made of, and an estimate of the memory, which was
  /// measured with libheif 1.15, dav1d and libde265. `docs/server.md` has the figures.
  ///
  /// - Throws: ``MienError`` of kind `limit`, or `format` if what it is made of cannot be read.
  func check(_ limits: ImageLimits) throws {
    var known: [Int: Cost] = [:]
    var open: [Int] = []
    let cost = try cost(of: primary, &known, &open)
    let (width, height) = (cost.canvas == 0 ? shownSize : nil) ?? (cost.width, cost.height)
    // Sizes are whole blocks of up to 64 pixels, of which the picture may show a part; libheif then knows how much.
    guard Double(max(1, width - 63)) * Double(max(1, height - 63)) <= Double(limits.maxWholePixels) else {
      throw limits.error(width: width, height: height, format)
    }
    let most = Most.pixelsPerPixel * min(cost.area, Double(limits.maxWholePixels)) + Most.morePixels
    guard cost.pixels <= most else {
      throw DecodedPicture.tooCostly(
        format,
        "its tiles and layers have \(Self.text(cost.pixels)) pixels, at most \(Self.text(most)) for \(cost.width)x\(cost.height)"
      )
    }
    guard cost.bytes <= Double(mostItemBytes) else {
      throw DecodedPicture.tooCostly(format, "its tiles are coded in \(Self.text(cost.bytes)) bytes")
    }
    // Its planes, these with 8 bits, and pixel by pixel.
    let channels = cost.hasAlpha ? 4.0 : 3.0
    let memory = max(cost.peak, cost.held + cost.area * channels * cost.sampleBytes)
    guard memory <= Most.memory * Double(limits.sampleBytes) else {
      throw DecodedPicture.tooCostly(
        format,
        "\(cost.width)x\(cost.height) pixels of \(cost.bits) bits take \(Self.text(memory)) bytes of memory, at most "
          + "\(Self.text(Most.memory * Double(limits.sampleBytes))) here")
    }
  }

  /// The size of the picture by its box `ispe`, before it is turned; `nil` if it has none.
  private var shownSize: (width: Int, height: Int)? {
    guard let size = items[primary]?.properties.first(where: { $0.type == "ispe" })?.data,
      let width = size.bigEndian32(4), let height = size.bigEndian32(8)
    else { return nil }
    return (width, height)
  }

  /// A count for a message.
  private static func text(_ count: Double) -> String {
    count < 1e6 ? Int(count).grouped : count < 1e15 ? "\(Int(count / 1e6).grouped) million" : "far too many"
  }

  /// What decoding the item `number` takes.
  ///
  /// - Parameters:
  ///   - known: what has been counted.
  ///   - open: the items that it is a part of.
  private func cost(of number: Int, _ known: inout [Int: Cost], _ open: inout [Int]) throws -> Cost {
    if let cost = known[number] { return cost }
    guard let item = items[number] else { throw damaged("a part of its picture is missing") }
    guard !open.contains(number) else { throw damaged("its picture is a part of itself") }
    guard open.count < Most.depth else {
      throw DecodedPicture.tooCostly(format, "its parts are made of parts in more than \(Most.depth) steps")
    }
    open.append(number)
    defer { open.removeLast() }
    var cost: Cost
    switch item.type {
    case "hvc1", "av01": cost = try coded(item)
    case "grid", "iovl", "iden":
      let sources = try item.sources.map { try self.cost(of: $0, &known, &open) }
      cost = try derived(item, sources)
    default:
      throw MienError(
        .format, nil,
        "is \(format.article) \(format.rawValue) picture of a kind that is not read: its parts are coded as "
          + "\(item.type.filter { $0.isASCII && ($0.isLetter || $0.isNumber) })")
    }
    let turns = item.properties.filter { ["irot", "imir", "clap"].contains($0.type) }
    guard turns.count <= Most.turns else {
      throw DecodedPicture.tooCostly(format, "it is turned and cropped \(turns.count) times")
    }
    if turns.contains(where: { $0.type != "imir" }) { cost.peak = max(cost.peak, 2 * cost.held) }
    for auxiliary in item.auxiliaries where items[auxiliary].map(Self.isAlpha) == true {
      let alpha = try self.cost(of: auxiliary, &known, &open)
      cost.pixels += alpha.pixels + Most.painting * alpha.canvas
      cost.bytes += alpha.bytes
      cost.peak = max(cost.peak, cost.held + alpha.peak)
      cost.held += cost.area * alpha.sampleBytes
      cost.hasAlpha = true
    }
    known[number] = cost
    return cost
  }

  /// Whether an item is an alpha channel by its box `auxC`. Depth and gain maps are not decoded.
  private static func isAlpha(_ item: Item) -> Bool {
    item.properties.contains { property in
      guard property.type == "auxC", let name = property.data.part(4, count: property.data.count - 4) else {
        return false
      }
      let text = String(decoding: name.bytes.prefix { $0 != 0 }, as: UTF8.self)
      return text.hasSuffix(":alpha") || text.hasSuffix(":auxid:1")
    }
  }

  /// What decoding a coded picture takes: planes of the decoder and of libheif, and of RGB.
  private func coded(_ item: Item) throws -> Cost {
    let isAV1 = item.type == "av01"
    let data = try data(of: item)
    let configurations = item.properties.filter { $0.type == (isAV1 ? "av1C" : "hvcC") }
    // Of several, decoders take either.
    guard configurations.count == 1, let configuration = configurations.first?.data else {
      throw damaged("a part of its picture has no configuration of the decoder, or several")
    }
    let picture = data.withUnsafeBytes { bytes in
      let view = ByteView(bytes: bytes)
      return isAV1
        ? CodedPicture.av1(configuration: configuration, data: view)
        : CodedPicture.hevc(configuration: configuration, data: view)
    }
    guard let picture else { throw damaged("the header of a coded part cannot be read") }
    guard picture.units <= Most.units else {
      throw DecodedPicture.tooCostly(format, "a part is coded in \(picture.units.grouped) units")
    }
    let frames = Double(max(1, picture.frames))
    var cost = Cost(width: picture.width, height: picture.height)
    cost.pixels = frames * max(cost.area, Most.leastPixels)
    cost.bytes = Double(data.count + configuration.count)
    cost.bits = picture.bits
    cost.sampleBytes = picture.bits > 8 ? 2 : 1
    let plane = picture.samples * cost.sampleBytes
    // dav1d has the picture, its coefficients, which take twice as much, and a copy with grain; libheif has a copy.
    let decoder = isAV1 ? 4 * plane + (picture.hasGrain ? plane : 0) + 1 : 2 * plane + 1
    // Grey becomes RGB in more steps.
    let conversion = plane + (picture.samples == 1 ? 6.5 : 3) * cost.sampleBytes
    cost.held = 3 * cost.sampleBytes * cost.area
    cost.peak = cost.area * (max(decoder, conversion) + (min(frames, 9) - 1) * plane) + 2 * cost.bytes
    return cost
  }

  /// What putting together a picture of others takes: a canvas, and as many of the others as are decoded at a time.
  private func derived(_ item: Item, _ sources: [Cost]) throws -> Cost {
    var cost = Cost()
    if item.type == "iden" {
      guard sources.count == 1 else {
        throw damaged("item of the type iden: expected one source, found \(sources.count)")
      }
      return sources[0]
    }
    let data = try data(of: item)
    (cost.width, cost.height) = try size(item.type, data, count: sources.count)
    cost.canvas = cost.area
    var threads = [Double](repeating: 0, count: item.type == "grid" ? Most.threads : 1)
    for source in sources {
      cost.pixels += source.pixels + Most.painting * source.canvas
      cost.bytes += source.bytes
      cost.bits = max(cost.bits, source.bits)
      cost.sampleBytes = max(cost.sampleBytes, source.sampleBytes)
      cost.hasAlpha = cost.hasAlpha || source.hasAlpha
      if let least = threads.indices.min(by: { threads[$0] < threads[$1] }) {
        threads[least] = max(threads[least], source.peak)
      }
    }
    if item.properties.contains(where: { $0.type == "pixi" && ($0.data.u8(5) ?? 8) > 8 }) { cost.sampleBytes = 2 }
    cost.held = cost.area * (cost.hasAlpha ? 4 : 3) * cost.sampleBytes
    cost.peak = cost.held + threads.reduce(0, +)
    return cost
  }

  /// The size of a grid's or an overlay's canvas (ISO/IEC 23008-12, 6.6.2).
  ///
  /// - Parameter count: how many pictures are on it.
  private func size(_ type: String, _ data: [UInt8], count: Int) throws -> (width: Int, height: Int) {
    try data.withUnsafeBytes { bytes in
      let view = ByteView(bytes: bytes)
      let isGrid = type == "grid"
      let (numberBytes, start) = ((view.u8(1) ?? 0) & 1 == 1 ? 4 : 2, isGrid ? 4 : 10)
      guard let width = view.number(start, bytes: numberBytes, bigEndian: true),
        let height = view.number(start + numberBytes, bytes: numberBytes, bigEndian: true), width > 0, height > 0
      else { throw damaged("the size of a \(type) cannot be read") }
      if isGrid {
        let tiles = ((view.u8(2) ?? 0) + 1) * ((view.u8(3) ?? 0) + 1)
        guard tiles == count else { throw damaged("a grid of \(tiles) tiles has \(count)") }
      }
      return (width, height)
    }
  }
}
