public import Foundation
public import MienCore
public import MienVision

/// Cuts the faces out of videos: chosen frames, any face detector, one square picture a face, without near-identical ones.
public struct FaceExtractor: Sendable {
  /// Which frames are looked at.
  public enum Choice: Sendable, Equatable {
    /// The first frame, then the first of every such interval in seconds.
    case every(Double)
    /// The first frame, and the first after each cut.
    case scenes
  }

  /// A face of a video.
  public struct Face: Sendable {
    /// The number of its frame, from 0.
    public let frame: Int
    /// When its frame is shown, in seconds after the first.
    public let seconds: Double
    /// Its place in the frame's list of faces, from 1, the largest first.
    public let number: Int
    /// The detector's box, in pixels of the upright frame.
    public let box: Box
    /// The crop.
    public let image: Image

    /// Describes a face.
    public init(frame: Int, seconds: Double, number: Int, box: Box, image: Image) {
      self.frame = frame
      self.seconds = seconds
      self.number = number
      self.box = box
      self.image = image
    }
  }

  /// What came of a video.
  public struct Outcome: Sendable {
    /// Frames that were looked at.
    public var frames = 0
    /// Faces that the detector found.
    public var found = 0
    /// Faces left out because one that was kept of the same video is much the same.
    public var repeated = 0
    /// Faces handed over.
    public var kept: Int { found - repeated }
    /// Why the video ended early; the faces before that were handed over.
    public var error: MienError?
    /// What was wrong with the video but did not end it: see `VideoReader.warnings`.
    public var warnings: [String] = []
  }

  /// The similarity from which on a face is left out as a repeated one: stricter than an audit's, since a person who
  /// changes the expression before a fixed camera is what a data set needs.
  ///
  /// Of CK+48's 3,312 pairs of one subject with different labels the most alike measure 0.974; of consecutive frames of
  /// a face in `hamilton.mp4` 39 % measure 0.98 and more, detector's jitter included.
  package static let repeatThreshold: Float = 0.98

  /// Which frames are looked at.
  public let choice: Choice
  /// How a detected face is cropped.
  public let frame: FaceFrame
  /// Whether the crop's histogram is equalised; then it is grey.
  public let equalizes: Bool
  private let detector: any FaceDetector

  /// Sets up an extraction.
  ///
  /// - Throws: ``MienError`` where the interval is not positive.
  public init(choice: Choice, frame: FaceFrame, equalizes: Bool = false, detector: any FaceDetector) throws {
    if case .every(let seconds) = choice, !(seconds > 0 && seconds.isFinite) {
      throw MienError(.argument, "every \(seconds)", "expected a number of seconds above 0")
    }
    self.choice = choice
    self.frame = frame
    self.equalizes = equalizes
    self.detector = detector
  }

  /// Reads the video at `url` and hands each face to `body`, in order. Blocks.
  ///
  /// - Parameters:
  ///   - shouldStop: asked before each frame; where it says yes the video ends there.
  ///   - progress: called after each frame that was looked at with its number and how many the file says there are.
  /// - Throws: what `body` throws. A file that cannot be read, or not to its end, is in the outcome.
  public func extract(
    _ url: URL, shouldStop: () -> Bool = { false }, progress: (Int, Int?) -> Void = { _, _ in },
    _ body: (Face) throws -> Void
  ) throws -> Outcome {
    var outcome = Outcome()
    var kept: [FaceSignature] = []
    do {
      let reader = try VideoReader(contentsOf: url)
      defer { outcome.warnings = reader.warnings }
      var frames = ChosenFrames(reader: reader, choice: choice)
      while !shouldStop(), let video = try frames.next() {
        outcome.frames += 1
        for (index, detected) in try detector.faces(in: video.image).enumerated() {
          outcome.found += 1
          let image = try crop(detected, video.image)
          let signature = try FaceSignature(image)
          guard !kept.contains(where: { signature.isNearCopy(of: $0, threshold: Self.repeatThreshold) }) else {
            outcome.repeated += 1
            continue
          }
          let face = Face(
            frame: video.index, seconds: video.seconds, number: index + 1, box: detected.box, image: image)
          do { try body(face) } catch { throw Refusal(error: error) }
          kept.append(signature)
        }
        progress(video.index, reader.frameCount)
      }
    } catch let refusal as Refusal {
      throw refusal.error
    } catch let error as MienError {
      outcome.error = error
    }
    return outcome
  }

  /// An error of the caller's, told from those of the video.
  private struct Refusal: Error { let error: any Error }

  private func crop(_ found: DetectedFace, _ image: Image) throws -> Image {
    let face = try frame.face(found, of: image)
    guard equalizes else { return face }
    return try Image(
      width: face.width, height: face.height, channels: 1, pixels: Preprocessing.equalized(face.grey.pixels))
  }
}

/// The frames of a video that a choice names.
private struct ChosenFrames {
  let reader: VideoReader
  let choice: FaceExtractor.Choice
  private var due = 0.0
  private var cut = SceneCut()

  init(reader: VideoReader, choice: FaceExtractor.Choice) {
    self.reader = reader
    self.choice = choice
  }

  mutating func next() throws -> VideoFrame? {
    switch choice {
    case .every(let interval):
      // Times are multiples of a frame's length but for rounding, which must not make a frame late.
      let slack = 1e-6
      guard let frame = try reader.next(notBefore: due - slack) else { return nil }
      // Multiples of the interval, so that late frames do not push the later ones back.
      due = ((frame.seconds / interval + slack).rounded(.down) + 1) * interval
      return frame
    case .scenes:
      while let frame = try reader.next() {
        if cut.isFirstOfScene(frame.image) { return frame }
      }
      return nil
    }
  }
}
