import Foundation
import MienCore
import MienVision
import Testing

@Suite
struct CropTests {
  /// The crop by its definition, sampled on a fine grid: slow, and free of the fast path's bookkeeping.
  static func slowCrop(_ image: Image, x: Double, y: Double, side: Double, size: Int, column: Int, row: Int) -> Double {
    let step = side / Double(size)
    let samples = 200
    func sample(_ axisStart: Double, _ index: Int, _ part: Int, _ limit: Int) -> Int {
      let position = axisStart + (Double(index) + (Double(part) + 0.5) / Double(samples)) * step
      return max(0, min(limit - 1, Int(position.rounded(.down))))
    }
    var sum = 0.0
    for partY in 0..<samples {
      let sourceRow = sample(y - side / 2, row, partY, image.height)
      for partX in 0..<samples {
        let sourceColumn = sample(x - side / 2, column, partX, image.width)
        sum += Double(image.pixels[(sourceRow * image.width + sourceColumn) * image.channels])
      }
    }
    return sum / Double(samples * samples)
  }

  @Test(arguments: [(8.0, 6.0, 9.5), (0.0, 0.0, 12.25), (15.3, 11.8, 20.0), (-30.0, 5.0, 8.0)])
  func aShrinkingCropIsTheMeanOverEachAreaBordersRepeated(x: Double, y: Double, side: Double) throws {
    let image = try PictureFiles.pattern(width: 16, height: 12, channels: 1)
    let crop = try image.crop(centerX: x, centerY: y, side: side, size: 4)
    for row in 0..<4 {
      for column in 0..<4 {
        let expected = Self.slowCrop(image, x: x, y: y, side: side, size: 4, column: column, row: row)
        #expect(abs(Double(crop.pixel(column, row)[0]) - expected) <= 2, "\(column),\(row)")
      }
    }
  }

  @Test
  func aCropOfWholePixelsAtTheirOwnSizeIsACopy() throws {
    let image = try PictureFiles.pattern(width: 12, height: 9, channels: 3)
    let crop = try image.crop(centerX: 6, centerY: 5, side: 6, size: 6)
    for row in 0..<6 {
      for column in 0..<6 { #expect(crop.pixel(column, row) == image.pixel(column + 3, row + 2)) }
    }
  }

  @Test
  func enlargingInterpolatesBetweenPixelCentres() throws {
    let image = try Image(width: 2, height: 1, channels: 1, pixels: [0, 200])
    let crop = try image.crop(centerX: 1, centerY: 0.5, side: 2, size: 4)
    #expect(Array(crop.pixels.prefix(4)) == [0, 50, 150, 200])
  }

  @Test
  func oneColourStaysOneColourWhereverAndHoweverLargeTheCrop() throws {
    let image = try Image(width: 5, height: 4, channels: 3, pixels: [UInt8](repeating: 77, count: 60))
    for (x, side) in [(2.5, 3.3), (100, 1000.5), (-7, 0.5), (0, 1_000_000)] {
      #expect(try Set(image.crop(centerX: x, centerY: 2, side: side, size: 7).pixels) == [77])
    }
  }

  @Test
  func numbersThatMakeNoCropAreRefused() throws {
    let image = try PictureFiles.pattern(width: 4, height: 4, channels: 1)
    for (x, side, size) in [(Double.nan, 2.0, 2), (.infinity, 2, 2), (1, 0, 2), (1, .nan, 2), (1, 2, 0), (1, 2e6, 2)] {
      #expect(throws: MienError.self) { try image.crop(centerX: x, centerY: 1, side: side, size: size) }
    }
    #expect(throws: MienError.self) { try image.resized(width: 0, height: 4) }
    #expect(throws: MienError.self) { try image.resized(width: .max, height: .max) }
  }

  @Test
  func shrinkingByTwoAveragesBlocks() throws {
    let image = try Image(width: 4, height: 2, channels: 1, pixels: [10, 20, 100, 100, 30, 40, 100, 100])
    #expect(try image.resized(width: 2, height: 1).pixels == [25, 100])
    #expect(try image.resized(width: 4, height: 2) == image)
    #expect(try image.resized(width: 8, height: 4).width == 8)
  }

  @Test
  func halvingAveragesBlocksOfFourAndLeavesAnOddColumnOrRowOut() throws {
    let image = try Image(
      width: 5, height: 3, channels: 1, pixels: [10, 20, 100, 100, 255, 30, 40, 100, 100, 255, 0, 0, 0, 0, 0])
    let half = try image.halved()
    #expect((half.width, half.height) == (2, 1) && half.pixels == [25, 100])
    #expect(throws: MienError.self) { try half.halved() }
  }

  @Test
  func greyAndRGBViewsAgreeWithThePreprocessingContract() throws {
    let image = try PictureFiles.pattern(width: 6, height: 4, channels: 3)
    #expect(image.grey.pixels == Preprocessing.grey(rgb: image.pixels))
    #expect(image.grey.rgb.grey == image.grey)
    #expect(image.rgb == image)
  }

  @Test
  func aFramingWidensAndLowersTheCropBySharesOfTheBox() throws {
    let image = try PictureFiles.pattern(width: 40, height: 40, channels: 3)
    let box = Box(x: 10, y: 8, width: 16, height: 16)
    let frame = FaceFrame(
      framing: .init(scale: 1.25, shiftDown: 0.125), preprocessing: .init(width: 20, height: 20, channels: 3))
    let expected = try image.crop(centerX: 18, centerY: 18, side: 20, size: 20)
    #expect(try frame.face(DetectedFace(box: box, score: 1), of: image) == expected)
    let grey = FaceFrame(framing: frame.framing, preprocessing: .init(width: 20, height: 20, channels: 1))
    #expect(try grey.face(DetectedFace(box: box, score: 1), of: image) == expected.grey)
    #expect(throws: MienError.self) {
      try frame.face(DetectedFace(box: Box(x: 1, y: 1, width: 0, height: 0), score: 1), of: image)
    }
    let oblong = FaceFrame(preprocessing: .init(width: 20, height: 24))
    #expect(throws: MienError.self) { try oblong.face(DetectedFace(box: box, score: 1), of: image) }
  }

