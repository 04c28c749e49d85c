import MienCore

/// The boxes of a HEIC or AVIF file (ISO/IEC 14496-12 and 23008-12) that say what its picture is put together from: coded
/// tiles in a grid, pictures that lie on each other, alpha channels.
///
/// libheif decodes a tile as often as it is referred to, in any depth. What that takes is counted here first
/// (``check(_:)``).
struct HEIFFile {
  /// A picture of the file, a part of one, or data about one.
  struct Item {
    /// Four letters: `hvc1` and `av01` are coded pictures; `grid`, `iovl` and `iden` are made of others.
    var type: String
    /// Its data's place in ``HEIFFile/itemData`` if ``isInBox``, else in the file.
    var extents: [(offset: Int, count: Int)] = []
    /// Whether its data are in the box `idat`.
    var isInBox = false
    /// Whether its data are text that libheif unpacks, whatever it is needed for.
    var isCompressed = false
    /// What is said of it: size, configuration of the decoder, turns.
    var properties: [Box] = []
    /// The pictures that it is made of, in order.
    var sources: [Int] = []
    /// The pictures that belong to it: alpha, depth, gain maps.
    var auxiliaries: [Int] = []
  }

  /// A box's type and content.
  struct Box {
    let type: String
    let data: ByteView
  }

  /// Most items of a file; libheif's time grows with their square. A photo of 100 million pixels in tiles of 256x256, with
  /// alpha, has 3,100.
  static let mostItems = 4096
  /// Most boxes in a box. An item has a few references and properties.
  private static let mostBoxes = 4 * mostItems
  /// Most boxes of a file, in any depth: libheif keeps about 130 bytes for each.
  private static let mostBoxesInAll = 4 * mostBoxes
  /// Most references between items; libheif goes through all pictures for some of them.
  private static let mostReferences = 2 * mostItems
  /// Most bytes of what says which kind of auxiliary picture an item is; it is looked at for each reference. Names have up to 60.
  private static let mostAuxiliaryBytes = 4096
  /// Most bytes of compressed texts, of which a byte may become a thousand.
  private static let mostCompressedBytes = 65_536

  let format: PictureFormat
  let file: ByteView
  private(set) var items: [Int: Item] = [:]
  /// The number of the picture that is shown.
  private(set) var primary = 0
  /// The content of the box `idat`.
  private(set) var itemData: ByteView?

  /// Reads the boxes.
  ///
  /// - Throws: ``MienError``: they are damaged or ambiguous, the file ends before them, or there are too many.
  init(_ file: ByteView, _ format: PictureFormat) throws {
    (self.file, self.format) = (file, format)
    let meta = try meta()
    let boxes = try Self.unique(
      children(meta.part(4, count: meta.count - 4)), ["pitm", "iinf", "iloc", "iprp", "iref", "idat"], format)
    guard let names = boxes["iinf"], let places = boxes["iloc"], let properties = boxes["iprp"],
      let shown = boxes["pitm"]
    else { throw damaged("a box of its picture is missing") }
    var reader = reader(shown)
    primary = try reader.number(reader.version == 0 ? 2 : 4)
    itemData = boxes["idat"]
    try readItems(names)
    try readPlaces(places)
    try readProperties(properties)
    if let references = boxes["iref"] { try readReferences(references) }
    try checkItemData()
  }

  /// The error for boxes that make no sense.
  func damaged(_ words: String) -> MienError { DecodedPicture.damaged(format, words) }

  // MARK: - Boxes

  /// The content of the one box `meta`.
  private func meta() throws -> ByteView {
    var boxes = 0
    try count(file, &boxes)
    var found: ByteView?
    var offset = 0
    // What follows the last whole box is nothing that is read.
    while let length = file.bigEndian32(offset) {
      let isMeta = file.has("meta", at: offset + 4)
      guard let box = box(in: file, at: offset, isLast: length == 0) else {
        if isMeta { throw DecodedPicture.truncated(format, count: file.count) }
        break
      }
      if isMeta {
        guard found == nil else { throw damaged("it has two boxes meta") }
        found = box.data
      }
      offset = box.end
    }
    guard let found else { throw damaged("it has no box meta") }
    return found
  }

  /// Counts the boxes in `view`, and those inside of them that libheif looks for there.
  private func count(_ view: ByteView, depth: Int = 0, _ boxes: inout Int) throws {
    // libheif follows 20.
    guard depth < 20 else { return }
    var offset = 0
    while let short = view.bigEndian32(offset), let type = view.text(offset + 4) {
      boxes += 1
      guard boxes <= Self.mostBoxesInAll else {
        throw DecodedPicture.tooCostly(format, "it has more than \(Self.mostBoxesInAll.grouped) boxes")
      }
      let rest = view.count - offset
      let length = short == 1 ? view.number(offset + 9, bytes: 7, bigEndian: true) ?? rest : short == 0 ? rest : short
      let head: Int?
      switch type {
      case "dinf", "grpl", "ipco", "iprp": head = 0
      case "iref", "meta": head = 4
      case "iinf": head = (view.u8(offset + (short == 1 ? 16 : 8)) ?? 0) == 0 ? 6 : 8
      case "dref": head = 8
      default: head = nil
      }
      if let head {
        let start = offset + (short == 1 ? 16 : 8) + head
        if let inside = view.part(start, count: min(length, rest) - (start - offset)) {
          try count(inside, depth: depth + 1, &boxes)
        }
      }
      guard length >= 8, length < rest else { return }
      offset += length
    }
  }

