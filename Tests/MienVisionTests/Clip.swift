import Foundation
import MienVision

/// Frames of a video by way of the `ffmpeg` program.
enum Clip {
  static let ffmpeg: String? =
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/ffmpeg" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  struct Failure: Error { var reason: String }

  /// Calls `body` with each wanted frame, numbered from 0 in order of presentation; returns how many frames there are.
  static func forEachFrame(
    of url: URL, width: Int, height: Int, wanted: Set<Int>, _ body: (Int, Image) throws -> Void
  ) throws -> Int {
    // Without this, ffmpeg repeats and drops frames to keep a constant rate. Its name changed with version 5.1.
    for passthrough in [["-fps_mode", "passthrough"], ["-vsync", "passthrough"]] {
      let count = try forEachFrame(of: url, width: width, height: height, wanted: wanted, options: passthrough, body)
      if count > 0 { return count }
    }
    return 0
  }

  private static func forEachFrame(
    of url: URL, width: Int, height: Int, wanted: Set<Int>, options: [String], _ body: (Int, Image) throws -> Void
  ) throws -> Int {
    guard let ffmpeg else { throw Failure(reason: "no ffmpeg") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: ffmpeg)
    process.arguments = [
      "-v", "error", "-nostdin", "-threads", "1", "-i", url.path, "-f", "rawvideo", "-pix_fmt", "rgb24",
    ]
    process.arguments? += options + ["-"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    defer { process.waitUntilExit() }
    let frameBytes = width * height * 3
    var number = 0
    while true {
      var frame = Data()
      while frame.count < frameBytes,
        let part = try pipe.fileHandleForReading.read(upToCount: frameBytes - frame.count),
        !part.isEmpty
      {
        frame.append(part)
      }
      guard frame.count == frameBytes else { return number }
      if wanted.contains(number) {
        try body(number, Image(width: width, height: height, channels: 3, pixels: [UInt8](frame)))
      }
      number += 1
    }
  }
}
