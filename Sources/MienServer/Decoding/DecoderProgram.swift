import Foundation
import Glibc
import MienCore
import MienVision

/// What runs in a ``DecoderProcess``: decodes what the server asks for, with as much memory and time as a file may take.
package enum DecoderProgram {
  /// The command of `mien-server` that runs it.
  package static let command = "decode"

  /// Answers the requests that come over standard input, a socket, until the server closes it.
  package static func run() throws {
    leaveWithServer()
    try setLimit(RLIMIT_CORE, 0)
    let channel = DecoderChannel(socket: STDIN_FILENO)
    var (video, seconds) = (VideoReader?.none, 0.0)
    while true {
      try allowTime(nil)
      guard let (request, bytes) = try? channel.receive(DecoderRequest.self) else { return }
      if let limits = request.limits { seconds = limits.decodingSeconds }
      do {
        try allowTime(seconds)
        switch request {
        case .picture(let limits):
          try allowMemory(limits.pictureMemory)
          let image = try Image(encoded: Data(bytes), limits: limits.picture)
          try image.pixels.withUnsafeBytes { try channel.send(DecoderAnswer.picture(.init(image)), $0) }
        case .video(let path, let limits):
          try allowMemory(forVideo: limits, pixels: limits.videoPixels)
          let reader = try VideoReader(contentsOf: URL(fileURLWithPath: path), limits: limits.video)
          try allowMemory(forVideo: limits, pixels: reader.width * reader.height)
          video = reader
          try channel.send(
            DecoderAnswer.video(
              .init(
                width: reader.width, height: reader.height, framesPerSecond: reader.framesPerSecond,
                frameCount: reader.frameCount)))
        case .next:
          guard let frame = try video?.next() else {
            try channel.send(DecoderAnswer.end(warnings: video?.warnings ?? []))
            continue
          }
          let answer = DecoderAnswer.frame(index: frame.index, seconds: frame.seconds, .init(frame.image))
          try frame.image.pixels.withUnsafeBytes { try channel.send(answer, $0) }
        case .skip:
          let isThere = try video?.skip() == true
          try channel.send(isThere ? DecoderAnswer.skipped : .end(warnings: video?.warnings ?? []))
        }
      } catch let error as MienError {
        try channel.send(
          DecoderAnswer.failure(kind: error.kind.rawValue, subject: error.subject, message: error.message))
      }
    }
  }

  /// Ends the process as soon as the server closes the socket or is no more, whatever is being decoded.
  private static func leaveWithServer() {
    Thread {
      var descriptor = pollfd(fd: STDIN_FILENO, events: 0, revents: 0)
      while poll(&descriptor, 1, -1) <= 0 {}
      _exit(0)
    }.start()
  }

  /// Has the kernel end the process when it has taken so much more processor time; `nil` for any.
  private static func allowTime(_ seconds: Double?) throws {
    var timer = itimerval()
    let seconds = seconds.map { max($0, 0.001) } ?? 0
    timer.it_value = timeval(tv_sec: Int(seconds), tv_usec: Int(1e6 * seconds.truncatingRemainder(dividingBy: 1)))
    guard setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil) == 0 else { throw refusal() }
  }

  /// Has the kernel refuse memory beyond so many bytes more than the program took when it began.
  private static func allowMemory(_ bytes: Int) throws { try setLimit(RLIMIT_DATA, UInt(ownBytes + bytes)) }

  private static func allowMemory(forVideo limits: ServerLimits, pixels: Int) throws {
    try allowMemory(limits.videoMemory + 14 * min(pixels, 1 << 40))
  }

  private static let ownBytes: Int = {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("VmData:") }
    return 1024 * (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0)
  }()

  private static func setLimit(_ resource: __rlimit_resource, _ value: UInt) throws {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { throw refusal() }
    limit.rlim_cur = min(value, limit.rlim_max)
    guard setrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 else { throw refusal() }
  }

  private static func refusal() -> MienError {
    MienError(.native, nil, "limits of memory and time cannot be set: \(String(cString: strerror(errno)))")
  }
}
