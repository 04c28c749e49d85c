import Foundation
import Glibc
import MienCore
import MienVision

/// What a server asks a ``DecoderProgram`` for.
enum DecoderRequest: Codable {
  /// To decode the picture whose bytes follow. Answered by ``DecoderAnswer/picture(_:)``.
  case picture(ServerLimits)
  /// To open the video at a path. Answered by ``DecoderAnswer/video(_:)``.
  case video(path: String, ServerLimits)
  /// The video's next frame. Answered by ``DecoderAnswer/frame(index:seconds:_:)`` or ``DecoderAnswer/end(warnings:)``.
  case next
  /// To pass over the video's next frame. Answered by ``DecoderAnswer/skipped`` or ``DecoderAnswer/end(warnings:)``.
  case skip

  /// What the file may take, where the request says it.
  var limits: ServerLimits? {
    switch self {
    case .picture(let limits), .video(_, let limits): limits
    case .next, .skip: nil
    }
  }
}

/// What a ``DecoderProgram`` answers.
enum DecoderAnswer: Codable {
  /// The pixels follow.
  case picture(PictureHeader)
  case video(VideoHeader)
  /// The pixels follow.
  case frame(index: Int, seconds: Double, PictureHeader)
  case skipped
  /// ``VideoReader/warnings``.
  case end(warnings: [String])
  /// What ``MienError`` says.
  case failure(kind: String, subject: String?, message: String)

  /// All of an ``Image`` but its pixels.
  struct PictureHeader: Codable {
    let width, height, channels, reduction, wholeWidth, wholeHeight: Int
    let warning: String?
    let isDamaged: Bool

    init(_ image: Image) {
      (width, height, channels, reduction) = (image.width, image.height, image.channels, image.reduction)
      (wholeWidth, wholeHeight) = (image.wholeWidth, image.wholeHeight)
      (warning, isDamaged) = (image.warning, image.isDamaged)
    }

    /// The picture that has these pixels.
    ///
    /// - Throws: ``MienError`` where they are too many or too few.
    func image(_ pixels: [UInt8]) throws -> Image {
      try Image(
        width: width, height: height, channels: channels, pixels: pixels, reduction: reduction, wholeWidth: wholeWidth,
        wholeHeight: wholeHeight, warning: warning, isDamaged: isDamaged)
    }
  }

  /// What a ``VideoReader`` says of its file.
  struct VideoHeader: Codable {
    let width, height: Int
    let framesPerSecond: Double?
    let frameCount: Int?
  }
}

/// Messages over a socket: JSON, and bytes that follow it.
struct DecoderChannel {
  /// The other side has closed its end.
  struct Closed: Error {}

  /// Larger than any message of ours, and so than what a file can bring a decoder to send that works.
  private static let maxBytes = 1 << 30

  let socket: Int32

  /// Sends a message, and waits until the other side has taken it.
  ///
  /// - Throws: ``Closed``.
  func send(_ message: some Encodable, _ bytes: UnsafeRawBufferPointer = .init(start: nil, count: 0)) throws {
    let json = try JSONEncoder().encode(message)
    try [json.count, bytes.count].withUnsafeBytes(write)
    try json.withUnsafeBytes(write)
    try write(bytes)
  }

  /// Waits for a message.
  ///
  /// - Parameter isWaiting: is called before each part is waited for.
  /// - Throws: ``Closed``, and what `isWaiting` throws.
  func receive<Message: Decodable>(
    _ type: Message.Type, isWaiting: () throws -> Void = {}
  ) throws -> (Message, [UInt8]) {
    let counts = try read(2 * MemoryLayout<Int>.size, isWaiting).withUnsafeBytes { Array($0.bindMemory(to: Int.self)) }
    guard counts.allSatisfy({ (0...Self.maxBytes).contains($0) }) else { throw Closed() }
    let message = try JSONDecoder().decode(type, from: Data(read(counts[0], isWaiting)))
    return (message, try read(counts[1], isWaiting))
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = Glibc.send(socket, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Closed() }
      rest = rest.dropFirst(count)
    }
  }

  private func read(_ count: Int, _ isWaiting: () throws -> Void) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      while written < count {
        try isWaiting()
        let part = Glibc.read(socket, buffer.baseAddress.map { $0 + written }, count - written)
        if part < 0, errno == EINTR { continue }
        guard part > 0 else { throw Closed() }
        written += part
      }
    }
  }
}
