import Foundation
import Glibc
import MienCore

/// The program `ffmpeg`, fed with raw frames.
final class FFmpegEncoder: VideoEncoder {
  private let process = Process()
  private var socket: Int32
  /// What the program complains of; a file without a name, so that a long complaint cannot block it.
  private let complaints: FileHandle

  /// The first `ffmpeg` on the search path.
  static func program(_ name: String = "ffmpeg") -> URL? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }

  /// Starts the program.
  init(program: URL, url: URL, format: VideoFormat, sound: URL?) throws {
    var ends: [Int32] = [0, 0]
    // A socket rather than a pipe: writing to a program that has ended must not raise SIGPIPE.
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw MienError(.native, nil, "no socket: \(String(cString: strerror(errno)))")
    }
    socket = ends[0]
    let input = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    complaints = try Self.unnamedFile()
    process.executableURL = program
    process.arguments = Self.arguments(url, format, sound: sound)
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = complaints
    do { try process.run() } catch {
      close(socket)
      throw MienError(.native, program.path, "cannot be started")
    }
    try? input.close()
  }

  private static func arguments(_ url: URL, _ format: VideoFormat, sound: URL?) -> [String] {
    var arguments = ["-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    arguments += ["-s", "\(format.width)x\(format.height)", "-framerate", "\(format.framesPerSecond)", "-i", "pipe:0"]
    if let sound {
      // Frame times count from the first frame; the sound may have begun before it.
      let offset = -videoStart(of: sound)
      if abs(offset) > 0.001 { arguments += ["-itsoffset", "\(offset)"] }
      // Padded with silence, so that the pictures alone say where the file ends.
      arguments += ["-i", "file:\(sound.path)", "-map", "0:v:0", "-map", "1:a:0?", "-c:a", "aac", "-b:a", "160k"]
      arguments += ["-af", "apad", "-shortest"]
    }
    arguments += [
      "-map_metadata", "-1", "-map_chapters", "-1", "-c:v", "libx264", "-preset", "superfast", "-crf", "21",
    ]
    arguments += ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    return arguments + ["-f", "mp4", "file:\(url.path)"]
  }

  /// Seconds from the start of the file to its first picture; 0 where `ffprobe` is not there to tell.
  private static func videoStart(of url: URL) -> Double {
    guard let program = program("ffprobe") else { return 0 }
    let (probe, output) = (Process(), Pipe())
    probe.executableURL = program
    probe.arguments = [
      "-v", "quiet", "-select_streams", "v:0", "-show_entries", "stream=start_time:format=start_time", "-of",
      "default=noprint_wrappers=1:nokey=1", "file:\(url.path)",
    ]
    probe.standardOutput = output
    probe.standardInput = FileHandle.nullDevice
    probe.standardError = FileHandle.nullDevice
    guard (try? probe.run()) != nil, let text = try? output.fileHandleForReading.readToEnd() else { return 0 }
    probe.waitUntilExit()
    let starts = String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { Double($0) }
    return starts.count == 2 ? max(0, starts[0] - starts[1]) : 0
  }

  private static func unnamedFile() throws -> FileHandle {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("mien-ffmpeg-\(UUID())").path
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return FileHandle.nullDevice }
    unlink(path)
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  func write(_ pixels: [UInt8]) throws {
    let isSent = pixels.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let sent = send(socket, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, Int32(MSG_NOSIGNAL))
        if sent < 0 && errno == EINTR { continue }
        guard sent > 0 else { return false }
        rest = rest.dropFirst(sent)
      }
      return true
    }
    if !isSent { throw failure() }
  }

  func finish() throws {
    closeSocket()
    process.waitUntilExit()
    if process.terminationStatus != 0 { throw failure() }
  }

  func cancel() {
    if process.isRunning { process.terminate() }
    closeSocket()
    process.waitUntilExit()
  }

  private func closeSocket() {
    guard socket >= 0 else { return }
    close(socket)
    socket = -1
  }

  /// Why the program gave up, in its own words.
  private func failure() -> MienError {
    closeSocket()
    process.waitUntilExit()
    try? complaints.seek(toOffset: 0)
    let text = (try? complaints.read(upToCount: 4096)) ?? nil
    let lines = String(decoding: text ?? Data(), as: UTF8.self).split(separator: "\n")
    return MienError(
      .native, nil, "ffmpeg could not write it: \(lines.last ?? "it ended with \(process.terminationStatus)")")
  }
}
