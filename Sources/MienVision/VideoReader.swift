import CMienVideoFunctions
public import Foundation
import Glibc
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

  package init(index: Int, seconds: Double, image: Image) {
    (self.index, self.seconds, self.image) = (index, seconds, image)
  }
}

/// Reads the frames of a video file, or of an address in a network, one after another.
///
/// - Frames come in order of presentation, all of one size, as players show them, as 8-bit RGB: upright, pixels that are
///   not square stretched, interlaced frames made whole, HDR as SDR, transparency on white. Of several video streams the
///   film is read, not a cover picture.
/// - Times are the container's, so a clip of variable frame rate keeps its pace. They count from the video stream's first
///   frame, which may start later than the sound. Streams without a container have no times: their frames are evenly
///   spaced, and ``warnings`` tells at what rate.
/// - Damaged data are passed over, and counted in ``warnings``.
/// - Every call blocks while it decodes; make it on a thread of one's own, not in Swift's cooperative pool. Calls from
///   several threads wait for each other. FFmpeg decodes on as many threads as there are cores, large frames
///   on fewer, since each thread keeps a frame.
/// - The shared library behind it is loaded when the first reader is made (`docs/decisions/video-shim.md`).
public final class VideoReader: Sendable {
  /// The file or address.
  public let url: URL
  /// Upright width in pixels, as it is stored: ``Image/wholeWidth`` of its frames.
  public let width: Int
  /// Upright height in pixels, as it is stored.
  public let height: Int
  /// Mean frames per second; `nil` if the file does not tell.
  public let framesPerSecond: Double?
  /// How many frames the file says it has, for progress; counted in some containers, estimated in others, `nil` if it
  /// does not tell.
  public let frameCount: Int?
  /// What messages call it: a file's path, an address without its password.
  package let name: String
  private let notes: [String]
  private let state: Mutex<State>

  private struct State {
    let functions: mien_opencv_video_functions_table
    let handle: OpaquePointer
    let info: mien_opencv_video_info
    let kind: Kind
    /// How frames have to be turned to be upright: EXIF's orientation, 1 (not at all) to 8.
    let orientation: Int
    /// The mean length of a frame in seconds.
    let pace: Double
    var nextIndex = 0
    var seconds = 0.0
    var step = 0.0
    var isAtEnd = false
  }

  /// What is read, for what is said of its end.
  private enum Kind {
    /// A file; `cutOff` names the container of one that says it is longer than it is.
    case file(cutOff: String?)
    case address
    case camera
  }

  /// Opens a file, or an address of http, https, rtsp or rtmp.
  ///
  /// A file's container is told by its content, whatever its name: MP4 and QuickTime, Matroska and WebM, AVI, MPEG-TS,
  /// MPEG-PS, FLV, Ogg, ASF (WMV), DV, MXF, IVF or YUV4MPEG2; H.264, HEVC, MPEG and Motion JPEG without a container;
  /// animated GIF, PNG, WebP, AVIF and HEIC. Of an address, whatever takes longer than 20 s fails.
  ///
  /// - Throws: ``MienError`` that names the file, or the address without its password: it is missing, empty, no video, has
  ///   no video stream, is cut off before its index, claims more frames than it can hold, its codec cannot be decoded here,
  ///   or its frames have more than 200 million pixels.
  public convenience init(contentsOf url: URL) throws { try self.init(contentsOf: url, limits: VideoLimits()) }

  /// - Parameters:
  ///   - isLive: whether a frame is wanted as soon as it comes.
  ///   - limits: how large the frames and the index of a file may be.
  package init(contentsOf url: URL, isLive: Bool = false, limits: VideoLimits) throws {
    self.url = url
    let address = url.isFileURL ? nil : NetworkAddress(url.absoluteString)
    name = address?.shown ?? url.path
    do {
      let opened: Opened
      if let address {
        opened = try Self.open(address, isLive: isLive)
        notes = []
      } else {
        let container = try VideoContainer(contentsOf: url, limits: limits)
        opened = try Self.open(url, container, limits)
        notes = container.isUntimed ? [Self.note(opened.info, container)] : []
      }
      (width, height) = opened.size
      framesPerSecond = opened.framesPerSecond
      frameCount = opened.frameCount
      state = Mutex(opened.state)
    } catch let error as MienError {
      throw error.subject == nil ? error.about(name) : error
    }
  }