  /// The box at `offset`; `nil` if it does not lie inside `view`.
  ///
  /// - Parameter isLast: whether it goes on to the end.
  private func box(in view: ByteView, at offset: Int, isLast: Bool = false) -> (type: String, data: ByteView, end: Int)?
  {
    guard let short = view.bigEndian32(offset), let name = view.part(offset + 4, count: 4) else { return nil }
    let type = String(decoding: name.bytes, as: UTF8.self)
    var (length, head) = (isLast ? view.count - offset : short, 8)
    if short == 1 {
      guard let long = view.number(offset + 9, bytes: 7, bigEndian: true), view.u8(offset + 8) == 0 else { return nil }
      (length, head) = (long, 16)
    }
    if type == "uuid" { head += 16 }
    guard length >= head, let data = view.part(offset + head, count: length - head) else { return nil }
    return (type, data, offset + length)
  }

  /// The boxes in a box's content.
  private func children(_ view: ByteView?) throws -> [Box] {
    guard let view else { throw damaged("a box is too short") }
    var boxes: [Box] = []
    var offset = 0
    while offset < view.count {
      guard let box = box(in: view, at: offset) else { throw damaged("a box does not fit into the one around it") }
      guard boxes.count < Self.mostBoxes else {
        throw DecodedPicture.tooCostly(format, "it has more than \(Self.mostBoxes.grouped) boxes in one")
      }
      boxes.append(Box(type: box.type, data: box.data))
      offset = box.end
    }
    return boxes
  }

  /// The content of boxes by their types. Of two of one type, decoders take either.
  private static func unique(_ boxes: [Box], _ types: Set<String>, _ format: PictureFormat) throws -> [String: ByteView]
  {
    try boxes.reduce(into: [:]) { found, box in
      guard types.contains(box.type) else { return }
      guard found.updateValue(box.data, forKey: box.type) == nil else {
        throw DecodedPicture.damaged(format, "it has two boxes \(box.type)")
      }
    }
  }

  /// Numbers of a box's content, one after another.
  private struct Reader {
    let view: ByteView
    let error: MienError
    var offset = 4
    var version: Int { view.u8(0) ?? 0 }
    var flags: Int { view.u8(3) ?? 0 }
    var isAtEnd: Bool { offset >= view.count }

    /// - Parameter count: 0 to 4, or 8 bytes.
    mutating func number(_ count: Int) throws -> Int {
      if count == 8 {
        // No file is as long as the upper half could say.
        guard try number(4) == 0 else { throw error }
        return try number(4)
      }
      guard count <= 4, let value = view.number(offset, bytes: count, bigEndian: true) else { throw error }
      offset += count
      return value
    }
  }

  private func reader(_ view: ByteView) -> Reader { Reader(view: view, error: damaged("a box is too short")) }

  // MARK: - Items

