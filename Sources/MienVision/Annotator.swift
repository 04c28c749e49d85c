import COpenCV
import Foundation
public import MienCore

/// Draws labelled boxes on a picture, readable at any size.
public struct Annotator: Sendable {
  /// A colour, 0…255 a channel.
  public struct Color: Sendable, Hashable {
    /// Red.
    public var red: UInt8
    /// Green.
    public var green: UInt8
    /// Blue.
    public var blue: UInt8

    /// Makes a colour.
    public init(red: UInt8, green: UInt8, blue: UInt8) {
      self.red = red
      self.green = green
      self.blue = blue
    }

    /// A colour as 0xRRGGBB.
    public init(_ rgb: UInt32) {
      self.init(
        red: UInt8(truncatingIfNeeded: rgb >> 16), green: UInt8(truncatingIfNeeded: rgb >> 8),
        blue: UInt8(truncatingIfNeeded: rgb))
    }

    fileprivate var code: UInt32 { UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue) }

    /// Black or white, whichever reads better on this colour (relative luminance, WCAG 2.1's weights).
    fileprivate var ink: Color {
      let luminance = 0.2126 * Double(red) + 0.7152 * Double(green) + 0.0722 * Double(blue)
      return luminance > 140 ? Color(0x000000) : Color(0xFFFFFF)
    }
  }

  /// A box with its text.
  public struct Mark: Sendable, Hashable {
    /// The box, in pixels of the picture; may reach over its edge.
    public var box: Box
    /// The label; what Unicode has beyond ASCII loses its accents or becomes `?`. Empty: no label.
    public var text: String
    /// What is drawn instead if the whole label would cover another mark's box or label; `nil` for nothing shorter.
    public var shortText: String?
    /// The colour of outline and label.
    public var color: Color
    /// Probabilities drawn as bars beside the box, one an emotion in alphabetical order; nil for none.
    public var bars: EmotionDistribution?

    /// Makes a mark.
    public init(
      box: Box, text: String, shortText: String? = nil, color: Color = Color(0x56B4E9),
      bars: EmotionDistribution? = nil
    ) {
      self.box = box
      self.text = text
      self.shortText = shortText
      self.color = color
      self.bars = bars
    }

    /// Marks an emotion in its colour: `3 happiness 98 %`, or `3 surprise? 35 %` if the reading should not be relied on.
    ///
    /// - Parameter number: the face's number, which alone is the short form; without it the percentage is.
    public init(
      box: Box, emotion: Emotion, probability: Double, isConfident: Bool = true, number: Int? = nil
    ) {
      let percent = NumberText.probability(probability.isFinite ? max(0, min(1, probability)) : 0)
      let doubt = isConfident ? "" : "?"
      let start = number.map { "\($0) " } ?? ""
      self.init(
        box: box, text: "\(start)\(emotion.rawValue)\(doubt) \(percent)",
        shortText: (number.map(String.init) ?? percent) + doubt, color: Annotator.color(of: emotion))
    }
  }

  /// Pictures whose longer side is under this are enlarged by a whole factor, so that text fits.
  public var minLongSide: Int

  /// Makes an annotator.
  public init(minLongSide: Int = 320) { self.minLongSide = minLongSide }

  /// An emotion's colour on a photo: ``EmotionPalette``'s shade for dark backgrounds.
  public static func color(of emotion: Emotion) -> Color {
    let color = EmotionPalette.color(of: emotion, on: .dark)
    return Color(red: color.red, green: color.green, blue: color.blue)
  }

  /// A copy of the picture, in RGB, with the marks drawn.
  ///
  /// A label is drawn above its box, or below, right or left of it or in its corner if there is no room, never over the
  /// picture's edge. If it would cover another mark's box or a label in all these places, the mark's short text is drawn.
  ///
  /// - Returns: the picture at its own size, or enlarged by a whole factor where it is smaller than ``minLongSide``.
  public func annotated(_ image: Image, marks: [Mark]) throws -> Image {
    let longSide = max(image.width, image.height)
    let factor = max(1, (min(minLongSide, 4096) + longSide - 1) / longSide)
    let base = try image.resized(width: image.width * factor, height: image.height * factor).rgb
    var canvas = Canvas(image: base)
    // Labels lie over every outline.
    for mark in marks { try canvas.outline(mark.box.enlarged(factor), mark.color) }
    for mark in marks { if let bars = mark.bars { try canvas.bars(bars, beside: mark.box.enlarged(factor)) } }
    let labels = try marks.map { mark in
      try (mark.text.isEmpty ? [] : [mark.text, mark.shortText]).compactMap {
        try $0.map { try canvas.label(Self.ascii($0)) }
      }
    }
    let layout = LabelLayout(
      width: base.width, height: base.height, boxes: marks.map { $0.box.enlarged(factor) })
    for (index, placement) in layout.placements(labels.map { $0.map(\.size) }).enumerated() {
      guard let placement else { continue }
      try canvas.draw(labels[index][placement.form], at: placement.panel, marks[index].color)
    }
    return canvas.image
  }

  /// Text in the only letters that OpenCV's stroke font has.
  static func ascii(_ text: String) -> String {
    String(
      text.decomposedStringWithCompatibilityMapping.unicodeScalars.compactMap { scalar -> Character? in
        if scalar.properties.canonicalCombiningClass != .notReordered { return nil }
        return (32..<127).contains(scalar.value) ? Character(scalar) : "?"
      }.prefix(200))
  }
}