  /// Opens a camera of this machine: its number, from 0 on, or its device's path. Times are the driver's, from any moment
  /// on.
  package init(camera: String) throws {
    let path = Int(camera).map { "/dev/video\($0)" } ?? camera
    url = URL(fileURLWithPath: path)
    name = "camera \(camera)"
    notes = []
    do {
      let opened = try Opened(.camera) { functions, handle, info, error in
        path.withCString { functions.camera_open($0, &handle, &info, error) }
      }
      (width, height) = opened.size
      framesPerSecond = opened.framesPerSecond
      frameCount = nil
      state = Mutex(opened.state)
    } catch let error as MienError where error.subject == nil {
      let isThere = access(path, F_OK) == 0
      throw MienError(error.kind, name, isThere ? error.message : "\(error.message)\(Self.cameras())")
    }
  }

  deinit { state.withLock { $0.functions.reader_free($0.handle) } }

  // MARK: - Opening

  /// A reader of the shim and what it says of its source.
  private struct Opened {
    let state: State
    var info: mien_opencv_video_info { state.info }
    var size: (width: Int, height: Int) {
      let (width, height) = (Int(info.whole_width), Int(info.whole_height))
      return state.orientation > 4 ? (height, width) : (width, height)
    }
    var framesPerSecond: Double? { info.frames_per_second > 0 ? info.frames_per_second : nil }
    var frameCount: Int? { info.frame_count > 0 ? Int(info.frame_count) : nil }

    init(
      _ kind: Kind, orientation: Int = 1,
      _ open: (
        mien_opencv_video_functions_table, inout OpaquePointer?, inout mien_opencv_video_info,
        UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
      ) -> Int32
    ) throws {
      let functions = try VideoShim.functions()
      var handle: OpaquePointer?
      var info = mien_opencv_video_info()
      try VideoShim.check(functions) { open(functions, &handle, &info, $0) }
      guard let handle, info.width > 0, info.height > 0 else { throw MienError(.native, nil, "could not be opened") }
      state = State(
        functions: functions, handle: handle, info: info, kind: kind, orientation: orientation,
        pace: 1 / (info.frames_per_second > 0 ? info.frames_per_second : 25))
    }
  }

  private static func open(_ url: URL, _ container: VideoContainer, _ limits: VideoLimits) throws -> Opened {
    do {
      let kind = Kind.file(cutOff: container.isTruncated ? container.name : nil)
      return try Opened(kind, orientation: container.orientation) { functions, handle, info, error in
        VideoShim.withSource(url.path, container, limits) { functions.reader_open($0, &handle, &info, error) }
      }
    } catch let error as MienError where error.kind != .limit && error.subject == nil {
      let codec = container.codec.map { "; its codec is \($0)" } ?? ""
      throw MienError(.format, nil, "cannot be read as \(container.name): \(error.message)\(codec)")
    }
  }

  private static func open(_ address: NetworkAddress, isLive: Bool) throws -> Opened {
    guard NetworkAddress.videoSchemes.contains(address.scheme) else {
      let known = NetworkAddress.videoSchemes.joined(separator: ", ")
      throw MienError(.argument, nil, "expected an address of \(known), found \(address.scheme)")
    }
    do {
      return try Opened(.address) { functions, handle, info, error in
        address.text.withCString { text in
          var source = mien_opencv_video_source()
          (source.location, source.is_address, source.is_live) = (text, 1, isLive ? 1 : 0)
          return functions.reader_open(&source, &handle, &info, error)
        }
      }
    } catch let error as MienError where error.subject == nil {
      throw MienError(.file, nil, "cannot be read: \(error.message)")
    }
  }

  /// What is said of a stream without time stamps.
  private static func note(_ info: mien_opencv_video_info, _ container: VideoContainer) -> String {
    let rate = (info.frames_per_second * 1000).rounded() / 1000
    let text = rate == rate.rounded() ? "\(Int(rate))" : "\(rate)"
    let origin =
      info.is_rate_assumed != 0
      ? "which is assumed; if it is another: ffmpeg -r RATE -f \(container.format) -i IN -c copy out.mp4"
      : "as it says itself"
    return "is \(container.name) without a container, so without time stamps: read at \(text) frames per second, "
      + origin
  }

  /// The cameras that there are.
  private static func cameras() -> String {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev")) ?? []
    let devices = names.filter { $0.hasPrefix("video") && $0.dropFirst(5).allSatisfy(\.isNumber) && $0.count > 5 }
    guard !devices.isEmpty else {
      return "; this machine has none (a container sees those that it is given: docker run --device /dev/video0)"
    }
    let numbers = devices.compactMap { Int($0.dropFirst(5)) }.sorted().map { "\($0) (/dev/video\($0))" }
    return "; there are \(numbers.joined(separator: ", "))"
  }

  // MARK: - Reading

