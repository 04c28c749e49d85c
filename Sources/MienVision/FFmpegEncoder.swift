import Foundation
import Glibc
import MienCore

/// The program `ffmpeg`, fed with raw frames. The sound of another file is added when all frames are there, so that
/// nothing that is wrong with it costs the pictures.
final class FFmpegEncoder: VideoEncoder {
  private let program: URL
  private let url: URL
  private let format: VideoFormat
  private let sound: URL?
  private let process: Process
  /// What the program complains of; a file without a name, so that a long complaint cannot block it.
  private let complaints: FileHandle
  private var socket: Int32
  private var frames = 0

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
    (self.program, self.url, self.format, self.sound) = (program, url, format, sound)
    var arguments = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "\(format.width)x\(format.height)"]
    arguments += ["-framerate", "\(format.framesPerSecond)", "-i", "pipe:0", "-map_metadata", "-1"]
    arguments += ["-c:v", "libx264", "-preset", "superfast", "-crf", "21"]
    arguments += ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2", "-pix_fmt", "yuv420p"]
    (process, complaints) = try Self.prepared(program, arguments, to: url)
    process.standardInput = input
    do { try process.run() } catch {
      close(socket)
      throw MienError(.native, program.path, "cannot be started")
    }
    try? input.close()
  }

  /// The program with `arguments`, to write an MP4 file, not started yet, and the file that its complaints go to.
  private static func prepared(_ program: URL, _ arguments: [String], to url: URL) throws -> (Process, FileHandle) {
    let (process, complaints) = (Process(), try unnamedFile())
    process.executableURL = program
    process.arguments = ["-v", "error", "-nostdin", "-y"] + arguments
    process.arguments? += ["-movflags", "+faststart", "-f", "mp4", "file:\(url.path)"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = complaints
    return (process, complaints)
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
    frames += 1
  }

  func finish() throws -> String? {
    closeSocket()
    process.waitUntilExit()
    if process.terminationStatus != 0 { throw failure() }
    return sound.flatMap(addSound)
  }

  /// Adds the sound of a file to what is written.
  ///
  /// - Returns: why it could not be kept, in a sentence that starts after the copy's name; `nil` if it was, or there is
  ///   none.
  private func addSound(of source: URL) -> String? {
    let silent = "has no sound"
    guard let found = try? VideoShim.Sound(of: source) else { return silent }
    guard found.count > 0 else { return nil }
    guard let stream = found.stream else { return "\(silent): that of the video is in a format that cannot be decoded" }
    let whole = url.deletingPathExtension().appendingPathExtension("sound.mp4")
    defer { unlink(whole.path) }
    do {
      var arguments = ["-i", "file:\(url.path)"]
      // Frame times count from the first frame; the sound may have begun before it.
      if found.videoStart > 0.001 { arguments += ["-itsoffset", "\(-found.videoStart)"] }
      // Told what the file is, FFmpeg does not take it for a list of other files.
      arguments += [
        "-f", found.format, "-i", "file:\(source.path)", "-map", "0:v:0", "-map", "1:\(stream)", "-c:v", "copy",
      ]
      arguments += ["-c:a", "aac", "-b:a", "160k", "-map_metadata", "-1", "-map_chapters", "-1"]
      // Padded with silence to the end of the pictures; the time counts from the start of the sound.
      arguments += ["-af", "apad", "-t", "\(Double(frames) / format.framesPerSecond + found.videoStart)"]
      let (process, complaints) = try Self.prepared(program, arguments, to: whole)
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0, rename(whole.path, url.path) == 0 else {
        return "\(silent): \(Self.reason(process, complaints))"
      }
      return nil
    } catch {
      return "\(silent): \((error as? MienError)?.message ?? "ffmpeg cannot be started")"
    }
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
    return MienError(.native, nil, "ffmpeg could not write it: \(Self.reason(process, complaints))")
  }

  private static func reason(_ process: Process, _ complaints: FileHandle) -> String {
    try? complaints.seek(toOffset: 0)
    let text = (try? complaints.read(upToCount: 4096)) ?? nil
    let lines = String(decoding: text ?? Data(), as: UTF8.self).split(separator: "\n")
    guard let line = lines.last else { return "it ended with \(process.terminationStatus)" }
    // The file has another name until it is whole.
    guard let name = process.arguments?.last, let place = line.firstRange(of: "\(name): ") else { return String(line) }
    return String(line[place.upperBound...])
  }
}
