/// What the coded data of a HEIC or AVIF picture say of it before they are decoded.
///
/// Decoders go by these data, whatever the boxes around them say: a picture of 64x64 pixels by its boxes may be coded as one
/// of 30,000x30,000.
struct CodedPicture: Equatable {
  /// Size in pixels: of the largest frame if there are several.
  var width = 0
  var height = 0
  /// Bits per sample.
  var bits = 8
  /// Samples per pixel: 1 for grey, 1.5 with colours at half the width and height (4:2:0), 2 (4:2:2) or 3 (4:4:4).
  var samples = 1.5
  /// Whether the decoder adds film grain, to a copy of the picture.
  var hasGrain = false
  /// Frames that are decoded before the picture is there: 1 for most pictures.
  var frames = 0
  /// Units that the data are made of: headers, and frames or slices of them. libde265 keeps all of them until the end.
  var units = 0

  /// Takes over what is larger in a further header.
  fileprivate mutating func add(width: Int, height: Int, bits: Int, samples: Double, hasGrain: Bool) {
    self.width = max(self.width, width)
    self.height = max(self.height, height)
    self.bits = max(self.bits, bits)
    self.samples = max(self.samples, samples)
    self.hasGrain = self.hasGrain || hasGrain
  }
}

/// Bits of a coded header, the highest of each byte first; every read past the end is `nil`.
private struct BitReader {
  let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The unsigned number in the next `count` bits (at most 32).
  mutating func bits(_ count: Int) -> Int? {
    guard count <= 8 * bytes.count - position else { return nil }
    var value = 0
    for _ in 0..<count {
      value = value << 1 | Int(bytes[position / 8] >> (7 - UInt8(position % 8)) & 1)
      position += 1
    }
    return value
  }

  mutating func flag() -> Bool? { bits(1).map { $0 == 1 } }

  /// An unsigned number of variable length (Exp-Golomb; ue(v) of HEVC, uvlc() of AV1).
  mutating func variable() -> Int? {
    var zeros = 0
    while let isOne = flag() {
      if isOne { return bits(zeros).map { $0 + (1 << zeros) - 1 } }
      zeros += 1
      if zeros > 31 { return nil }
    }
    return nil
  }
}

// MARK: - AV1

/// The part of an AV1 sequence header that its frames' sizes and formats depend on (AV1 Bitstream & Decoding Process
/// Specification, 5.5).
private struct AV1Sequence {
  private(set) var width = 0
  private(set) var height = 0
  /// What a frame with a size of its own may have.
  private(set) var mostWidth = 0
  private(set) var mostHeight = 0
  private(set) var bits = 8
  private(set) var samples = 1.5
  private(set) var hasGrain = false
  private var isReduced = false
  /// Bits of the frame's time, 0 if frame headers have none.
  private var timeBits = 0
  /// Bits of the frame's number, 0 if frame headers have none.
  private var numberBits = 0
  /// 2 if each frame header chooses.
  private var screenContent = 2
  private var integerMotion = 2

  /// `nil` if the header is damaged.
  init?(_ data: ByteView) {
    var reader = BitReader(Array(data.bytes.prefix(1024)))
    guard read(&reader) != nil else { return nil }
  }

  private mutating func read(_ reader: inout BitReader) -> Void? {
    guard let profile = reader.bits(3), reader.flag() != nil, let isReduced = reader.flag() else { return nil }
    self.isReduced = isReduced
    guard isReduced ? reader.bits(5) != nil : operatingPoints(&reader) != nil else { return nil }
    guard let widthBits = reader.bits(4).map({ $0 + 1 }), let heightBits = reader.bits(4).map({ $0 + 1 }),
      let width = reader.bits(widthBits), let height = reader.bits(heightBits)
    else { return nil }
    (self.width, self.height) = (width + 1, height + 1)
    (mostWidth, mostHeight) = (1 << widthBits, 1 << heightBits)
    if !isReduced, reader.flag() == true {
      guard let difference = reader.bits(4), let more = reader.bits(3) else { return nil }
      numberBits = difference + more + 3
    }
    // Blocks of 128 pixels, filters of intra prediction.
    guard reader.bits(3) != nil, isReduced || tools(&reader) != nil else { return nil }
    // Super-resolution, CDEF, loop restoration.
    guard reader.bits(3) != nil, colors(&reader, profile) != nil, let grain = reader.flag() else { return nil }
    hasGrain = grain
    return ()
  }

