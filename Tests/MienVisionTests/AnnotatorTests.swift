import MienCore
import MienVision
import Testing

@Suite
struct AnnotatorTests {
  static func dark(_ width: Int, _ height: Int) throws -> Image {
    try Image(width: width, height: height, channels: 1, pixels: [UInt8](repeating: 20, count: width * height))
  }

  /// The smallest box around what differs from the background.
  static func drawn(_ image: Image, background: Int = 20) -> Box? {
    var (left, top, right, bottom) = (image.width, image.height, -1, -1)
    for row in 0..<image.height {
      for column in 0..<image.width where image.pixel(column, row).contains(where: { abs($0 - background) > 16 }) {
        (left, top) = (min(left, column), min(top, row))
        (right, bottom) = (max(right, column), max(bottom, row))
      }
    }
    return right < 0 ? nil : Box(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
  }

  @Test
  func nothingToDrawChangesNothingButTheChannels() throws {
    let image = try PictureFiles.pattern(width: 400, height: 50, channels: 3)
    #expect(try Annotator().annotated(image, marks: []) == image)
  }

  @Test
  func anOutlineRunsAlongTheBoxsInnerEdge() throws {
    let box = Box(x: 100, y: 60, width: 120, height: 90)
    let image = try Annotator().annotated(
      Self.dark(640, 360), marks: [.init(box: box, text: "", color: .init(0xFFFFFF))])
    #expect(Self.drawn(image) == box)
    #expect(image.pixel(100, 60) == [255, 255, 255] && image.pixel(219, 149) == [255, 255, 255])
    #expect(image.pixel(160, 100) == [20, 20, 20])
  }

  @Test
  func labelsAreInsideThePictureAndReadable() throws {
    for (width, height) in [(640, 360), (1920, 1080), (320, 200)] {
      for box in [
        Box(x: 0, y: 0, width: 40, height: 40), Box(x: width - 40, y: height - 40, width: 40, height: 40),
        Box(x: 0, y: 0, width: width, height: height), Box(x: -30, y: height / 2, width: 40, height: 40),
      ] {
        let plain = try Annotator().annotated(Self.dark(width, height), marks: [.init(box: box, text: "")])
        let marked = try Annotator().annotated(
          Self.dark(width, height), marks: [.init(box: box, text: "happiness 99 %", color: .init(0xF0F0F0))])
        let panel = marked.pixels.indices.filter { marked.pixels[$0] == 0xF0 && plain.pixels[$0] != 0xF0 }
        let rows = Set(panel.map { $0 / 3 / width })
        let columns = Set(panel.map { $0 / 3 % width })
        #expect(rows.count >= 14 && columns.count >= 80, "\(width)x\(height) \(box): \(columns.count)x\(rows.count)")
      }
    }
  }

  @Test
  func aSmallPictureIsEnlargedByAWholeFactor() throws {
    let marks = [Annotator.Mark(box: Box(x: 8, y: 8, width: 32, height: 32), emotion: .anger, probability: 1)]
    let image = try Annotator().annotated(Self.dark(48, 48), marks: marks)
    #expect(image.width == 336 && image.height == 336 && image.channels == 3)
    let one = try Annotator().annotated(Self.dark(1, 1), marks: marks)
    #expect(one.width == 320)
    #expect(Self.drawn(one) != nil)
  }

  @Test
  func labelsOfNeighboursDoNotCoverEachOtherWhereThereIsRoom() throws {
    let box = Box(x: 200, y: 150, width: 60, height: 60)
    let one = Annotator.Mark(box: box, text: "first label", color: .init(0xFF0000))
    let other = Annotator.Mark(
      box: Box(x: 220, y: 150, width: 60, height: 60), text: "second label", color: .init(0x00FF00))
    func red(_ marks: [Annotator.Mark]) throws -> Int {
      let image = try Annotator().annotated(Self.dark(640, 360), marks: marks)
      // Above the boxes there is nothing but the first label.
      return (0..<140).reduce(0) { sum, row in
        sum + (0..<640).count { image.pixel($0, row) == [255, 0, 0] }
      }
    }
    #expect(try red([one]) > 100)
    #expect(try red([one, other]) == red([one]))
  }

  @Test
  func aDoubtedReadingHasAQuestionMark() {
    let box = Box(x: 0, y: 0, width: 9, height: 9)
    func texts(_ isConfident: Bool, _ number: Int?) -> [String?] {
      let mark = Annotator.Mark(
        box: box, emotion: .surprise, probability: 0.354, isConfident: isConfident, number: number)
      return [mark.text, mark.shortText]
    }
    let sure = Annotator.Mark(box: box, emotion: .happiness, probability: 0.9978)
    #expect(sure.text == "happiness >99 %" && sure.shortText == ">99 %")
    #expect(texts(true, nil) == ["surprise 35 %", "35 %"])
    #expect(texts(false, nil) == ["surprise? 35 %", "35 %?"])
    #expect(texts(true, 12) == ["12 surprise 35 %", "12"])
    #expect(texts(false, 12) == ["12 surprise? 35 %", "12?"])
  }

  @Test
  func labelsOfACrowdHideNoFace() throws {
    let boxes = (0..<4).flatMap { row in
      (0..<8).map { Box(x: 20 + 60 * $0, y: 30 + 70 * row, width: 40, height: 40) }
    }
    let plain = try Annotator().annotated(Self.dark(520, 330), marks: boxes.map { .init(box: $0, text: "") })
    let marks = boxes.enumerated().map {
      Annotator.Mark(box: $0.element, emotion: .happiness, probability: 0.9, number: $0.offset + 1)
    }
    let marked = try Annotator().annotated(Self.dark(520, 330), marks: marks)
    #expect(marked != plain)
    for box in boxes {
      // Inside the outline.
      for row in box.y + 4..<box.y + box.height - 4 {
        let start = (row * 520 + box.x + 4) * 3
        let columns = start..<start + (box.width - 8) * 3
        #expect(marked.pixels[columns].allSatisfy { $0 == 20 })
      }
    }
  }

  @Test
  func hostileMarksAreDrawnAsFarAsTheyLieInside() throws {
    let boxes = [
      Box(x: .min, y: .min, width: .max, height: .max), Box(x: .max, y: .max, width: .max, height: .max),
      Box(x: 5, y: 5, width: -3, height: 0),
    ]
    let text = String(repeating: "größer 😀\n", count: 300)
    let image = try Annotator().annotated(
      Self.dark(330, 200), marks: boxes.map { .init(box: $0, text: text, color: .init(0xFFFFFF)) })
    #expect(image.width == 330 && image.height == 200)
  }
}