extension Box {
  fileprivate func enlarged(_ factor: Int) -> Box {
    func scaled(_ value: Int) -> Int { max(-1 << 28, min(1 << 28, value.multipliedReportingOverflow(by: factor).0)) }
    return Box(x: scaled(x), y: scaled(y), width: max(0, scaled(width)), height: max(0, scaled(height)))
  }
}

/// A picture being drawn on.
private struct Canvas {
  private let width: Int
  private let height: Int
  private var pixels: [UInt8]
  private let lineWidth: Int

  init(image: Image) {
    width = image.width
    height = image.height
    pixels = image.pixels
    lineWidth = max(1, (min(image.width, image.height) + 100) / 200)
  }

  var image: Image { Image(uncheckedWidth: width, height: height, channels: 3, pixels: pixels) }

  mutating func outline(_ box: Box, _ color: Annotator.Color) throws {
    // A dark line around the coloured one keeps it visible on a like background.
    let halo = Box(
      x: box.x - 1, y: box.y - 1, width: box.width + 2, height: box.height + 2)
    try rectangle(halo, thickness: lineWidth + 2, Annotator.Color(0x202020))
    try rectangle(box, thickness: lineWidth, color)
  }

  /// Bars on a dark panel right of a box, or left of it where there is no room.
  mutating func bars(_ distribution: EmotionDistribution, beside box: Box) throws {
    let emotions = distribution.labels.emotions.sorted()
    let height = max(4, min(box.height, self.height) / (emotions.count * 3 / 2))
    let length = max(24, min(box.width, width) / 2)
    let right = box.x + box.width + lineWidth + 2
    let x = right + length <= width ? right : box.x - lineWidth - 2 - length
    for (index, emotion) in emotions.enumerated() {
      let y = box.y + index * height * 3 / 2
      let share = Double(distribution[emotion] ?? 0)
      try rectangle(Box(x: x, y: y, width: length, height: height), thickness: 0, Annotator.Color(0x303030))
      let bar = Box(x: x, y: y, width: Int((Double(length) * share).rounded()), height: height)
      if bar.width > 0 { try rectangle(bar, thickness: 0, Annotator.color(of: emotion)) }
    }
  }

  /// A text with its size on this picture.
  struct Label {
    let text: String
    /// The height of capitals, in pixels.
    let capHeight: Double
    let margin: Int
    /// With its margins.
    let size: LabelLayout.Size
  }

  func label(_ text: String) throws -> Label {
    // Capitals of 2 % of the shorter side, at least 9 pixels, unless the picture is too narrow for the text.
    var capHeight = max(9, Double(min(width, height)) * 0.02)
    var size = try measure(text, capHeight)
    let margin = { (capHeight: Double) in Int((capHeight * 0.45).rounded(.up)) }
    let room = Double(max(1, width - 2 * margin(capHeight)))
    if Double(size.width) > room {
      capHeight = max(1, capHeight * room / Double(size.width))
      size = try measure(text, capHeight)
    }
    let margins = 2 * margin(capHeight)
    return Label(
      text: text, capHeight: capHeight, margin: margin(capHeight),
      size: .init(
        width: size.width + margins, height: Int(capHeight.rounded(.up)) + size.descent / 2 + margins))
  }

  mutating func draw(_ label: Label, at panel: Box, _ color: Annotator.Color) throws {
    try rectangle(panel, thickness: 0, color)
    let ink = color.ink
    let baseline = panel.y + label.margin + Int(label.capHeight.rounded(.up))
    try draw("drawing a label") { canvas, error in
      mien_opencv_draw_text(
        &canvas, label.text, Int32(clamping: panel.x + label.margin), Int32(clamping: baseline), label.capHeight,
        ink.code, error)
    }
  }

  private func measure(_ text: String, _ capHeight: Double) throws -> (width: Int, descent: Int) {
    var width: Int32 = 0
    var descent: Int32 = 0
    try OpenCV.check("measuring a label") { mien_opencv_measure_text(text, capHeight, &width, &descent, $0) }
    return (Int(width), Int(descent))
  }

  private mutating func rectangle(_ box: Box, thickness: Int, _ color: Annotator.Color) throws {
    try draw("drawing a box") { canvas, error in
      mien_opencv_draw_rectangle(
        &canvas, Int32(clamping: box.x), Int32(clamping: box.y), Int32(clamping: box.width),
        Int32(clamping: box.height), Int32(clamping: thickness), color.code, error)
    }
  }

  private mutating func draw(
    _ what: String,
    _ body: (inout mien_opencv_canvas, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) throws {
    let (width, height) = (Int32(width), Int32(height))
    try pixels.withUnsafeMutableBufferPointer { buffer in
      var canvas = mien_opencv_canvas(
        pixels: buffer.baseAddress, count: buffer.count, width: width, height: height, channels: 3)
      try OpenCV.check(what) { body(&canvas, $0) }
    }
  }
}