  private mutating func operatingPoints(_ reader: inout BitReader) -> Void? {
    var (hasModel, delayBits) = (false, 0)
    guard let hasTiming = reader.flag() else { return nil }
    if hasTiming {
      guard reader.bits(32) != nil, reader.bits(32) != nil, let isEven = reader.flag() else { return nil }
      if isEven, reader.variable() == nil { return nil }
      guard let isThere = reader.flag() else { return nil }
      hasModel = isThere
      if hasModel {
        guard let delay = reader.bits(5), reader.bits(32) != nil, reader.bits(5) != nil, let time = reader.bits(5)
        else {
          return nil
        }
        delayBits = delay + 1
        timeBits = isEven ? 0 : time + 1
      }
    }
    guard let hasDelays = reader.flag(), let last = reader.bits(5) else { return nil }
    for _ in 0...last {
      guard reader.bits(12) != nil, let level = reader.bits(5) else { return nil }
      if level > 7, reader.flag() == nil { return nil }
      if hasModel {
        guard let isThere = reader.flag() else { return nil }
        if isThere, reader.bits(delayBits) == nil || reader.bits(delayBits) == nil || reader.flag() == nil {
          return nil
        }
      }
      if hasDelays {
        guard let isThere = reader.flag() else { return nil }
        if isThere, reader.bits(4) == nil { return nil }
      }
    }
    return ()
  }

  private mutating func tools(_ reader: inout BitReader) -> Void? {
    // Compound prediction, warped motion, dual filter.
    guard reader.bits(4) != nil, let hasOrder = reader.flag() else { return nil }
    if hasOrder, reader.bits(2) == nil { return nil }
    guard let choosesScreen = reader.flag() else { return nil }
    if !choosesScreen {
      guard let value = reader.bits(1) else { return nil }
      screenContent = value
    }
    if screenContent > 0 {
      guard let choosesMotion = reader.flag() else { return nil }
      if !choosesMotion {
        guard let value = reader.bits(1) else { return nil }
        integerMotion = value
      }
    }
    if hasOrder, reader.bits(3) == nil { return nil }
    return ()
  }

  private mutating func colors(_ reader: inout BitReader, _ profile: Int) -> Void? {
    guard let isHigh = reader.flag() else { return nil }
    bits = isHigh ? 10 : 8
    if profile == 2, isHigh {
      guard let isTwelve = reader.flag() else { return nil }
      bits = isTwelve ? 12 : 10
    }
    var isGrey = false
    if profile != 1 {
      guard let value = reader.flag() else { return nil }
      isGrey = value
    }
    guard let hasDescription = reader.flag() else { return nil }
    var description = (2, 2, 2)
    if hasDescription {
      guard let primaries = reader.bits(8), let transfer = reader.bits(8), let matrix = reader.bits(8) else {
        return nil
      }
      description = (primaries, transfer, matrix)
    }
    if isGrey {
      samples = 1
      return reader.flag().map { _ in () }
    }
    // sRGB is never subsampled.
    if description == (1, 13, 0) {
      samples = 3
    } else {
      guard reader.flag() != nil else { return nil }
      var (isNarrow, isLow) = (profile != 1, profile == 0)
      if profile == 2, bits == 12 {
        guard let value = reader.flag() else { return nil }
        isNarrow = value
        if isNarrow {
          guard let value = reader.flag() else { return nil }
          isLow = value
        }
      }
      samples = isLow ? 1.5 : isNarrow ? 2 : 3
      if isNarrow, isLow, reader.bits(2) == nil { return nil }
    }
    return reader.flag().map { _ in () }
  }

