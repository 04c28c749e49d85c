package import Foundation

/// HEIC and AVIF files made box by box around coded tiles (ISO/IEC 23008-12), for what no encoder would write.
package struct MadeHEIF {
  /// Coded data and the box that describes them.
  package struct Coded {
    package var type: String
    package var configuration: Data
    package var data: Data

    package init(type: String, configuration: Data, data: Data) {
      (self.type, self.configuration, self.data) = (type, configuration, data)
    }
  }

  /// An item of the file.
  package struct Item {
    package var number: Int
    package var type: String
    package var data: Data
    package var properties: [Data]
    /// Whose data it shares instead of having `data`.
    package var sharesDataOf: Int?

    package init(_ number: Int, _ type: String, _ data: Data, _ properties: [Data] = [], sharesDataOf: Int? = nil) {
      (self.number, self.type, self.data, self.properties) = (number, type, data, properties)
      self.sharesDataOf = sharesDataOf
    }

    /// A coded picture of `width` x `height` pixels, as its box says.
    package init(_ number: Int, _ coded: Coded, _ width: Int, _ height: Int, _ properties: [Data] = []) {
      self.init(number, coded.type, coded.data, [coded.configuration, size(width, height)] + properties)
    }
  }

  /// 1 is the picture that is shown.
  package var items: [Item]
  package var references: [(type: String, from: Int, to: [Int])]
  /// Boxes after the others in `meta`.
  package var more = Data()

  package init(_ items: [Item], _ references: [(type: String, from: Int, to: [Int])] = []) {
    (self.items, self.references) = (items, references)
  }

  /// The file's bytes.
  package var file: Data {
    let brand = items.contains { $0.type == "av01" } ? "avif" : "heic"
    let start = DrawnClip.box("ftyp", Data("\(brand)\0\0\0\0mif1\(brand)".utf8))
    // Offsets take four bytes, whatever they are.
    let length = start.count + meta(dataAt: 0).count + 8
    let data = items.filter { $0.sharesDataOf == nil }.reduce(into: Data()) { $0 += $1.data }
    return start + meta(dataAt: length) + DrawnClip.box("mdat", data)
  }

  private func meta(dataAt start: Int) -> Data {
    var (places, offset, ranges) = (Data(), start, [Int: (offset: Int, count: Int)]())
    for item in items where item.sharesDataOf == nil {
      ranges[item.number] = (offset, item.data.count)
      offset += item.data.count
    }
    for item in items {
      let range = ranges[item.sharesDataOf ?? item.number] ?? (0, 0)
      places += number(item.number, 2) + number(0, 2) + number(1, 2) + number(range.offset, 4) + number(range.count, 4)
    }
    var (list, links) = (Data(), Data())
    var index = 0
    for item in items {
      links += number(item.number, 2) + number(item.properties.count, 1)
      for property in item.properties {
        index += 1
        list += property
        links += number(index, 2)
      }
    }
    let names = items.reduce(into: Data()) { names, item in
      names += Self.fullBox(
        "infe", version: 2, number(item.number, 2) + number(0, 2) + Data(item.type.utf8) + Data(count: 1))
    }
    let targets = references.reduce(into: Data()) { boxes, reference in
      let numbers = reference.to.reduce(into: Data()) { $0 += number($1, 2) }
      boxes += DrawnClip.box(reference.type, number(reference.from, 2) + number(reference.to.count, 2) + numbers)
    }
    let properties = DrawnClip.box("ipco", list) + Self.fullBox("ipma", flags: 1, number(items.count, 4) + links)
    return Self.fullBox(
      "meta",
      Self.fullBox("hdlr", Data(count: 4) + Data("pict".utf8) + Data(count: 13)) + Self.fullBox("pitm", number(1, 2))
        + Self.fullBox("iloc", Data([0x44, 0]) + number(items.count, 2) + places)
        + Self.fullBox("iinf", number(items.count, 2) + names) + Self.fullBox("iref", targets)
        + DrawnClip.box("iprp", properties) + more)
  }

  // MARK: - Boxes

  /// A box with a version and flags.
  package static func fullBox(_ type: String, version: UInt8 = 0, flags: UInt8 = 0, _ body: Data) -> Data {
    DrawnClip.box(type, Data([version, 0, 0, flags]) + body)
  }

  /// The size of an item.
  package static func size(_ width: Int, _ height: Int) -> Data {
    fullBox("ispe", number(width, 4) + number(height, 4))
  }

  /// What marks an alpha channel.
  package static let alpha = fullBox("auxC", Data("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0".utf8))

  /// The data of a grid.
  package static func grid(rows: Int, columns: Int, _ width: Int, _ height: Int) -> Data {
    Data([0, 1, UInt8(rows - 1), UInt8(columns - 1)]) + number(width, 4) + number(height, 4)
  }

  /// The data of `count` pictures that lie on each other.
  package static func overlay(_ count: Int, _ width: Int, _ height: Int) -> Data {
    Data([0, 1]) + Data(count: 8) + number(width, 4) + number(height, 4) + Data(count: 8 * count)
  }

  /// A picture made of one coded tile, item 2, again and again.
  package static func repeated(
    _ tile: Item, _ type: String, _ data: Data, _ width: Int, _ height: Int, count: Int
  ) -> MadeHEIF {
    MadeHEIF(
      [Item(1, type, data, [size(width, height)]), tile], [("dimg", 1, [Int](repeating: tile.number, count: count))])
  }

  // MARK: - AV1

  /// 64x64 pixels of one colour, about (119, 93, 81), as libaom codes them.
  package static let tile = av1(
    sequence: [0x18, 0x15, 0x7F, 0xFD, 0x80, 0x08],
    frames: [[0x1C, 0x80, 0x29, 0xA6, 0x9A, 0x44, 0x00, 0xB4, 0xDB, 0x7C, 0x9D, 0x1C, 0x10, 0x86, 0x30, 0x6D]])

  /// Units of a sequence header and frames.
  package static func av1(sequence: [UInt8], frames: [[UInt8]]) -> Coded {
    func unit(_ type: UInt8, _ bytes: [UInt8]) -> Data { Data([type << 3 | 2, UInt8(bytes.count)] + bytes) }
    return Coded(
      type: "av01", configuration: DrawnClip.box("av1C", Data([0x81, 0, 0x0C, 0])),
      data: frames.reduce(into: unit(1, sequence)) { $0 += unit(6, $1) })
  }

  /// The header of an AV1 picture (5.5 of its specification).
  ///
  /// - Parameters:
  ///   - bits: 8, 10 or 12.
  ///   - isNarrow: whether colours have half the width and height (4:2:0); else they have all of it (4:4:4).
  ///   - sizeBits: bits of a width and of a height.
  ///   - isStill: whether frames have no headers of their own.
  package static func sequence(
    _ width: Int, _ height: Int, bits: Int = 8, isNarrow: Bool = true, hasGrain: Bool = false, sizeBits: Int = 16,
    isStill: Bool = true
  ) -> [UInt8] {
    let profile = bits == 12 ? 2 : isNarrow ? 0 : 1
    var fields = [(profile, 3), (1, 1), (isStill ? 1 : 0, 1)]
    // The level; or no timing, no delays, one operating point without a tier.
    fields += isStill ? [(8, 5)] : [(0, 1), (0, 1), (0, 5), (0, 12), (5, 5)]
    fields += [(sizeBits - 1, 4), (sizeBits - 1, 4), (width - 1, sizeBits), (height - 1, sizeBits)]
    // No frame numbers; tools; content and motion are each frame's choice.
    fields += isStill ? [(0, 3)] : [(0, 1), (0, 3), (0, 4), (0, 1), (1, 1), (1, 1)]
    fields += [(0, 3), (bits > 8 ? 1 : 0, 1)]
    if bits > 8, profile == 2 { fields += [(1, 1)] }
    if profile != 1 { fields += [(0, 1)] }
    fields += [(0, 1), (0, 1)]
    if profile == 2 { fields += isNarrow ? [(1, 1), (1, 1)] : [(0, 1)] }
    if isNarrow { fields += [(0, 2)] }
    fields += [(0, 1), (hasGrain ? 1 : 0, 1), (1, 1)]
    return packed(fields)
  }

  /// Numbers of some bits each, the highest bit first, filled up with zeros.
  package static func packed(_ fields: [(value: Int, bits: Int)]) -> [UInt8] {
    let bits = fields.flatMap { field in (0..<field.bits).reversed().map { field.value >> $0 & 1 } }
    return stride(from: 0, to: bits.count, by: 8).map { start in
      (0..<8).reduce(0) { $0 << 1 | (start + $1 < bits.count ? UInt8(bits[start + $1]) : 0) }
    }
  }

  // MARK: - HEVC

  /// The coded picture of a HEIC file that has one, and little else.
  ///
  /// - Returns: `nil` if it is of another form.
  package static func hevc(of file: Data) -> Coded? {
    func box(_ type: String) -> Data? {
      guard let name = file.range(of: Data(type.utf8)) else { return nil }
      let start = name.lowerBound - 4
      let length = file[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
      return start + length <= file.endIndex ? Data(file[start..<(start + length)]) : nil
    }
    guard let configuration = box("hvcC"), let data = box("mdat")?.dropFirst(8) else { return nil }
    return Coded(type: "hvc1", configuration: configuration, data: Data(data))
  }
}

private func number(_ value: Int, _ bytes: Int) -> Data {
  Data((0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
}

private func size(_ width: Int, _ height: Int) -> Data { MadeHEIF.size(width, height) }
