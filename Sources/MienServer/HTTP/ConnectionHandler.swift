import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// The rules of HTTP/1.1 (RFC 9112) for one connection: which requests are refused before they reach the router, when
/// `100 Continue` is sent, what happens to a body that nobody reads, and when the connection is closed.
///
/// It stands between the HTTP decoder and Hummingbird, and turns the parts of the one into those of the other.
final class ConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// A request that is refused here.
  struct Refusal {
    let error: APIError
    /// `other` if the request could not be read so far.
    let method: String
    let requestID: String
  }

  /// A request on its way. They are answered in order; only the last one can still be arriving.
  private struct Exchange {
    /// Whether the client knows interim answers: those of HTTP/1.0 do not.
    let takesInterim: Bool
    let isKeptAlive: Bool
    /// Bytes of the body that are still to come; nil if the request does not tell.
    var unread: Int?
    var awaitsContinue: Bool
    var isReceived = false
    var isAnswerBegun = false
    var isAnswered = false
    var closes = false
  }

  /// How long a connection that is to be closed is read from, so that a client that is still sending gets the answer.
  private static let lingerTime = TimeAmount.seconds(3)
  /// How much is read from it meanwhile.
  private static let lingerBytes = 32 << 20
  /// The rest of a body that is read to keep the connection.
  private static let keptBytes = 1 << 20
  /// How long an answer may take before a client that sends no more is asked whether it is still there.
  private static let probeDelay = TimeAmount.milliseconds(100)
  private static let probes = ["/healthz", "/readyz"]
  /// Requests that a client may send before the first of them is answered: each takes memory.
  static let pipelined = 16
  /// Most bytes of a request's target.
  static let targetBytes = 8 << 10

  private let place: ConnectionPlace
  private let meter: FramingMeter
  private let headTime: TimeAmount
  private let onRefusal: (Refusal) -> Void

  private var exchanges: [Exchange] = []
  private var refusal: (Refusal, hasBody: Bool)?
  /// Whether the last request may be answered, not only if it is a probe.
  private var hasPlace = false
  private var isClosing = false
  private var isQuiescing = false
  private var isInputClosed = false
  private var isReadHeld = false
  private var discarded = 0
  /// Pieces of answers that the network has not taken yet.
  private var untaken = 0
  private var end: Scheduled<Void>?
  private var headEnd: Scheduled<Void>?
  private var bodyEnd: Scheduled<Void>?
  private var onGone: (@Sendable () -> Void)?
  private var onInputClosed: (@Sendable () -> Void)?

  /// - Parameters:
  ///   - place: stands before TLS.
  ///   - meter: stands before the decoder.
  ///   - headTime: from the first byte of a head to its end.
  ///   - onRefusal: told of every request that is refused here.
  init(
    place: ConnectionPlace, meter: FramingMeter, headTime: TimeAmount, onRefusal: @escaping (Refusal) -> Void
  ) {
    self.place = place
    self.meter = meter
    self.headTime = headTime
    self.onRefusal = onRefusal
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let loop = context.eventLoop
    let (bound, handler) = (NIOLoopBound(context, eventLoop: loop), NIOLoopBound(self, eventLoop: loop))
    place.onRefusal = { handler.value.makeRoom(bound.value) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    end?.cancel()
    headEnd?.cancel()
    bodyEnd?.cancel()
    onGone?()
    (onGone, onInputClosed) = (nil, nil)
    context.fireChannelInactive()
  }

  // MARK: - Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): read(head, context)
    case .body(let piece): read(piece, context)
    case .end(let trailers): readEnd(trailers, context)
    }
  }

  private func read(_ received: HTTPRequestHead, _ context: ChannelHandlerContext) {
    meter.takeHead()
    headEnd?.cancel()
    headEnd = nil
    guard !isClosing, refusal == nil else { return }
    hasPlace = place.take()
    if untaken > 0 { place.stall(isStalled: true) }
    var head = received
    do {
      if exchanges.count >= Self.pipelined { throw APIError.tooManyPipelined }
      try head.takeHost()
      if let error = problem(of: head) { throw error }
      let request = try HTTPRequest(head, secure: false, splitCookie: false)
      let length = head.headers.first(name: "content-length").flatMap { Int($0) }
      exchanges.append(
        Exchange(
          takesInterim: head.version != .http1_0, isKeptAlive: head.isKeptAlive,
          unread: head.headers.contains(name: "transfer-encoding") ? nil : length ?? 0,
          awaitsContinue: head.version != .http1_0
            && head.headers.first(name: "expect")?.lowercased() == "100-continue"))
      context.fireChannelRead(wrapInboundOut(.head(request)))
    } catch {
      refuse(error as? APIError ?? .badRequest("The request is not understood."), of: head, context)
    }
  }

  private func problem(of head: HTTPRequestHead) -> APIError? {
    let hosts = head.headers["host"].count
    if head.uri.utf8.count > Self.targetBytes { return .targetTooLong }
    if hosts > 1 { return .badRequest("The request has more than one Host field.") }
    if hosts == 0, head.version != .http1_0 { return .badRequest("The request has no Host field.") }
    let codings = head.headers[canonicalForm: "transfer-encoding"].map { $0.lowercased() }
    if let other = codings.first(where: { $0 != "chunked" }), !other.isEmpty {
      return APIError(
        .notImplemented, "bad_request",
        "The request has a transfer encoding other than chunked, which is not supported.")
    }
    if !hasPlace {
      let path = head.uri.prefix { $0 != "?" }
      guard [.GET, .HEAD].contains(head.method), Self.probes.contains(String(path)) else { return .noConnection }
    }
    return nil
  }

  private func read(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
    meter.takeBody(piece.readableBytes)
    discarded += piece.readableBytes
    guard !isClosing, refusal == nil, let last = exchanges.indices.last, !exchanges[last].isReceived else { return }
    exchanges[last].awaitsContinue = false
    exchanges[last].unread = exchanges[last].unread.map { max(0, $0 - piece.readableBytes) }
    guard !exchanges[last].isAnswered else { return }
    discarded = 0
    context.fireChannelRead(wrapInboundOut(.body(piece)))
  }

  private func readEnd(_ trailers: HTTPHeaders?, _ context: ChannelHandlerContext) {
    meter.takeEnd()
    guard !isClosing, refusal == nil, let last = exchanges.indices.last, !exchanges[last].isReceived else { return }
    exchanges[last].isReceived = true
    bodyEnd?.cancel()
    if exchanges[last].isAnswered {
      exchanges.removeLast()
      end?.cancel()
    }
    context.fireChannelRead(wrapInboundOut(.end(trailers.map { HTTPFields($0, splitCookie: false) })))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if meter.isInHead, headEnd == nil, !isClosing {
      let loop = context.eventLoop
      let (bound, handler) = (NIOLoopBound(context, eventLoop: loop), NIOLoopBound(self, eventLoop: loop))
      headEnd = loop.scheduleTask(in: headTime) { handler.value.endHead(bound.value) }
    }
    context.fireChannelReadComplete()
  }

  /// Refuses a request whose head takes too long.
  private func endHead(_ context: ChannelHandlerContext) {
    if !isClosing, refusal == nil { refuse(.headTimeout, of: nil, context) }
  }

  func read(context: ChannelHandlerContext) {
    // Who sends on and on is held up by the network until the connection is closed.
    guard discarded + meter.dropped <= Self.lingerBytes else { return }
    // What follows a refused request is not needed before it can be discarded.
    if refusal == nil || isClosing { context.read() } else { isReadHeld = true }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
    guard !isClosing, refusal == nil else { return }
    guard let last = exchanges.indices.last, !exchanges[last].isReceived else {
      return refuse(.unparsable(error, meter), of: nil, context)
    }
    exchanges[last].closes = true
    // Whoever reads the body hears of it.
    if exchanges[last].isAnswered { context.close(promise: nil) } else { context.fireErrorCaught(error) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent { isQuiescing = true }
    if case ChannelEvent.inputClosed = event {
      isInputClosed = true
      if onGone != nil { probe(context) }
      onInputClosed?()
    }
    context.fireUserInboundEventTriggered(event)
  }

  /// Finds out whether a client that sends no more still waits for its answer: one that has gone looks the same. An interim
  /// answer, which clients pass over, tells them apart: the network refuses it for one that has gone, and the connection
  /// is closed.
  private func probe(_ context: ChannelHandlerContext) {
    let loop = context.eventLoop
    let (context, handler) = (NIOLoopBound(context, eventLoop: loop), NIOLoopBound(self, eventLoop: loop))
    loop.scheduleTask(in: Self.probeDelay) {
      let (context, handler) = (context.value, handler.value)
      guard handler.onGone != nil, let first = handler.exchanges.first, first.takesInterim, !first.isAnswerBegun else {
        return
      }
      handler.writeContinue(context)
    }
  }

  // MARK: - Answers

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !isClosing else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    switch unwrapOutboundIn(data) {
    case .head(var response):
      if !exchanges.isEmpty {
        exchanges[0].closes = exchanges[0].closes || isLast(exchanges[0], response)
        exchanges[0].isAnswerBegun = true
        if exchanges[0].closes { response.headerFields[.connection] = "close" }
      }
      context.write(wrapOutboundOut(.head(HTTPResponseHead(response))), promise: promise)
    case .body(let piece):
      context.write(wrapOutboundOut(.body(.byteBuffer(piece))), promise: measured(promise, context))
    case .end(let trailers):
      context.writeAndFlush(wrapOutboundOut(.end(trailers.map(HTTPHeaders.init))), promise: promise)
      finishAnswer(context)
    }
  }

  /// Has a piece of an answer count as not taken until the network takes it. As long as there is one, the connection waits
  /// for its client, since the last one was taken.
  private func measured(
    _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext
  ) -> EventLoopPromise<Void> {
    let promise = promise ?? context.eventLoop.makePromise()
    let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
    if untaken == 0 { place.stall(isStalled: true) }
    untaken += 1
    promise.futureResult.whenComplete { _ in
      let handler = handler.value
      handler.untaken -= 1
      handler.place.stall(isStalled: handler.untaken > 0)
    }
    return promise
  }

  /// Whether the connection is closed after this answer.
  private func isLast(_ exchange: Exchange, _ response: HTTPResponse) -> Bool {
    if !exchange.isKeptAlive || !hasPlace || isQuiescing || response.headerFields[.connection] == "close" {
      return true
    }
    switch response.status {
    case .unauthorized, .requestTimeout: return true
    case .contentTooLarge where !exchange.isReceived: return true
    default: break
    }
    // The client may send the body or not.
    if exchange.awaitsContinue, !exchange.isReceived { return true }
    return !exchange.isReceived && exchange.unread ?? .max > Self.keptBytes
  }

  private func finishAnswer(_ context: ChannelHandlerContext) {
    guard let first = exchanges.first else { return }
    if first.closes {
      finish(context)
    } else if first.isReceived {
      exchanges.removeFirst()
      guard exchanges.isEmpty else { return }
      if let refusal { send(refusal.0, hasBody: refusal.hasBody, context) } else { place.rest() }
    } else {
      // The rest of the body is read and discarded, for a while.
      exchanges[0].isAnswered = true
      place.rest()
      close(context, in: Self.lingerTime)
    }
  }

  private func refuse(_ error: APIError, of head: HTTPRequestHead?, _ context: ChannelHandlerContext) {
    let refusal = Refusal(
      error: error, method: head?.method.rawValue ?? "other",
      requestID: RequestIdentity.id(given: head?.headers.first(name: "x-request-id")))
    let hasBody = head?.method != .HEAD
    if exchanges.isEmpty { send(refusal, hasBody: hasBody, context) } else { self.refusal = (refusal, hasBody) }
  }

  /// Ends a connection without a request, or whose client takes no answer. A request that is on its way is answered: one that
  /// is here already finds no place, and the connection is closed after its answer.
  private func makeRoom(_ context: ChannelHandlerContext) {
    if exchanges.isEmpty, !isClosing, refusal == nil {
      write(Refusal(error: .noConnection, method: "other", requestID: RequestIdentity.id(given: nil)), context)
    } else if hasPlace || untaken > 0 || exchanges.first?.isAnswered == true {
      // What came after the order has no place: only a probe is answered then.
      context.close(promise: nil)
    }
  }

  private func send(_ refusal: Refusal, hasBody: Bool, _ context: ChannelHandlerContext) {
    onRefusal(refusal)
    write(refusal, hasBody: hasBody, context)
  }

  private func write(_ refusal: Refusal, hasBody: Bool = true, _ context: ChannelHandlerContext) {
    let body = refusal.error.body
    var head = HTTPResponse(status: refusal.error.status, headerFields: refusal.error.headers)
    head.headerFields[.contentType] = "application/json"
    head.headerFields[.contentLength] = "\(body.count)"
    head.headerFields[.connection] = "close"
    head.headerFields[.cacheControl] = "no-store"
    head.headerFields[.xContentTypeOptions] = "nosniff"
    head.headerFields[RequestIdentity.field] = refusal.requestID
    context.write(wrapOutboundOut(.head(HTTPResponseHead(head))), promise: nil)
    if hasBody { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    finish(context)
  }

  /// Says that no more will come, and closes the connection when the client has had time to read the answer.
  private func finish(_ context: ChannelHandlerContext) {
    isClosing = true
    headEnd?.cancel()
    bodyEnd?.cancel()
    place.rest()
    exchanges.removeAll()
    context.close(mode: .output, promise: nil)
    if isReadHeld { context.read() }
    close(context, in: Self.lingerTime)
  }

  private func close(_ context: ChannelHandlerContext, in time: TimeAmount) {
    end?.cancel()
    let channel = context.channel
    end = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }

  // MARK: - Events

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard let event = event as? ConnectionEvent else {
      return context.triggerUserOutboundEvent(event, promise: promise)
    }
    switch event {
    case .readsBody(let seconds):
      // Of several requests only the last is still arriving, and it is not the one that is being answered.
      if exchanges.count == 1, !exchanges[0].isReceived {
        let (context, handler) = (
          NIOLoopBound(context, eventLoop: context.eventLoop), NIOLoopBound(self, eventLoop: context.eventLoop)
        )
        bodyEnd?.cancel()
        bodyEnd = context.value.eventLoop.scheduleTask(in: .milliseconds(Int64(seconds * 1000))) {
          handler.value.endBody(context.value)
        }
      }
      if let first = exchanges.first, first.awaitsContinue, !first.isAnswerBegun {
        exchanges[0].awaitsContinue = false
        writeContinue(context)
      }
    case .works(let onGone):
      guard context.channel.isActive else {
        onGone()
        break
      }
      self.onGone = onGone
      if isInputClosed { probe(context) }
    case .streams(let onInputClosed):
      self.onInputClosed = onInputClosed
      if isInputClosed { onInputClosed() }
    case .rests: (onGone, onInputClosed) = (nil, nil)
    }
    promise?.succeed()
  }

  /// Tells whoever reads the body that it takes too long.
  private func endBody(_ context: ChannelHandlerContext) {
    guard !isClosing, let last = exchanges.indices.last, !exchanges[last].isReceived, !exchanges[last].isAnswered else {
      return
    }
    exchanges[last].closes = true
    context.fireErrorCaught(APIError.bodyTimeout)
  }

  private func writeContinue(_ context: ChannelHandlerContext) {
    context.writeAndFlush(
      wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
  }
}