  /// Whether a frame has a size of its own (5.9.2); `nil` if its header is damaged.
  func hasOwnSize(frame data: ByteView) -> Bool? {
    if isReduced { return false }
    var reader = BitReader(Array(data.bytes.prefix(32)))
    guard let showsExisting = reader.flag() else { return nil }
    if showsExisting { return false }
    guard let kind = reader.bits(2), let isShown = reader.flag() else { return nil }
    if isShown ? reader.bits(timeBits) == nil : reader.flag() == nil { return nil }
    let isSwitch = kind == 3
    if !isSwitch, !(kind == 0 && isShown), reader.flag() == nil { return nil }
    guard reader.flag() != nil, let screen = screenContent == 2 ? reader.bits(1) : screenContent else { return nil }
    if screen > 0, integerMotion == 2, reader.flag() == nil { return nil }
    guard reader.bits(numberBits) != nil else { return nil }
    return isSwitch ? true : reader.flag()
  }
}

extension CodedPicture {
  /// The picture that AV1 data hold.
  ///
  /// - Parameters:
  ///   - configuration: the content of the box `av1C`, whose units come before those of the data.
  ///   - data: the item's data.
  /// - Returns: `nil` if they are damaged, or no header is among them.
  static func av1(configuration: ByteView, data: ByteView) -> CodedPicture? {
    var picture = CodedPicture(samples: 1)
    var sequence: AV1Sequence?
    let units = configuration.part(4, count: configuration.count - 4)
    for part in [units, data] {
      guard let part, picture.addUnits(part, &sequence) != nil else { return nil }
    }
    return picture.width > 0 ? picture : nil
  }

  /// Goes through open bitstream units (5.3).
  private mutating func addUnits(_ data: ByteView, _ sequence: inout AV1Sequence?) -> Void? {
    var offset = 0
    while let header = data.u8(offset) {
      offset += header & 4 == 0 ? 1 : 2
      var count = data.count - offset
      if header & 2 != 0 {
        count = 0
        // A number of seven bits per byte, the lowest first.
        for index in 0..<8 {
          guard let byte = data.u8(offset) else { return nil }
          offset += 1
          count |= (byte & 0x7F) << (7 * index)
          if byte & 0x80 == 0 { break }
        }
      }
      guard let unit = data.part(offset, count: count) else { return nil }
      offset += count
      units += 1
      switch header >> 3 & 15 {
      case 1:
        guard let next = AV1Sequence(unit) else { return nil }
        add(
          width: next.width, height: next.height, bits: next.bits, samples: next.samples, hasGrain: next.hasGrain)
        sequence = next
      case 3, 6:
        frames += 1
        guard let sequence else { continue }
        guard let hasOwnSize = sequence.hasOwnSize(frame: unit) else { return nil }
        if hasOwnSize {
          (width, height) = (max(width, sequence.mostWidth), max(height, sequence.mostHeight))
        }
      default: break
      }
    }
    return ()
  }
}

// MARK: - HEVC

/// The units of an HEVC picture (ITU-T H.265, 7.3.1), one after another.
private struct HEVCUnits {
  private(set) var picture = CodedPicture(samples: 1)
  /// Coding tree blocks of a picture, by the number of its sequence parameter set.
  private var blocks: [Int: Int] = [:]
  /// The sequence parameter set and whether slices may go on with others, by the number of the picture parameter set.
  private var sets: [Int: (sequence: Int, hasDependent: Bool)] = [:]
  /// The block that the last slice began with; `nil` before the first.
  private var address: Int?

  /// Looks at a unit: a parameter set, or a slice, of which the first one of a frame counts. `nil` if it is damaged.
  mutating func add(_ unit: ByteView) -> Void? {
    picture.units += 1
    guard let first = unit.u8(0), let second = unit.u8(1) else { return () }
    let (kind, layer) = (first >> 1 & 63, (first & 1) << 5 | second >> 3)
    var reader = BitReader(Self.plain(unit))
    if kind < 32, let isFirst = reader.flag() {
      if isFirst { picture.frames += 1 }
      // Further layers are not decoded.
      if layer > 0 { return () }
      if !isFirst { return addSlice(&reader, kind) }
      address = 0
    }
    if layer > 0 { return () }
    return kind == 33 ? addSequence(&reader) : kind == 34 ? addSet(&reader) : ()
  }

  /// The start of a unit's content. After two zeros, a 3 was put in so that no start code comes about.
  private static func plain(_ unit: ByteView) -> [UInt8] {
    var (bytes, zeros) = ([UInt8](), 0)
    for byte in unit.bytes.prefix(1024).dropFirst(2) {
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      zeros = byte == 0 ? zeros + 1 : 0
      bytes.append(byte)
    }
    return bytes
  }

