import CMienVideoFunctions
public import Foundation
import MienCore
import Synchronization

/// A frame of a video.
public struct VideoFrame: Sendable {
  /// Its number in order of presentation, from 0; frames that were passed over count.
  public let index: Int
  /// When it is shown, in seconds after the first frame, by the file's own time stamps.
  public let seconds: Double
  /// Upright, RGB.
  public let image: Image
}

/// Reads the frames of a video file one after another.
///
/// - Frames come in order of presentation, upright as players show them (by the rotation in MP4 and QuickTime files), as
///   8-bit RGB.
/// - Times are the container's, so a clip of variable frame rate keeps its pace. They count from the video stream's first
///   frame, which may start later than the sound. The last frames of a clip with bidirectional prediction have no time
///   stamp in OpenCV 4.6: they go on at the pace of the frames before them.
/// - Every call blocks while it decodes; make it on a thread of one's own, not in Swift's cooperative pool. Calls from
///   several threads wait for each other. FFmpeg decodes on as many threads as there are cores.
/// - The shared library behind it is loaded when the first reader is made (`docs/decisions/video-shim.md`).
public final class VideoReader: Sendable {
  /// The file.
  public let url: URL
  /// Upright width in pixels.
  public let width: Int
  /// Upright height in pixels.
  public let height: Int
  /// Mean frames a second; nil where the file does not tell.
  public let framesPerSecond: Double?
  /// How many frames the file says it has, for progress; counted in some containers, estimated in others, nil where it
  /// does not tell.
  public let frameCount: Int?
  private let state: Mutex<State>

  private struct State {
    let functions: mien_opencv_video_functions_table
    let handle: OpaquePointer
    /// What to say at the end where the file is cut off.
    let truncation: String?
    /// The mean length of a frame in seconds.
    let pace: Double
    var nextIndex = 0
    var seconds = 0.0
    var step = 0.0
    var isAtEnd = false
  }

  /// Opens a file. Its container is told by its content, whatever its name: MP4 and QuickTime, Matroska and WebM, AVI,
  /// MPEG-TS, MPEG-PS, FLV, Ogg, ASF (WMV) or YUV4MPEG2.
  ///
  /// - Throws: ``MienError`` that names the file: it is missing, empty, no video, has no video stream, is cut off before
  ///   its index, or its codec cannot be decoded here.
  public init(contentsOf url: URL) throws {
    self.url = url
    do {
      let container = try VideoContainer(contentsOf: url)
      let functions = try VideoShim.functions()
      var handle: OpaquePointer?
      var info = mien_opencv_video_info()
      do {
        try VideoShim.check(functions) {
          functions.reader_open(url.path, Int32(container.quarterTurns), &handle, &info, $0)
        }
      } catch let error as MienError {
        let codec = container.codec.map { "; its codec is \($0)" } ?? ""
        throw MienError(.format, nil, "cannot be read as \(container.name): \(error.message)\(codec)")
      }
      guard let handle else { throw MienError(.native, nil, "could not be opened") }
      width = Int(info.width)
      height = Int(info.height)
      framesPerSecond = info.frames_per_second > 0 ? info.frames_per_second : nil
      frameCount = info.frame_count > 0 ? Int(info.frame_count) : nil
      state = Mutex(
        State(
          functions: functions, handle: handle, truncation: container.isTruncated ? container.name : nil,
          pace: 1 / (framesPerSecond ?? 25)))
    } catch let error as MienError {
      throw error.subject == nil ? error.about(url.path) : error
    }
  }

  /// Opens the camera of a number, from 0 on. Times are the driver's, from any moment on.
  package init(camera: Int) throws {
    url = URL(fileURLWithPath: "/dev/video\(camera)")
    do {
      let functions = try VideoShim.functions()
      var handle: OpaquePointer?
      var info = mien_opencv_video_info()
      try VideoShim.check(functions) { functions.camera_open(Int32(clamping: camera), &handle, &info, $0) }
      guard let handle else { throw MienError(.native, nil, "could not be opened") }
      width = Int(info.width)
      height = Int(info.height)
      framesPerSecond = info.frames_per_second > 0 ? info.frames_per_second : nil
      frameCount = nil
      state = Mutex(State(functions: functions, handle: handle, truncation: nil, pace: 1 / (framesPerSecond ?? 25)))
    } catch let error as MienError {
      throw error.about("camera \(camera)")
    }
  }

  deinit { state.withLock { $0.functions.reader_free($0.handle) } }

  /// The next frame; nil at the end.
  ///
  /// - Throws: ``MienError`` that names the file: at the end of one that is cut off, after its last whole frame, and where
  ///   not a single frame could be decoded. Further calls then return nil.
  public func next() throws -> VideoFrame? { try next(notBefore: -.infinity) }

  /// The next frame that is shown at `seconds` or later; nil at the end. Frames before it are decoded, as others are
  /// built on them, but not converted to RGB.
  ///
  /// - Throws: ``MienError`` as ``next()`` does.
  public func next(notBefore seconds: Double) throws -> VideoFrame? {
    do {
      return try state.withLock { state in
        while try Self.advance(&state) {
          guard state.seconds >= seconds else { continue }
          return VideoFrame(
            index: state.nextIndex - 1, seconds: state.seconds, image: try Self.image(state))
        }
        return nil
      }
    } catch let error as MienError {
      throw error.about(url.path)
    }
  }

  /// Passes over the next frame: it is decoded, as others are built on it, but not converted to RGB.
  ///
  /// - Returns: whether there was one.
  /// - Throws: ``MienError`` as ``next()`` does.
  public func skip() throws -> Bool {
    do { return try state.withLock { try Self.advance(&$0) } } catch let error as MienError {
      throw error.about(url.path)
    }
  }

  /// Decodes a frame.
  ///
  /// - Returns: whether there was one.
  private static func advance(_ state: inout State) throws -> Bool {
    guard !state.isAtEnd else { return false }
    var (hasFrame, milliseconds) = (Int32(0), 0.0)
    try VideoShim.check(state.functions) { state.functions.reader_grab(state.handle, &hasFrame, &milliseconds, $0) }
    guard hasFrame != 0 else {
      state.isAtEnd = true
      if let container = state.truncation {
        let seconds = (state.seconds * 100).rounded() / 100
        throw MienError(
          .format, nil,
          "is a truncated file (\(container)): it ends after \(state.nextIndex) frames, at \(seconds) s")
      }
      guard state.nextIndex > 0 else {
        throw MienError(.format, nil, "holds no frame that can be decoded")
      }
      return false
    }
    var seconds = milliseconds / 1000
    if state.nextIndex > 0 {
      if seconds > state.seconds {
        // Frames whose time stamps do not rise follow at the last pace, but not at a jump that one wrong stamp made.
        state.step = min(seconds - state.seconds, max(1, 10 * state.pace))
      } else {
        seconds = state.seconds + (state.step > 0 ? state.step : state.pace)
      }
    }
    state.seconds = seconds
    state.nextIndex += 1
    return true
  }

  private static func image(_ state: State) throws -> Image {
    var pixels: UnsafePointer<UInt8>?
    var (width, height) = (Int32(0), Int32(0))
    try VideoShim.check(state.functions) { state.functions.reader_retrieve(state.handle, &pixels, &width, &height, $0) }
    let samples = Array(UnsafeBufferPointer(start: pixels, count: Int(width) * Int(height) * 3))
    return try Image(width: Int(width), height: Int(height), channels: 3, pixels: samples)
  }
}
