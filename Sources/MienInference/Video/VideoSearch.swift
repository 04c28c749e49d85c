import MienVision
import Synchronization

/// A frame whose faces are found but not read.
struct SearchedFrame: Sendable {
  let frame: VideoFrame
  let startsScene: Bool
  let faces: [DetectedFace]
}

/// Some frames of a video, with the network's input for all their faces.
struct SearchedFrames: Sendable {
  var frames: [SearchedFrame] = []
  /// [faces, C, H, W]
  var inputs: [Float] = []
  /// How many faces there are.
  var faceCount = 0
  /// Whether the video ends here.
  var isLast = false
  /// Why it ends, where that is no good end.
  var failure: (any Error)?
}

/// The part of reading a video that goes frame by frame: decoding, finding cuts and faces, cutting faces out.
final class VideoSearch: Sendable {
  private let source: any FrameSource
  private let finder: FaceFinder
  private let every: Int
  private let meter: VideoMeter
  private let state: Mutex<State>

  private struct State {
    var follower: FaceFollower
    var cut = SceneCut()
    var isStarted = false
  }

  /// Frames of a chunk, where their faces are few.
  private static let mostFrames = 8
  /// Bytes of a chunk's frames after which it ends: large frames go one by one.
  private static let mostBytes = 32 << 20

  init(source: any FrameSource, finder: FaceFinder, options: VideoOptions, meter: VideoMeter) throws {
    self.source = source
    self.finder = finder
    self.meter = meter
    every = options.every
    state = Mutex(State(follower: try FaceFollower(minFace: options.minFace)))
  }

  /// The next frames: one, or as many as it takes to fill a batch of the network. Blocks.
  func next(single: Bool) -> SearchedFrames {
    state.withLock { state in
      var found = SearchedFrames()
      var bytes = 0
      do {
        repeat {
          guard let frame = try meter.measure(\.decoding, { try nextFrame(&state) }) else {
            found.isLast = true
            break
          }
          let searched = try meter.measure(\.searching) { try search(frame, &state) }
          let inputs = try meter.measure(\.framing) { try finder.inputs(for: searched.faces, of: frame.image) }
          found.frames.append(searched)
          found.inputs += inputs
          found.faceCount += searched.faces.count
          bytes += frame.image.pixels.count
        } while !single && found.frames.count < Self.mostFrames && bytes < Self.mostBytes
          && found.faceCount < EmotionClassifier.batchSize
      } catch {
        found.isLast = true
        found.failure = error
      }
      return found
    }
  }

  private func nextFrame(_ state: inout State) throws -> VideoFrame? {
    if state.isStarted {
      for _ in 1..<every where try !source.skip() { return nil }
    }
    state.isStarted = true
    return try source.next()
  }

  private func search(_ frame: VideoFrame, _ state: inout State) throws -> SearchedFrame {
    let startsScene = state.cut.isFirstOfScene(frame.image)
    let faces = try state.follower.faces(in: frame.image, seconds: frame.seconds, startsScene: startsScene)
    return SearchedFrame(frame: frame, startsScene: startsScene, faces: faces)
  }
}
