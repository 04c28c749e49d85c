import CMienVideoFunctions

/// How large the frames and the index of a video file may be, and how much of them is in memory.
package struct VideoLimits: Sendable {
  /// Most pixels (width x height) of a frame as it is stored. Larger ones are refused before they are decoded.
  package var maxPixels = 200_000_000
  /// Most pixels of a frame to keep: larger ones are reduced to 1/2, 1/4 or 1/8 of their sides; of JPEG 2000, whose decoder
  /// takes up to 20 s for 8K, they are refused. `nil` for any number.
  package var keptPixels: Int?
  /// Most bytes of decoded frames that the decoder keeps because others are built on them. `nil` for any number.
  package var decoderBytes: Int?
  /// Most entries of the index of an MP4, QuickTime or MXF file, of all tracks together: one per frame, piece of sound
  /// and, with three for each track, fragment. FFmpeg keeps 24 to 100 bytes for each.
  package var maxIndexEntries = 20_000_000

  /// The defaults: 200 million pixels, kept as they are, and an index for some 70 hours of video with sound.
  package init() {}

  func apply(to source: inout mien_opencv_video_source) {
    source.max_pixels = Int64(maxPixels)
    source.kept_pixels = Int64(keptPixels ?? 0)
    source.decoder_bytes = Int64(decoderBytes ?? 0)
  }
}