  @Test
  func aPictureThatIsAFaceOfTheInputsSizeComesBackUnchanged() throws {
    let face = try PictureFiles.pattern(width: 48, height: 48, channels: 1)
    #expect(try FaceFrame(framing: .init(scale: 1.4)).face(whole: face) == face)
  }

  @Test(arguments: [-70.0, -20, 35, 90])
  func aTurnedCropOfATurnedPictureIsTheCropOfThePictureAsItWas(degrees: Double) throws {
    // Stripes of differing width in two directions, with room around.
    let pixels = (0..<(200 * 200)).map { pixel -> UInt8 in
      let (x, y) = (Double(pixel % 200) - 100, Double(pixel / 200) - 100)
      return UInt8(128 + 60 * sin(x / 9) + 60 * cos(y / 14))
    }
    let picture = try Image(width: 200, height: 200, channels: 1, pixels: pixels)
    let center = Point(x: 100, y: 100)
    let upright = try picture.crop(TurnedSquare(center: center, side: 80), size: 40)
    // Turned against the clock, so that the square is turned back.
    let turned = try picture.rotated(degrees: degrees)
      .crop(TurnedSquare(center: center, side: 80, degrees: -degrees), size: 40)
    let difference = zip(upright.pixels, turned.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    #expect(difference < 3 * 1600, "\(Double(difference) / 1600)")
    // Far outside, the border is repeated; sizes out of range are refused.
    let outside = try picture.crop(TurnedSquare(center: Point(x: -500, y: -500), side: 50, degrees: 45), size: 8)
    #expect(outside.pixels.allSatisfy { abs(Int($0) - Int(picture.pixels[0])) <= 1 })
    for square in [
      TurnedSquare(center: center, side: 0, degrees: 1), TurnedSquare(center: center, side: .nan, degrees: 1),
      TurnedSquare(center: Point(x: .infinity, y: 0), side: 9, degrees: 1),
      TurnedSquare(center: center, side: 9, degrees: .nan),
    ] { #expect(throws: MienError.self) { try picture.crop(square, size: 8) } }
  }
}
