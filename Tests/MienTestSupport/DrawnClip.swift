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

  /// An IVF file of VP9 whose first frame and last frame are shown, and `count` between them are not: they say so, or are
  /// damaged. Made by the ffmpeg program.
  package static func hiddenFrames(_ count: Int, width: Int, height: Int, isDamaged: Bool = false) throws -> Data {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=red:s=\(width)x\(height):r=25"]
      + ["-frames:v", "1", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime", "-f", "ivf", "-"]
    process.standardOutput = pipe
    try process.run()
    let file = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0, file.count > 44 else { throw CocoaError(.executableLoad) }
    // A header of 32 bytes, then before each frame its length and its time in 12 bytes.
    let shown = Data(file[44...])
    // The bit of an uncompressed header by which its frame is shown (VP9 bitstream specification, section 6.2).
    let hidden = isDamaged ? Data([0]) : Data([shown[0] & ~2]) + shown.dropFirst()
    var made = Data(file[..<32])
    for (index, frame) in ([shown] + [Data](repeating: hidden, count: count) + [shown]).enumerated() {
      for (number, bytes) in [(frame.count, 4), (index, 8)] {
        made += Data((0..<bytes).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
      }
      made += frame
    }
    return made
  }
}
