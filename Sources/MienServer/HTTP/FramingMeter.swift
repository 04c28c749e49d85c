import NIOCore
import NIOHTTP1

/// Bounds what a connection sends besides bodies: request lines, header fields, trailers, and the sizes of chunks with their
/// extensions. The decoder bounds names and values only, neither the white space around them nor chunk extensions.
///
/// It stands before the decoder, which decodes at once what it is given; ``ConnectionHandler`` says what came of it.
final class FramingMeter: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// Bytes around each chunk, and per byte of its data, that do not count, so that chunks may be small.
  private static let chunkBytes = 16
  /// As many bytes of a request line tell whether it begins with the name of a method.
  private static let methodBytes = 32

  private let limit: Int
  /// Bytes that came since the last head, and that bodies do not account for.
  private var framing = 0
  private var isOver = false
  /// Bytes that came after it was exceeded, and were not decoded.
  private(set) var dropped = 0

  /// How many bytes of the request line have come.
  private(set) var lineLength = 0
  /// Whether the request line ended without a carriage return.
  private(set) var hasBareLineFeed = false
  private var isLineWhole = false
  private var isInRequest = false
  private var lastByte: UInt8 = 0
  private var lineStart: [UInt8] = []

  /// - Parameter limit: bytes that a head, the trailers, or what is between two pieces of a body may have. One that exceeds it
  ///   is noticed after at most one more read of the socket.
  init(limit: Int) { self.limit = limit }

  /// Whether the request line begins with the name of a method (a token, RFC 9110, section 5.6.2), as far as it has come.
  var namesMethod: Bool {
    let word = lineStart.prefix { $0 != UInt8(ascii: " ") }
    return !word.isEmpty
      && word.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }

  /// Whether the head of a request has begun to arrive and is not complete.
  var isInHead: Bool { lineLength > 0 && !isInRequest }

  /// The head of a request was decoded.
  func takeHead() { (framing, isInRequest) = (0, true) }

  /// A piece of a body was decoded.
  func takeBody(_ count: Int) { framing = max(0, framing - Self.chunkBytes - 3 * count) }

  /// A request was decoded to its end; what comes next is a new one.
  func takeEnd() {
    (framing, lineLength, lineStart, isLineWhole, hasBareLineFeed) = (0, 0, [], false, false)
    isInRequest = false
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data).readableBytesView
    guard !isOver else {
      dropped += bytes.count
      return
    }
    measureLine(bytes)
    framing += bytes.count
    context.fireChannelRead(data)
    guard framing > limit else { return }
    isOver = true
    context.fireErrorCaught(HTTPParserError.headerOverflow)
  }

  private func measureLine(_ bytes: ByteBufferView) {
    guard !isLineWhole else { return }
    // Empty lines may precede a request (RFC 9112, section 2.2).
    let bytes = lineLength > 0 ? bytes : bytes.drop { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
    let end = bytes.firstIndex(of: UInt8(ascii: "\n"))
    let line = bytes[..<(end ?? bytes.endIndex)]
    lineLength += line.count
    lineStart += line.prefix(Self.methodBytes - lineStart.count)
    lastByte = line.last ?? lastByte
    isLineWhole = end != nil
    hasBareLineFeed = isLineWhole && lineLength > 0 && lastByte != UInt8(ascii: "\r")
  }
}
