import MienCore
import MienVision
import Testing

@Suite
struct TurnTests {
  @Test(arguments: [1, 3])
  func aFlipMovesEveryPixelToItsMirrorPlaceAndTwiceIsNothing(channels: Int) throws {
    let image = try PictureFiles.pattern(width: 7, height: 4, channels: channels)
    let (across, down) = (image.flipped(.horizontal), image.flipped(.vertical))
    for row in 0..<4 {
      for column in 0..<7 {
        #expect(across.pixel(column, row) == image.pixel(6 - column, row))
        #expect(down.pixel(column, row) == image.pixel(column, 3 - row))
      }
    }
    #expect(across.flipped(.horizontal) == image && down.flipped(.vertical) == image)
  }

  @Test(arguments: [1, 3])
  func quarterTurnsOfASquareAreExactAndCounterClockwise(channels: Int) throws {
    let image = try PictureFiles.pattern(width: 9, height: 9, channels: channels)
    let turned = try image.rotated(degrees: 90)
    for row in 0..<9 {
      for column in 0..<9 { #expect(turned.pixel(column, row) == image.pixel(8 - row, column)) }
    }
    #expect(try image.rotated(degrees: 0) == image)
    #expect(try image.rotated(degrees: 180) == image.flipped(.horizontal).flipped(.vertical))
    #expect(try turned.rotated(degrees: 270) == image)
  }

  @Test
  func cornersFromOutsideRepeatTheBorder() throws {
    let flat = try Image(width: 20, height: 20, channels: 1, pixels: [UInt8](repeating: 77, count: 400))
    #expect(try flat.rotated(degrees: 33) == flat)
    let ramp = try Image(width: 40, height: 40, channels: 1, pixels: (0..<1600).map { UInt8($0 % 40 * 5) })
    let back = try ramp.rotated(degrees: 20).rotated(degrees: -20)
    for row in 12..<28 {
      for column in 12..<28 { #expect(abs(back.pixel(column, row)[0] - ramp.pixel(column, row)[0]) <= 2) }
    }
    #expect(throws: MienError.self) { try flat.rotated(degrees: .infinity) }
  }
}