  /// What was wrong with the video but did not end it, each in a sentence that starts after its name: frames that were
  /// damaged or are missing, an assumed rate. Complete once the last frame was read.
  public var warnings: [String] {
    state.withLock { state in
      guard let faults = Self.faults(state), faults.damaged > 0 || faults.missing > 0 else { return notes }
      let total = state.nextIndex + faults.missing
      var parts: [String] = []
      if faults.damaged > 0 {
        parts.append("parts of \(Spelling.counted(faults.damaged, "frame")) may be wrong")
      }
      if faults.missing > 0 {
        let missing = Spelling.counted(faults.missing, "frame")
        parts.append("\(missing) could not be decoded and \(faults.missing == 1 ? "is" : "are") missing")
      }
      return notes + ["is damaged: of \(Spelling.counted(total, "frame")), \(parts.joined(separator: ", "))"]
    }
  }

  /// The next frame; `nil` at the end.
  ///
  /// - Throws: ``MienError`` that names the video: at the end of a file that is cut off, after its last whole frame; where
  ///   a connection broke off; and where not a single frame could be decoded. Further calls then return `nil`.
  public func next() throws -> VideoFrame? { try next(notBefore: -.infinity) }

  /// The next frame that is shown at `seconds` or later; `nil` at the end. Frames before it are decoded, as others are
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
      throw error.about(name)
    }
  }

  /// Passes over the next frame: it is decoded, as others are built on it, but not converted to RGB.
  ///
  /// - Returns: whether there was one.
  /// - Throws: ``MienError`` as ``next()`` does.
  public func skip() throws -> Bool {
    do { return try state.withLock { try Self.advance(&$0) } } catch let error as MienError {
      throw error.about(name)
    }
  }

  /// Decodes a frame.
  ///
  /// - Returns: whether there was one.
  private static func advance(_ state: inout State) throws -> Bool {
    guard !state.isAtEnd else { return false }
    var (hasFrame, stamp) = (Int32(0), 0.0)
    try VideoShim.check(state.functions) { state.functions.reader_grab(state.handle, &hasFrame, &stamp, $0) }
    guard hasFrame != 0 else {
      state.isAtEnd = true
      if let problem = problem(atEndOf: state) { throw problem }
      return false
    }
    var seconds = stamp
    if state.nextIndex > 0 {
      if seconds > state.seconds {
        // Frames whose time stamps do not rise follow at the last pace, but not at a jump that one wrong stamp made.
        state.step = min(seconds - state.seconds, max(1, 10 * state.pace))
      } else {
        // Not a number where there is no stamp.
        seconds = state.seconds + (state.step > 0 ? state.step : state.pace)
      }
    }
    state.seconds = seconds.isFinite ? seconds : 0
    state.nextIndex += 1
    return true
  }

  /// Why the end is none that was to be expected.
  private static func problem(atEndOf state: State) -> MienError? {
    let place = "after \(Spelling.counted(state.nextIndex, "frame")), at \((state.seconds * 100).rounded() / 100) s"
    switch state.kind {
    case .file(let container?):
      return MienError(.format, nil, "is a truncated file (\(container)): it ends \(place)")
    case .camera:
      return MienError(.file, nil, "gave no more pictures \(place); was it unplugged?")
    case .file, .address:
      if let faults = faults(state), let failure = faults.failure {
        return MienError(faults.isDamage ? .format : .file, nil, "broke off \(place): \(failure)")
      }
    }
    return state.nextIndex > 0 ? nil : MienError(.format, nil, "holds no frame that can be decoded")
  }

  private static func faults(_ state: State) -> (damaged: Int, missing: Int, failure: String?, isDamage: Bool)? {
    var faults = mien_opencv_video_faults()
    guard state.functions.reader_faults(state.handle, &faults, nil) == MIEN_OPENCV_VIDEO_OK else { return nil }
    defer { state.functions.string_free(faults.failure) }
    let failure = faults.failure.map { String(cString: $0) }
    return (Int(faults.damaged), Int(faults.missing), failure, faults.is_damage != 0)
  }

  private static func image(_ state: State) throws -> Image {
    let (width, height) = (Int(state.info.width), Int(state.info.height))
    let count = width * height * 3
    let samples = try [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      try VideoShim.check(state.functions) {
        state.functions.reader_retrieve(state.handle, buffer.baseAddress, count, $0)
      }
      written = count
    }
    return try Image(
      uncheckedWidth: width, height: height, channels: 3, pixels: samples, reduction: Int(state.info.reduction),
      wholeWidth: Int(state.info.whole_width), wholeHeight: Int(state.info.whole_height)
    ).turned(byOrientation: state.orientation)
  }
}