  /// A further slice of a frame (7.3.6.1): libde265 decodes one that begins where another has been as well.
  private mutating func addSlice(_ reader: inout BitReader, _ kind: Int) -> Void? {
    if (16...23).contains(kind), reader.flag() == nil { return nil }
    guard let address, let number = reader.variable(), let set = sets[number], let blocks = blocks[set.sequence],
      !set.hasDependent || reader.flag() != nil,
      let next = reader.bits(Int.bitWidth - (blocks - 1).leadingZeroBitCount),
      next > address
    else { return nil }
    self.address = next
    return ()
  }

  /// Reads a picture parameter set (7.3.2.3) as far as slices need it.
  private mutating func addSet(_ reader: inout BitReader) -> Void? {
    guard let number = reader.variable(), let sequence = reader.variable(), let hasDependent = reader.flag() else {
      return nil
    }
    sets[number] = (sequence, hasDependent)
    return ()
  }

  /// Reads a sequence parameter set (7.3.2.2) as far as the size of blocks.
  private mutating func addSequence(_ reader: inout BitReader) -> Void? {
    guard reader.bits(4) != nil, let layers = reader.bits(3), reader.flag() != nil else { return nil }
    // The profile, in 88 bits, and the level; then which further layers have theirs.
    func skip(_ count: Int) -> Bool { (0..<count / 8).allSatisfy { _ in reader.bits(8) != nil } }
    guard skip(96) else { return nil }
    var present: [(profile: Bool, level: Bool)] = []
    for _ in 0..<layers {
      guard let profile = reader.flag(), let level = reader.flag() else { return nil }
      present.append((profile, level))
    }
    if layers > 0, reader.bits(2 * (8 - layers)) == nil { return nil }
    for layer in present where !skip((layer.profile ? 88 : 0) + (layer.level ? 8 : 0)) { return nil }
    guard let number = reader.variable(), let chroma = reader.variable(), chroma < 4 else { return nil }
    if chroma == 3, reader.flag() == nil { return nil }
    guard let width = reader.variable(), let height = reader.variable(), let isCropped = reader.flag() else {
      return nil
    }
    if isCropped { for _ in 0..<4 where reader.variable() == nil { return nil } }
    guard let luma = reader.variable(), let color = reader.variable() else { return nil }
    // Order of output, of each layer or the last.
    guard reader.variable() != nil, let hasAll = reader.flag() else { return nil }
    for _ in 0..<3 * (hasAll ? layers + 1 : 1) where reader.variable() == nil { return nil }
    guard let least = reader.variable(), let more = reader.variable(), least + more < 4 else { return nil }
    let side = 8 << (least + more)
    blocks[number] = max(1, (width + side - 1) / side * ((height + side - 1) / side))
    picture.add(
      width: width, height: height, bits: 8 + max(luma, color), samples: [1, 1.5, 2, 3][chroma], hasGrain: false)
    return ()
  }
}

extension CodedPicture {
  /// The picture that HEVC data hold.
  ///
  /// - Parameters:
  ///   - configuration: the content of the box `hvcC`, whose units come before those of the data.
  ///   - data: the item's data: units of a length of four bytes.
  /// - Returns: `nil` if they are damaged, or no header is among them.
  static func hevc(configuration: ByteView, data: ByteView) -> CodedPicture? {
    var units = HEVCUnits()
    guard let arrays = configuration.u8(22) else { return nil }
    var offset = 23
    for _ in 0..<arrays {
      guard let count = configuration.bigEndian16(offset + 1) else { return nil }
      offset += 3
      for _ in 0..<count {
        guard let length = configuration.bigEndian16(offset),
          let unit = configuration.part(offset + 2, count: length), units.add(unit) != nil
        else { return nil }
        offset += 2 + length
      }
    }
    offset = 0
    while offset < data.count {
      guard let length = data.bigEndian32(offset), let unit = data.part(offset + 4, count: length),
        units.add(unit) != nil
      else { return nil }
      offset += 4 + length
    }
    return units.picture.width > 0 ? units.picture : nil
  }
}
