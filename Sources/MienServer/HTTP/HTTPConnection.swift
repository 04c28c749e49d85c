import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Sets connections up: their place, the decoder with its limits, ``ConnectionHandler``, the idle timeout, and Hummingbird's
/// loop.
struct HTTPConnection: HTTPChannelHandler {
  typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  let responder: HTTPChannelHandler.Responder
  let headSeconds: Double
  let idleSeconds: Double
  let places: ConnectionPlaces
  let onRefusal: @Sendable (ConnectionHandler.Refusal) -> Void

  /// Most bytes of a request's header, of its trailers, and of what surrounds a chunk of its body.
  static let headerBytes = 32 << 10
  /// Most bytes of one of them.
  static let fieldBytes = headerBytes / 2
  /// Most of them.
  static let headerFields = 100

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      var limits = NIOHTTPDecoderLimitConfiguration()
      limits.maxHeaderFieldSize = Self.fieldBytes
      limits.maxHeaderListSize = Self.headerBytes
      limits.maxHeaderFieldCount = Self.headerFields
      let pipeline = channel.pipeline.syncOperations
      let (place, meter) = (ConnectionPlace(places), FramingMeter(limit: Self.headerBytes))
      try pipeline.addHandler(place, position: .first)
      try pipeline.addHandler(meter)
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
        withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
      try pipeline.addHandler(
        ConnectionHandler(
          place: place, meter: meter, headTime: .milliseconds(Int64(headSeconds * 1000)), onRefusal: onRefusal))
      try pipeline.addHandler(
        HTTPConnectionStateHandler(idleTimeout: .seconds(idleSeconds), logger: logger))
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
  }

  func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}
