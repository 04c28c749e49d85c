import Foundation
import Hummingbird
import NIOCore

/// Reads bodies: bounded in size, time and memory.
struct BodyReader: Sendable {
  let limits: ServerLimits
  /// Bytes that all requests together may hold.
  private let memory: ClientBudget

  init(limits: ServerLimits) {
    self.limits = limits
    memory = ClientBudget(limit: limits.bufferedBytes)
  }

  /// Reads a body with pictures and hands them to `use`.
  ///
  /// - Parameter limit: the most pictures; nil for ``ServerLimits/pictures``.
  /// - Throws: ``APIError`` as ``withBody(of:_:limit:_:)`` does, and if the body holds no pictures.
  func withPictures<Result>(
    of request: Request, _ context: ServerContext, limit: Int? = nil, _ use: (PictureInput) async throws -> Result
  ) async throws -> Result {
    try await withBody(of: request, context, limit: limits.bodyBytes) { body in
      let contentType = request.headers[.contentType] ?? ""
      let input = try PictureInput(body, contentType: contentType, limit: limit ?? limits.pictures)
      // Text is held besides the bytes that it stands for.
      try hold(input.decodedBytes, for: context.client, held: body.count)
      defer { memory.give(input.decodedBytes, of: context.client) }
      do { return try await use(input) } catch let error as APIError
        where error.code == APIError.unreadablePicture && PictureInput.isSentAsFields(contentType)
      {
        throw APIError(
          error.status, error.code,
          error.message + " curl's -d leaves out line ends and damages pictures: use \(PictureInput.curlOptions).")
      }
    }
  }

  /// Reads a body and hands it to `use`.
  ///
  /// - Throws: ``APIError`` where the body is longer than `limit`, comes too slowly, is compressed, or ends early.
  func withBody<Result>(
    of request: Request, _ context: ServerContext, limit: Int, _ use: (Data) async throws -> Result
  ) async throws -> Result {
    let expected = try Self.length(of: request, limit: limit)
    var data = Data()
    // A body that names its length has room from its beginning to its end, whatever others take meanwhile.
    var held = expected ?? 0
    try hold(held, for: context.client)
    defer { memory.give(held, of: context.client) }
    try await chunks(of: request, context, limit: limit, seconds: limits.bodySeconds) { chunk in
      if expected == nil {
        try hold(chunk.readableBytes, for: context.client, held: held)
        held += chunk.readableBytes
      }
      data.append(contentsOf: chunk.readableBytesView)
    }
    guard expected ?? data.count == data.count else { throw APIError.disconnected }
    return try await use(data)
  }

  /// Takes memory for a request.
  ///
  /// - Parameter held: what the request holds already.
  /// - Throws: ``APIError`` if others, or this client's other requests, hold it.
  private func hold(_ count: Int, for client: AccessTokens.Client, held: Int = 0) throws {
    guard let shortage = memory.take(count, for: client, held: held) else { return }
    throw APIError.busy(
      .memory,
      shortage == .ofOwn ? "Too many of your requests are being received." : "Too many requests are being received.")
  }

  /// Hands a body to `use` piece by piece.
  func chunks(
    of request: Request, _ context: ServerContext, limit: Int, seconds: Double,
    _ use: (ByteBuffer) async throws -> Void
  ) async throws {
    _ = try Self.length(of: request, limit: limit)
    if let coding = request.headers[.contentEncoding]?.lowercased(), coding != "identity" {
      let name = ["gzip", "deflate", "br", "zstd", "compress"].contains(coding) ? ": \(coding)" : ""
      throw APIError(
        .unsupportedMediaType, "unsupported_type",
        "The body is compressed (Content-Encoding\(name)), which is not supported; send it as it is.",
        headers: [.acceptEncoding: "identity"])
    }
    context.channel.triggerUserOutboundEvent(ConnectionEvent.readsBody(seconds: seconds), promise: nil)
    var count = 0
    for try await chunk in request.body {
      count += chunk.readableBytes
      guard count <= limit else { throw APIError.bodyTooLarge(limit: limit) }
      try await use(chunk)
    }
  }

  /// The length that the request names, refused before anything is read.
  private static func length(of request: Request, limit: Int) throws -> Int? {
    guard let text = request.headers[.contentLength] else { return nil }
    guard let length = Int(text), length >= 0 else { throw APIError.badRequest("Content-Length is no number.") }
    guard length <= limit else { throw APIError.bodyTooLarge(limit: limit) }
    return length
  }
}
