package import Foundation

/// Videos made byte by byte, so that tests need no encoder: YUV4MPEG2, uncompressed with full colour.
package enum DrawnClip {
  /// A clip at `rate` frames a second.
  ///
  /// - Parameter frames: RGB samples, [height, width, 3], 0…255.
  package static func y4m(width: Int, height: Int, rate: Int, frames: [[UInt8]]) -> Data {
    var file = Data("YUV4MPEG2 W\(width) H\(height) F\(rate):1 Ip A1:1 C444\n".utf8)
    for frame in frames {
      file += Data("FRAME\n".utf8)
      // ITU-R BT.601, studio range: what players take for granted where a file does not say.
      for (offset, weights) in [
        (16.0, [65.481, 128.553, 24.966]), (128, [-37.797, -74.203, 112]), (128, [112, -93.786, -18.214]),
      ] {
        file += Data(
          (0..<(width * height)).map { pixel in
            let sum = (0..<3).reduce(0.0) { $0 + weights[$1] * Double(frame[3 * pixel + $1]) / 255 }
            return UInt8(max(0, min(255, (offset + sum).rounded())))
          })
      }
    }
    return file
  }

  /// A box of ISO/IEC 14496-12, as MP4 files are made of.
  package static func box(_ type: String, _ body: Data) -> Data {
    let length = body.count + 8
    return Data((0..<4).reversed().map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }) + Data(type.utf8) + body
  }

  /// A box of numbers of 32 bits.
  package static func box(_ type: String, _ numbers: [UInt32]) -> Data {
    box(
      type, Data(numbers.flatMap { number in (0..<4).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } })
    )
  }

  /// An MP4 whose index has one track of `handler` (`vide`, `soun`) and the codec `codec`, and no samples but those that
  /// `tables`, boxes of its `stbl` box, claim.
  package static func mp4(handler: String, codec: String, hasIndex: Bool = true, tables: Data = Data()) -> Data {
    let start = box("ftyp", Data("isom\0\0\0\0isom".utf8))
    let media = box("mdat", Data(count: 64))
    return hasIndex ? start + media + box("moov", track(handler: handler, codec: codec, tables: tables)) : start + media
  }

  /// A track of such a file.
  package static func track(handler: String, codec: String, tables: Data = Data()) -> Data {
    let description = box("stsd", Data(count: 7) + Data([1]) + box(codec, Data(count: 78)))
    let kind = box("hdlr", Data(count: 8) + Data(handler.utf8) + Data(count: 13))
    return box("trak", box("mdia", kind + box("minf", box("stbl", description + tables))))
  }
}
