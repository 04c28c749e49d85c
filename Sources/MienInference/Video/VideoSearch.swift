import MienVision

/// A frame whose faces are found but not read.
struct SearchedFrame: Sendable {
  let frame: VideoFrame
  let startsScene: Bool
  let prepared: FaceFinder.PreparedFaces
}

/// Some frames of a video.
struct SearchedFrames: Sendable {
  var frames: [SearchedFrame] = []
  /// How many faces there are.
  var faceCount = 0
  /// Whether the video ends here.
  var isLast = false
  /// Why it ends, where that is no good end.
  var failure: (any Error)?
}

/// The part of reading a video that goes frame by frame: decoding, finding cuts and faces, cutting faces out.
final class VideoSearch: Sendable {
  private let frames: FrameQueue
  private let sequence: FaceSequence
  private let isLive: Bool
  private let meter: VideoMeter

  /// Frames of a chunk, where their faces are few.
  private static let mostFrames = 8
  /// Most bytes of a chunk's frames, if it has several: large frames go one by one.
  private static let mostBytes = 32 << 20

  init(
    source: any FrameSource, recognizer: Recognizer, options: VideoOptions, isLive: Bool, meter: VideoMeter
  ) {
    frames = FrameQueue(source: source, every: options.every, isLive: isLive, meter: meter)
    sequence = recognizer.sequence()
    self.isLive = isLive
    self.meter = meter
  }

  /// The next frames: of a camera one, else as many as it takes to fill a batch of the network. Blocks. One caller at a
  /// time.
  func next() -> SearchedFrames {
    var found = SearchedFrames()
    var bytesWithNext = 0
    do {
      repeat {
        guard let frame = try frames.next() else {
          found.isLast = true
          break
        }
        let step = try sequence.next(frame.image, seconds: frame.seconds)
        meter.add(step.prepared.detecting, to: \.searching)
        meter.add(step.prepared.framing, to: \.framing)
        found.frames.append(
          SearchedFrame(
            frame: frame, startsScene: step.startsScene, prepared: step.prepared.inWholePicture(of: frame.image)))
        found.faceCount += step.prepared.faces.count
        bytesWithNext = (found.frames.count + 1) * frame.image.pixels.count
      } while !isLive && found.frames.count < Self.mostFrames && bytesWithNext <= Self.mostBytes
        && found.faceCount < EmotionClassifier.batchSize
    } catch {
      found.isLast = true
      found.failure = error
    }
    return found
  }
}
