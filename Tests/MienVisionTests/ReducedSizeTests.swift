import Foundation
import MienCore
import MienVision
import Testing

/// Pictures over the limit on what is kept in memory.
@Suite struct ReducedSizeTests {
  /// Even and odd sides; smooth, so that every way of reducing gives nearly the same.
  private static func ramp(_ width: Int, _ height: Int, channels: Int = 3) throws -> Image {
    let pixels = (0..<(width * height * channels)).map { index -> UInt8 in
      let (row, column) = (index / channels / width, index / channels % width)
      return UInt8(20 + 200 * (row + column) / (width + height))
    }
    return try Image(width: width, height: height, channels: channels, pixels: pixels)
  }

  @Test(arguments: [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (9, 8)] as [(Int, Int)], [1, 3])
  func sidesAreHalvedUntilThePictureFits(_ sizes: (share: Int, reduction: Int), channels: Int) throws {
    let (width, height) = (203, 131)
    let picture = try Self.ramp(width, height, channels: channels)
    let limit = ((width + sizes.share - 1) / sizes.share) * ((height + sizes.share - 1) / sizes.share)
    for file in [
      try picture.encoded(as: .jpeg(quality: 100)), try picture.encoded(as: .png), PictureFiles.pnm(picture),
    ] {
      let image = try Image(encoded: file, limits: ImageLimits(decodedPixels: limit))
      #expect(image.reduction == sizes.reduction)
      #expect(image.wholeWidth == width && image.wholeHeight == height)
      #expect(image.width == (width + sizes.reduction - 1) / sizes.reduction)
      #expect(image.height == (height + sizes.reduction - 1) / sizes.reduction)
      #expect(image.channels == channels && image.warning == nil)
      let expected = Self.blockMeans(picture, sizes.reduction)
      #expect(zip(image.pixels, expected).allSatisfy { abs(Int($0) - $1) <= 2 })
    }
  }

  /// The mean of each block, by the slow rule.
  private static func blockMeans(_ picture: Image, _ side: Int) -> [Int] {
    stride(from: 0, to: picture.height, by: side).flatMap { top in
      stride(from: 0, to: picture.width, by: side).flatMap { left in
        (0..<picture.channels).map { channel in
          var values: [Int] = []
          for row in top..<min(top + side, picture.height) {
            for column in left..<min(left + side, picture.width) { values.append(picture.pixel(column, row)[channel]) }
          }
          return Int((Double(values.reduce(0, +)) / Double(values.count)).rounded())
        }
      }
    }
  }

  @Test func thePartsOfAPNGAreAveraged() throws {
    let picture = try PictureFiles.pattern(width: 5, height: 3, channels: 1)
    let image = try Image(encoded: picture.encoded(as: .png), limits: ImageLimits(decodedPixels: 6))
    #expect(image.width == 3 && image.height == 2)
    func mean(_ places: [(Int, Int)]) -> Int {
      (places.reduce(0) { $0 + picture.pixel($1.0, $1.1)[0] } + places.count / 2) / places.count
    }
    #expect(image.pixel(0, 0) == [mean([(0, 0), (1, 0), (0, 1), (1, 1)])])
    #expect(image.pixel(2, 0) == [mean([(4, 0), (4, 1)])])
    #expect(image.pixel(0, 1) == [mean([(0, 2), (1, 2)])])
    #expect(image.pixel(2, 1) == [mean([(4, 2)])])
  }

  @Test func theWholeSizeIsUprightToo() throws {
    let jpeg = try Self.ramp(60, 40).encoded(as: .jpeg(quality: 95))
    let file = PictureFiles.jpeg(jpeg, exif: PictureFiles.exif(orientation: 6))
    let image = try Image(encoded: file, limits: ImageLimits(decodedPixels: 600))
    #expect(image.width == 20 && image.height == 30 && image.reduction == 2)
    #expect(image.wholeWidth == 40 && image.wholeHeight == 60)
  }

  @Test func boxesAreOfTheWholePicture() throws {
    let file = try Self.ramp(203, 131).encoded(as: .png)
    let image = try Image(encoded: file, limits: ImageLimits(decodedPixels: 2000))
    #expect(image.reduction == 4 && image.width == 51 && image.height == 33)
    #expect(image.whole(Box(x: 3, y: 5, width: 10, height: 11)) == Box(x: 12, y: 20, width: 40, height: 44))
    #expect(image.whole(Box(x: 0, y: 0, width: 51, height: 33)) == Box(x: 0, y: 0, width: 203, height: 131))
    #expect(image.reduced(Box(x: 12, y: 20, width: 40, height: 44)) == Box(x: 3, y: 5, width: 10, height: 11))
    #expect(image.reduced(Box(x: -3, y: 2, width: 8, height: 3)) == Box(x: -1, y: 0, width: 3, height: 2))
    let small = try Image(encoded: file)
    #expect(small.whole(Box(x: 3, y: 5, width: 10, height: 11)) == Box(x: 3, y: 5, width: 10, height: 11))
  }

  @Test func phonesPicturesFitAndLargerOnesDoNot() throws {
    // 200 million pixels of one colour, in a small file.
    let row = [UInt8](repeating: 77, count: 20_000)
    #expect(ImageLimits.default.maxPixels == 200_000_000)
    let large = PictureFiles.png(width: 20_000, height: 10_001, depth: 8, colorType: 0, rows: [row])
    let error = #expect(throws: MienError.self) { try Image(encoded: large) }
    #expect(error?.kind == .limit)
    // The header alone decides: of the one row that is there, an eighth is kept.
    let fitting = PictureFiles.png(width: 20_000, height: 10_000, depth: 8, colorType: 0, rows: [row])
    let image = try Image(encoded: fitting)
    #expect(image.reduction == 4 && image.wholeWidth == 20_000 && image.width == 5000 && image.isDamaged)
    // Other formats are decoded whole.
    let header = Data("P5\n20000 10000\n255\n".utf8)
    #expect(throws: MienError.self) { try Image(encoded: header) }
    #expect(BadPictureTests.error(header)?.message.contains("decoded whole") == true)
  }
}