  private mutating func readItems(_ view: ByteView) throws {
    let head = (view.u8(0) ?? 0) == 0 ? 6 : 8
    for box in try children(view.part(head, count: view.count - head)) where box.type == "infe" {
      var reader = reader(box.data)
      // Earlier versions have no type: they are no pictures.
      guard reader.version >= 2 else { continue }
      let number = try reader.number(reader.version == 2 ? 2 : 4)
      guard let type = box.data.part(reader.offset + 2, count: 4) else { throw reader.error }
      var item = Item(type: String(decoding: type.bytes, as: UTF8.self))
      if item.type == "mime", let texts = box.data.part(reader.offset + 6, count: box.data.count - reader.offset - 6) {
        // Name, kind of content, and how it is packed.
        let encoding = texts.bytes.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false).dropFirst(2)
          .first
        item.isCompressed = encoding?.isEmpty == false
      }
      guard items.updateValue(item, forKey: number) == nil else {
        throw damaged("it has two items of the number \(number)")
      }
    }
    guard items.count <= Self.mostItems else {
      throw DecodedPicture.tooCostly(
        format, "it has \(items.count.grouped) parts, more than \(Self.mostItems.grouped)")
    }
  }

  private mutating func readPlaces(_ view: ByteView) throws {
    var reader = reader(view)
    let version = reader.version
    let sizes = try reader.number(2)
    let (offsetBytes, lengthBytes, baseBytes) = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15)
    let indexBytes = version == 0 ? 0 : sizes & 15
    guard [offsetBytes, lengthBytes, baseBytes, indexBytes].allSatisfy([0, 4, 8].contains),
      version == 2 || indexBytes == 0
    else { throw damaged("its box iloc is of no known form") }
    var seen: Set<Int> = []
    var places = 0
    for _ in 0..<(try reader.number(version < 2 ? 2 : 4)) {
      let number = try reader.number(version < 2 ? 2 : 4)
      let method = version == 0 ? 0 : try reader.number(2) & 15
      _ = try reader.number(2)
      let base = try reader.number(baseBytes)
      var extents: [(offset: Int, count: Int)] = []
      let count = try reader.number(2)
      // A place may take no bytes in the box.
      places += max(1, count)
      guard places <= Self.mostBoxes else { throw DecodedPicture.tooCostly(format, "its data are in too many places") }
      for _ in 0..<count {
        _ = try reader.number(indexBytes)
        let offset = try reader.number(offsetBytes)
        extents.append((base + offset, try reader.number(lengthBytes)))
      }
      guard seen.insert(number).inserted else { throw damaged("it has two places for item \(number)") }
      guard method < 2 else { continue }
      items[number]?.extents = extents
      items[number]?.isInBox = method == 1
    }
  }

  private mutating func readProperties(_ view: ByteView) throws {
    let boxes = try children(view)
    guard let list = try Self.unique(boxes, ["ipco"], format)["ipco"] else { throw damaged("it has no box ipco") }
    let properties = try children(list)
    for property in properties where property.type == "auxC" {
      guard property.data.count <= Self.mostAuxiliaryBytes else {
        throw damaged("a box auxC has \(property.data.count.grouped) bytes, a name is expected")
      }
    }
    var entries = 0
    for box in boxes where box.type == "ipma" {
      var reader = reader(box.data)
      let (version, isLong) = (reader.version, reader.flags & 1 == 1)
      for _ in 0..<(try reader.number(4)) where !reader.isAtEnd {
        let number = try reader.number(version == 0 ? 2 : 4)
        entries += 1
        guard entries <= Self.mostBoxes else { throw DecodedPicture.tooCostly(format, "it has too many properties") }
        guard items[number]?.properties.isEmpty != false else {
          throw damaged("it has two lists of properties for item \(number)")
        }
        for _ in 0..<(try reader.number(1)) {
          let index = try reader.number(isLong ? 2 : 1) & (isLong ? 0x7FFF : 0x7F)
          if index > 0, index <= properties.count { items[number]?.properties.append(properties[index - 1]) }
        }
      }
    }
  }

  private mutating func readReferences(_ view: ByteView) throws {
    let bytes = (view.u8(0) ?? 0) == 0 ? 2 : 4
    var references = 0
    for box in try children(view.part(4, count: view.count - 4)) {
      var reader = reader(box.data)
      reader.offset = 0
      let from = try reader.number(bytes)
      let count = try reader.number(2)
      references += count
      guard references <= Self.mostReferences else {
        throw DecodedPicture.tooCostly(
          format, "its parts refer to each other more than \(Self.mostReferences.grouped) times")
      }
      // Decoders go by the count.
      guard box.data.count == reader.offset + count * bytes else { throw damaged("its references end elsewhere") }
      let targets = try (0..<count).map { _ in try reader.number(bytes) }
      switch box.type {
      case "dimg":
        guard items[from]?.sources.isEmpty != false else { throw damaged("item \(from) is made in two ways") }
        items[from]?.sources = targets
      case "auxl": for target in targets { items[target]?.auxiliaries.append(from) }
      default: break
      }
    }
  }

  /// Most bytes of items, together: libheif copies those of each. They lie in the file once each as a rule, and may share
  /// some.
  var mostItemBytes: Int { 2 * file.count + (16 << 20) }

  private func checkItemData() throws {
    var (bytes, compressed) = (0, 0)
    for item in items.values {
      if item.isCompressed { compressed += item.extents.reduce(0) { $0 + $1.count } }
      guard compressed <= Self.mostCompressedBytes else {
        throw DecodedPicture.tooCostly(format, "its compressed texts have \(compressed.grouped) bytes")
      }
      bytes += item.extents.reduce(0) { $0 + $1.count }
      bytes += item.properties.reduce(0) { $0 + (["hvcC", "av1C"].contains($1.type) ? $1.data.count : 0) }
      guard bytes <= mostItemBytes else {
        throw DecodedPicture.tooCostly(format, "its parts refer to the same data too often")
      }
    }
  }

  /// The data of an item.
  ///
  /// - Throws: ``MienError``: there are none, or the file ends before them.
  func data(of item: Item) throws -> [UInt8] {
    var data: [UInt8] = []
    for extent in item.extents {
      guard let part = (item.isInBox ? itemData : file)?.part(extent.offset, count: extent.count) else {
        throw DecodedPicture.truncated(format, count: file.count)
      }
      data += part.bytes
    }
    guard !data.isEmpty else { throw damaged("a part of its picture has no data") }
    return data
  }
}
