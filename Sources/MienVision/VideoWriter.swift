public import Foundation
import Glibc
import MienCore

/// Writes an MP4 file of H.264 that browsers play, frame by frame at the frames' own times.
///
/// - Where the program `ffmpeg` is installed, frames go to it through a socket, and the sound of another file can be kept;
///   else OpenCV writes the file, three to four times slower and without sound. Sound that cannot be kept costs nothing
///   else: ``warning`` says why.
/// - The file has a constant frame rate: a frame is shown until the next one's time, so a clip of variable frame rate keeps
///   its pace. Of odd sizes the last column or row is left out.
/// - A wrong time stamp fills no disk: a gap of more than ten minutes counts as that long, a jump back by more as one frame,
///   and later frames are shifted.
/// - The file appears under its name when ``finish(until:)`` returns, whole; until then it has a temporary name beside it.
/// - Every call may block; use a writer from one thread at a time.
public final class VideoWriter {
  /// The file.
  public let url: URL
  /// Why the finished file has no sound although there was some to keep, in a sentence that starts after its name.
  public private(set) var warning: String?
  private let temporary: URL
  private let framesPerSecond: Double
  /// In seconds.
  private let longestGap: Double
  private let sound: URL?
  private let program: URL?
  private var encoder: (any VideoEncoder)?
  /// The frame that is shown last so far, and how many of the file's frames are written.
  private var pending: Image?
  private var written = 0
  /// When the last frame is shown, in seconds of the file, and how much later its time stamp was.
  private var latest = 0.0
  private var shift = 0.0

  /// Prepares a file.
  ///
  /// - Parameters:
  ///   - framesPerSecond: of the file; fewer than 24 are written several times, so that players stay smooth, and of more
  ///     than 120 the file has 120, at which frames stand at their times as before.
  ///   - sound: a file whose sound is kept.
  /// - Throws: ``MienError`` where the name does not end in `.mp4` or the rate is not above 0 and finite.
  public convenience init(url: URL, framesPerSecond: Double, sound: URL? = nil) throws {
    try self.init(url: url, framesPerSecond: framesPerSecond, sound: sound, program: FFmpegEncoder.program())
  }

  /// - Parameters:
  ///   - program: `ffmpeg`; nil for OpenCV's writer.
  ///   - longestGap: between two frames, in seconds.
  package init(
    url: URL, framesPerSecond: Double, sound: URL?, program: URL?, longestGap: Double = 600
  ) throws {
    guard url.pathExtension.lowercased() == "mp4" else {
      throw MienError(.argument, url.path, "expected a name that ends in .mp4")
    }
    guard framesPerSecond > 0, framesPerSecond.isFinite else {
      throw MienError(.argument, url.path, "expected more than 0 frames a second, found \(framesPerSecond)")
    }
    self.url = url
    self.sound = sound
    self.program = program
    self.framesPerSecond = min(120, framesPerSecond * max(1, (24 / framesPerSecond - 1e-6).rounded(.up)))
    self.longestGap = longestGap
    let target = url.resolvingSymlinksInPath()
    temporary = AtomicFile.temporary(target, named: target.deletingPathExtension().lastPathComponent, "tmp.mp4")
  }

  deinit { discard() }

  /// Adds a frame, shown from `seconds` after the first frame on. All frames have one size.
  ///
  /// - Throws: ``MienError`` that names the file.
  public func write(_ image: Image, seconds: Double) throws {
    let slot = Int((place(seconds) * framesPerSecond).rounded())
    if let pending {
      guard (image.width, image.height) == (pending.width, pending.height) else {
        throw MienError(
          .mismatch, url.path,
          "expected frames of \(pending.width)x\(pending.height), found one of \(image.width)x\(image.height)")
      }
      while written < slot { try encode(pending) }
    }
    pending = image
  }

  /// When a frame is shown in the file, in seconds: not before the last one.
  private func place(_ seconds: Double) -> Double {
    guard seconds.isFinite else { return latest }
    let gap = seconds - shift - latest
    if abs(gap) > longestGap { shift = seconds - latest - (gap > 0 ? longestGap : 1 / framesPerSecond) }
    latest = max(latest, seconds - shift)
    return latest
  }

  /// Writes what is left and gives the file its name. Without a frame there is no file.
  ///
  /// - Parameter end: until when the last frame is shown, on the clock of ``write(_:seconds:)``; nil for one frame's time.
  /// - Throws: ``MienError`` that names the file: the disk is full, or the encoder failed. Then there is no file.
  public func finish(until end: Double? = nil) throws {
    do {
      if let pending {
        let slots = end.map { Int((place($0) * framesPerSecond).rounded()) } ?? 0
        repeat { try encode(pending) } while written < slots
      }
      pending = nil
      guard let encoder else { return }
      self.encoder = nil
      warning = try encoder.finish()
      // What OpenCV could not write it does not tell.
      guard (try? VideoContainer(contentsOf: temporary))?.isTruncated == false else {
        throw MienError(.file, nil, "could not be written; is the disk full?")
      }
      guard rename(temporary.path, url.resolvingSymlinksInPath().path) == 0 else {
        throw MienError(.file, nil, "could not be written: \(String(cString: strerror(errno)))")
      }
    } catch let error as MienError {
      discard()
      throw error.about(url.path)
    }
  }

  private func encode(_ image: Image) throws {
    do {
      let encoder = try self.encoder ?? start(image)
      self.encoder = encoder
      try encoder.write(image.rgb.pixels)
      written += 1
    } catch let error as MienError {
      discard()
      throw error.about(url.path)
    }
  }

  private func start(_ image: Image) throws -> any VideoEncoder {
    let format = VideoFormat(width: image.width, height: image.height, framesPerSecond: framesPerSecond)
    if let program {
      return try FFmpegEncoder(program: program, url: temporary, format: format, sound: sound)
    }
    return try ShimEncoder(url: temporary, format: format, sound: sound)
  }

  private func discard() {
    pending = nil
    guard encoder != nil || written > 0 else { return }
    encoder?.cancel()
    encoder = nil
    unlink(temporary.path)
  }
}

/// Size and pace of a file that is written.
struct VideoFormat {
  let width: Int
  let height: Int
  let framesPerSecond: Double
}

/// Turns frames into a file.
protocol VideoEncoder {
  /// Adds a frame of RGB samples.
  func write(_ pixels: [UInt8]) throws
  /// Completes the file.
  ///
  /// - Returns: why it has no sound although there was some to keep, in a sentence that starts after its name.
  func finish() throws -> String?
  /// Ends without a usable file.
  func cancel()
}

/// OpenCV's writer, in the video shim.
private final class ShimEncoder: VideoEncoder {
  private let shim: VideoShim.Writer
  private let sound: URL?

  init(url: URL, format: VideoFormat, sound: URL?) throws {
    shim = try VideoShim.Writer(path: url.path, format)
    self.sound = sound
  }

  func write(_ pixels: [UInt8]) throws { try shim.write(pixels) }

  func finish() throws -> String? {
    shim.close()
    let hasSound = sound.flatMap { try? VideoShim.Sound(of: $0) }.map { $0.count > 0 } ?? false
    return hasSound ? "has no sound: keeping it needs the program ffmpeg; install it and run this again" : nil
  }

  func cancel() { shim.close() }
}
