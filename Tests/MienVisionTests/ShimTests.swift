import COpenCV
import Foundation
import MienTestSupport
import Testing

/// The C functions themselves: what a caller in any language gets for wrong arguments.
@Suite
struct ShimTests {
  /// Calls `body`, frees its message and returns both status and message.
  static func call(
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) -> (status: Int32, message: String?) {
    var error: UnsafeMutablePointer<CChar>?
    let status = body(&error)
    defer { mien_opencv_string_free(error) }
    return (status, error.map { String(cString: $0) })
  }

  /// Lends a 3 x 2 grey picture.
  static func lending<Result>(_ body: (inout mien_opencv_picture) -> Result) -> Result {
    let pixels = [UInt8](0..<6)
    return pixels.withUnsafeBufferPointer { buffer in
      var picture = mien_opencv_picture(pixels: buffer.baseAddress, count: 6, width: 3, height: 2, channels: 1)
      return body(&picture)
    }
  }

  @Test
  func nullPointersAreInvalidArguments() {
    var count = 0
    let calls: [(UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32] = [
      { mien_opencv_decode(nil, 4, 0, nil, nil, $0) },
      { mien_opencv_turn(nil, 1, nil, 0, $0) },
      { mien_opencv_encode(nil, nil, 90, nil, $0) },
      { mien_opencv_resize(nil, 1, 1, 1, nil, 0, $0) },
      { mien_opencv_cascade_load(nil, nil, $0) },
      { mien_opencv_cascade_detect(nil, nil, 1.1, 3, 20, 0, nil, &count, $0) },
      { mien_opencv_draw_rectangle(nil, 0, 0, 1, 1, 1, 0, $0) },
      { mien_opencv_measure_text(nil, 10, nil, nil, $0) },
      { mien_opencv_draw_text(nil, nil, 0, 0, 10, 0, $0) },
    ]
    for call in calls {
      let (status, message) = Self.call { call($0) }
      #expect(status == MIEN_OPENCV_INVALID)
      #expect(message?.isEmpty == false)
      #expect(call(nil) == MIEN_OPENCV_INVALID)
    }
  }

  @Test
  func freeingAndAskingNothingIsNothing() {
    mien_opencv_string_free(nil)
    mien_opencv_buffer_free(nil)
    mien_opencv_cascade_free(nil)
    mien_opencv_detections_free(nil)
    #expect(mien_opencv_buffer_bytes(nil) == nil)
    #expect(mien_opencv_buffer_count(nil) == 0)
    #expect(mien_opencv_buffer_width(nil) == 0)
    #expect(mien_opencv_buffer_height(nil) == 0)
    #expect(mien_opencv_buffer_channels(nil) == 0)
  }

  @Test
  func sizesThatDoNotFitTheirBuffersAreRefused() {
    let wrong: [(inout mien_opencv_picture) -> Void] = [
      { $0.count = 5 }, { $0.count = 7 }, { $0.width = 0 }, { $0.height = -2 }, { $0.channels = 2 },
      { $0.pixels = nil },
      { picture in
        picture.width = .max
        picture.height = .max
        picture.channels = 3
      },
    ]
    var output = [UInt8](repeating: 9, count: 4)
    for change in wrong {
      let result = Self.lending { picture in
        change(&picture)
        return Self.call { mien_opencv_resize(&picture, 2, 2, 1, &output, 4, $0) }
      }
      #expect(result.status == MIEN_OPENCV_INVALID)
    }
    for (width, height, count) in [(2, 2, 3), (2, 2, 5), (0, 2, 0), (-1, -4, 4)] as [(Int32, Int32, Int)] {
      let result = Self.lending { picture in
        Self.call { mien_opencv_resize(&picture, width, height, 0, &output, count, $0) }
      }
      #expect(result.status == MIEN_OPENCV_INVALID)
    }
    #expect(output == [9, 9, 9, 9])
  }

  @Test
  func valuesOutOfRangeAreRefused() {
    var buffer: OpaquePointer?
    let bytes = [UInt8](repeating: 0, count: 16)
    var range = mien_opencv_range()
    #expect(Self.call { mien_opencv_decode(bytes, 0, 0, &buffer, &range, $0) }.status == MIEN_OPENCV_INVALID)
    Self.lending { picture in
      var turned = [UInt8](repeating: 0, count: 6)
      for (orientation, count) in [(0, 6), (9, 6), (6, 5)] as [(Int32, Int)] {
        let turning = Self.call { mien_opencv_turn(&picture, orientation, &turned, count, $0) }
        #expect(turning.status == MIEN_OPENCV_INVALID)
      }
      for (name, quality) in [(".gif", 90), (".jpg", 0), (".jpg", 101)] as [(String, Int32)] {
        #expect(Self.call { mien_opencv_encode(&picture, name, quality, &buffer, $0) }.status == MIEN_OPENCV_INVALID)
      }
    }
    var width: Int32 = 0
    var descent: Int32 = 0
    for height in [0, -1, .nan, .infinity] as [Double] {
      let result = Self.call { mien_opencv_measure_text("text", height, &width, &descent, $0) }
      #expect(result.status == MIEN_OPENCV_INVALID)
    }
    let long = String(repeating: "x", count: 2000)
    #expect(Self.call { mien_opencv_measure_text(long, 10, &width, &descent, $0) }.status == MIEN_OPENCV_INVALID)
    #expect(buffer == nil)
  }

  @Test
  func whatOpenCVRefusesOrThrowsBecomesAFailureWithItsMessage() throws {
    var buffer: OpaquePointer?
    let bytes = Array("not a picture at all".utf8)
    var range = mien_opencv_range()
    let decoding = Self.call { mien_opencv_decode(bytes, bytes.count, 0, &buffer, &range, $0) }
    #expect(decoding.status == MIEN_OPENCV_FAILED && decoding.message?.isEmpty == false)
    #expect(buffer == nil)
    let folder = try TemporaryFolder()
    var cascade: OpaquePointer?
    // An XML storage without a cascade, one that is cut off (OpenCV throws), plain text, and nothing.
    let contents = [
      "<?xml version=\"1.0\"?><opencv_storage><a>1</a></opencv_storage>",
      "<?xml version=\"1.0\"?><opencv_storage><casc",
      "text", "",
    ]
    for content in contents {
      let url = folder.url.appendingPathComponent("cascade.xml")
      try Data(content.utf8).write(to: url)
      let loading = Self.call { mien_opencv_cascade_load(url.path, &cascade, $0) }
      #expect(loading.status == MIEN_OPENCV_FAILED && loading.message?.isEmpty == false, "\(content)")
    }
    let missing = Self.call { mien_opencv_cascade_load(folder.url.path + "/missing.xml", &cascade, $0) }
    #expect(missing.status == MIEN_OPENCV_FAILED)
    #expect(cascade == nil)
  }

  @Test
  func drawingReachesNothingOutsideTheCanvas() {
    // The canvas lies in the middle of a larger buffer whose margins must stay as they are.
    var pixels = [UInt8](repeating: 7, count: 300)
    pixels.withUnsafeMutableBufferPointer { buffer in
      var canvas = mien_opencv_canvas(
        pixels: buffer.baseAddress?.advanced(by: 100), count: 100, width: 10, height: 10, channels: 1)
      let corners: [Int32] = [.min, -5, 0, 5, 9, .max]
      for x in corners {
        for y in corners {
          for side in [0, 3, .max] as [Int32] {
            for thickness in [0, 1, .max] as [Int32] {
              let status = mien_opencv_draw_rectangle(&canvas, x, y, side, side, thickness, 0xFFFFFF, nil)
              #expect(status == MIEN_OPENCV_OK)
            }
          }
        }
      }
      for x in [-1000, -3, 0, 9, 1000] as [Int32] {
        #expect(mien_opencv_draw_text(&canvas, "text", x, 5, 8, 0x808080, nil) == MIEN_OPENCV_OK)
      }
    }
    #expect(pixels[..<100].allSatisfy { $0 == 7 } && pixels[200...].allSatisfy { $0 == 7 })
    #expect(pixels[100..<200].contains { $0 != 7 })
  }
}
