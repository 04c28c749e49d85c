import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

/// The pictures that users report, decoded: `../shared/cases/README.md` says what each is and what is right.
@Suite(.enabled(if: PictureCase.exist, "needs ../shared/cases"))
struct PictureCaseTests {
  @Test(arguments: ["image-jpeg", "image-formats", "image-formats-only-gifs", "orientation"])
  func everyPictureIsReadAtItsSize(folder: String) throws {
    let cases = try PictureCase.all(in: folder)
    #expect(cases.count > 1)
    for picture in cases {
      let image = try Image(contentsOf: picture.url)
      #expect(image.wholeWidth == picture.width && image.wholeHeight == picture.height, "\(picture.file)")
      #expect(image.width == picture.width && image.reduction == 1, "\(picture.file)")
    }
  }

  @Test func jpegsShowWhatTheReferenceShows() throws {
    let reference = try Image(contentsOf: Self.url("image-jpeg/reference.jpg"))
    #expect(reference.warning == nil)
    // Ink that is stored neither inverted nor marked reads as a negative, here as in most viewers.
    for picture in try PictureCase.all(in: "image-jpeg") where picture.name != "cmyk-unmarked-plain.jpg" {
      let image = try Image(contentsOf: picture.url)
      let upperHalf = reference.width * reference.height * 3 / 2
      let difference = Self.meanDifference(image.pixels[..<upperHalf], reference.pixels[..<upperHalf])
      #expect(difference < 4, "\(picture.name): \(difference)")
    }
  }

  @Test(arguments: [
    ("cut-at-50-percent.jpg", "truncated"), ("cut-at-99-percent.jpg", "truncated"),
    ("zeros-after-half.jpg", "truncated"),
    ("last-rows-lost.jpg", "damaged"), ("no-end-marker.jpg", "end marker"), ("zeros-for-end-marker.jpg", "end marker"),
    ("two-starts.jpg", "out of place"),
  ])
  func jpegsWithFaultsSayWhich(name: String, words: String) throws {
    let image = try Image(contentsOf: Self.url("image-jpeg/\(name)"))
    #expect(image.warning?.contains(words) == true, "\(image.warning ?? "no warning")")
    #expect(image.isDamaged == !["end marker", "out of place"].contains(words))
  }

  @Test(arguments: [
    "fill-bytes.jpg", "bytes-after-end.jpg", "video-after-end.jpg", "progressive.jpg", "restart-markers.jpg",
  ])
  func jpegsWithoutFaultsSayNothing(name: String) throws {
    #expect(try Image(contentsOf: Self.url("image-jpeg/\(name)")).warning == nil)
  }

  @Test func formatsShowWhatTheReferenceShows() throws {
    let reference = try Image(contentsOf: Self.url("image-formats/reference.png"))
    let cutOut = try Image(contentsOf: Self.url("image-formats/cut-out-on-white.png"))
    var compared = 0
    for picture in try PictureCase.all(in: "image-formats") where picture.width == 200 && picture.height == 200 {
      if picture.name.hasPrefix("all-transparent") || picture.name.hasPrefix("rgb-12-bits") { continue }
      let expected = picture.name.hasPrefix("cut-out") ? cutOut : reference
      let difference = Self.meanDifference(
        try Image(contentsOf: picture.url).grey.pixels[...], expected.grey.pixels[...])
      #expect(difference < 6, "\(picture.name): \(difference)")
      compared += 1
    }
    #expect(compared > 15)
  }

  @Test func formatsSayWhatWasNotRead() throws {
    for (name, words) in [
      ("animated.gif", "8 frames"), ("animated.png", "3 frames"), ("animated.webp", "8 frames"),
      ("two-pages.tif", "2 pages"), ("all-transparent.png", "transparent"), ("rgb-12-bits-in-16.png", "almost black"),
    ] {
      let image = try Image(contentsOf: Self.url("image-formats/\(name)"))
      #expect(image.warning?.contains(words) == true && !image.isDamaged, "\(name): \(image.warning ?? "no warning")")
    }
    for (name, words) in [
      ("document.pdf", "PDF"), ("drawing.svg", "SVG"), ("lfs-pointer.jpg", "Git LFS"), ("web-page.jpg", "web page"),
    ] {
      let error = #expect(throws: MienError.self) { try Image(contentsOf: Self.url("image-formats/\(name)")) }
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
  }

  @Test func everyOrientationIsUpright() throws {
    let upright = try Image(contentsOf: Self.url("orientation/upright.jpg"))
    for picture in try PictureCase.all(in: "orientation") {
      let image = try Image(contentsOf: picture.url)
      let expected = try upright.resized(width: image.width, height: image.height)
      let difference = Self.meanDifference(image.pixels[...], expected.pixels[...])
      #expect(difference < 5, "\(picture.name): \(difference)")
    }
  }

  private static func url(_ path: String) -> URL { MienTestSupport.Shared.url("cases/\(path)") }

  private static func meanDifference(_ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>) -> Double {
    guard first.count == second.count, !first.isEmpty else { return .infinity }
    return Double(zip(first, second).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(first.count)
  }
}
