import MienCore
import MienVision

/// How much a server takes on before it refuses.
package struct ServerLimits: Sendable, Codable {
  /// Most bytes of a request with pictures.
  package var bodyBytes = 64 << 20
  /// Most pixels of a picture (width x height).
  package var pixels = 200_000_000
  /// Most pixels of a picture to keep in memory; larger ones are read at 1/2, 1/4 or 1/8 of their sides.
  package var decodedPixels = 32_000_000
  /// Most bytes of the samples of a picture that has to be decoded whole, as ``ImageLimits/sampleBytes``.
  package var sampleBytes = 400_000_000
  /// Bytes that decoding a picture in a process of its own may take, beside the program itself.
  package var pictureMemory = 1_300_000_000
  /// Seconds of processor time that a process of its own may take for a picture, for a frame of a video, or to open that.
  package var decodingSeconds = 20.0
  /// The same for a picture that others wait for, in a process of its own or in the server itself; one that takes longer is
  /// decoded again apart from them.
  package var quickDecodingSeconds = 1.0
  /// The same for pictures that took more than that: those that take longer still are decoded again apart from these.
  package var slowDecodingSeconds = 4.0
  /// Most bytes that a JPEG or PNG picture holds while it is decoded in the server itself, as ``ImageLimits/heldBytes``; one that
  /// holds more is decoded in a process of its own.
  package var ownHeldBytes = 100_000_000
  /// Most pixels of a picture's copy that are searched for faces, which take about a third of a second per million: the smaller
  /// the faces that a client asks for, the larger is the copy.
  package var searchedPixels = 8_000_000
  /// Most pictures of a request.
  package var pictures = 32
  /// Most bytes of all requests that are being read or waiting, together.
  package var bufferedBytes = 256 << 20
  /// Seconds from the first byte of a request's head to its end.
  package var headSeconds = 10.0
  /// Seconds from a request's head to the end of its body.
  package var bodySeconds = 30.0
  /// Seconds after which a connection on which nothing happens is closed.
  package var idleSeconds = 60.0
  /// Most connections with a request that is being answered; those beyond get answers to `/healthz` and `/readyz` only.
  package var connections = 512
  /// Requests that may wait for their turn.
  package var waiting = 128
  /// Seconds that a request waits for its turn before it is refused.
  package var waitingSeconds = 0.4
  /// Most sessions that are open at a time.
  package var sessions = 256
  /// Seconds after which a session that is not used is closed.
  package var sessionSeconds = 60.0
  /// Most bytes of a video.
  package var videoBytes = 512 << 20
  /// Most pixels of a video's frame (width x height).
  package var videoPixels = 36_000_000
  /// Seconds that the upload of a video may take.
  package var videoSeconds = 900.0
  /// Bytes that a video's decoder may take beside the program itself, and 14 for each pixel of a frame.
  package var videoMemory = 400_000_000
  /// Most videos that are received, wait or are read at a time.
  package var videos = 8
  /// What open videos may take of memory, by ``OpenVideo/bytes(pixels:)``, when another one is opened, in bytes: so eight of
  /// 1080p are open at a time, five of 4K, or three of 8K.
  package var openVideoBytes = 1_350_000_000
  /// Seconds for which a video is read at a time while another client's waits.
  package var videoTurnSeconds = 2.0
  /// Seconds for which the result of a video is kept.
  package var resultSeconds = 3600.0
  /// Seconds between the order to stop and the end of service, in which `/readyz` says that no more should be sent.
  package var drainSeconds = 0.0
  /// Seconds that accepted work is given to finish when the server is told to stop.
  package var shutdownSeconds = 30.0

  /// How many files the process needs to open for that many connections, those for probes, and its own files.
  package var connectionFiles: Int { connections + ConnectionPlaces.reserve + 64 }

  /// How many videos there may be with those whose results are kept.
  var keptVideos: Int { 16 * min(videos, 1 << 20) }

  /// What a picture may take of memory.
  var picture: ImageLimits {
    ImageLimits(
      maxPixels: pixels, maxFileBytes: bodyBytes, decodedPixels: decodedPixels, sampleBytes: sampleBytes)
  }

  /// The same for one that is decoded in the server itself.
  var ownPicture: ImageLimits {
    var limits = picture
    limits.heldBytes = ownHeldBytes
    return limits
  }

  /// What a video may take of memory: frames beyond 4K are searched at half their size or less, the decoder may keep nine
  /// frames of the largest size at 8 bits, and the index may be of 14 hours with sound.
  var video: VideoLimits {
    var limits = VideoLimits()
    limits.maxPixels = videoPixels
    limits.keptPixels = 9_000_000
    limits.maxIndexEntries = 4_000_000
    limits.decoderBytes = videoPixels.multipliedReportingOverflow(by: 14).partialValue
    return limits
  }

  /// The defaults.
  package init() {}

  func validate() throws {
    for (name, value) in [
      ("max-body", bodyBytes), ("max-pixels", pixels),
      ("decoded-pixels", decodedPixels), ("max-pictures", pictures), ("max-connections", connections),
      ("max-waiting", waiting), ("max-sessions", sessions), ("max-video", videoBytes),
      ("max-video-pixels", videoPixels), ("max-videos", videos),
    ] where value < 1 {
      throw MienError(.argument, "--\(name) \(value)", "expected at least 1")
    }
    for (name, value) in [
      ("head-timeout", headSeconds), ("body-timeout", bodySeconds), ("idle-timeout", idleSeconds),
      ("wait-timeout", waitingSeconds),
      ("shutdown-timeout", shutdownSeconds), ("session-timeout", sessionSeconds), ("video-timeout", videoSeconds),
      ("keep-results", resultSeconds),
    ] where !(value > 0 && value <= 86_400) {
      throw MienError(.argument, "--\(name) \(value)", "expected more than 0 and at most 86,400 seconds")
    }
    guard (0...86_400).contains(drainSeconds) else {
      throw MienError(.argument, "--drain-delay \(drainSeconds)", "expected 0 to 86,400 seconds")
    }
  }
}
