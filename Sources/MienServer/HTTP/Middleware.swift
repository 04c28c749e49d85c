import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Gives every request an id, logs it and counts it.
struct RecordMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let metrics: Metrics

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    let id = RequestIdentity.id(given: request.headers[RequestIdentity.field])
    var context = context
    context.logger[metadataKey: JSONLog.requestKey] = "\(id)"
    if let trace = RequestIdentity.trace(request.headers[RequestIdentity.traceField]) {
      context.logger[metadataKey: "traceparent"] = "\(trace)"
    }
    var response = try await next(request, context)
    response.headers[RequestIdentity.field] = id
    response.headers[.xContentTypeOptions] = "nosniff"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    // No route has the library's name for an address, or a method of it, that is not there.
    let route = context.endpointPath.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "unknown"
    Self.record(
      method: request.method.rawValue, route: route, status: response.status,
      seconds: (ContinuousClock.now - start) / .seconds(1), metrics, context.logger)
    return response
  }

  /// Logs and counts a request that has been answered.
  static func record(
    method: String, route: String, status: HTTPResponse.Status, seconds: Double, _ metrics: Metrics, _ logger: Logger
  ) {
    metrics.request(method: method, route: route, status: status.code, seconds: seconds)
    logger.info(
      "request",
      metadata: [
        "method": "\(method)", "route": "\(route)", "status": .stringConvertible(status.code),
        "milliseconds": .stringConvertible((seconds * 10_000).rounded() / 10),
      ])
  }
}

/// Turns errors into answers.
struct ErrorMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let metrics: Metrics
  let paths: KnownPaths

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    do { return try await next(request, context) } catch {
      let answer = answer(to: error, request, context)
      if let shortage = answer.shortage { metrics.add(to: Metrics.refused, shortage.rawValue) }
      return try answer.response(from: request, context: context)
    }
  }

  private func answer(to error: any Error, _ request: Request, _ context: ServerContext) -> APIError {
    switch error {
    case let error as APIError: return error
    case let error as HTTPParserError: return .unparsable(error)
    case let error as HTTPError where error.status == .notFound:
      return paths.methods(of: request.uri.path).map { .methodNotAllowed($0) } ?? .notFound
    case let error as HTTPError where error.status.kind == .clientError:
      return APIError(error.status, "bad_request", "The request is not understood.")
    case is IOError, is ChannelError: return .disconnected
    case is CancellationError:
      return APIError(.serviceUnavailable, "stopping", "The server is stopping.", headers: [.retryAfter: "5"])
    default:
      context.logger.error("failure", metadata: ["error": "\(error)"])
      return .failed
    }
  }
}

/// Lets those in who have a token, where tokens are asked for.
struct TokenMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let tokens: AccessTokens?
  let key: ClientKey
  /// Paths that everybody may read.
  let open: Set<String>

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    guard let tokens, !open.contains(context.endpointPath ?? "") else { return try await next(request, context) }
    guard let client = tokens.client(authorization: request.headers[.authorization], key: key) else {
      throw APIError.unauthorized
    }
    var context = context
    context.client = client
    return try await next(request, context)
  }
}

/// Bounds the requests of one client that are received or answered at a time: as many connections as then stay free, so
/// that bodies that do not come and answers that do not end keep nobody else out.
struct ClientShareMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  /// Bytes of an answer that the connection takes whole.
  private static let shortAnswer = 64 << 10

  /// A request that is being received or answered; its end gives its share back.
  private final class Share: Sendable {
    private let requests: ClientBudget
    private let client: AccessTokens.Client

    init(of requests: ClientBudget, for client: AccessTokens.Client) {
      (self.requests, self.client) = (requests, client)
    }

    deinit { requests.give(1, of: client) }
  }

  /// How many all have at a time is bounded by ``ConnectionPlaces``.
  private let requests: ClientBudget

  /// - Parameter connections: how many are served at a time.
  init(connections: Int) { requests = ClientBudget(limit: connections, boundsAll: false) }

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    // Without tokens all are one client.
    if context.client.isEmpty { return try await next(request, context) }
    guard requests.take(1, for: context.client) == nil else {
      throw APIError.busy(.connections, "Too many of your requests are open.")
    }
    let share = Share(of: requests, for: context.client)
    defer { withExtendedLifetime(share) {} }
    var response = try await next(request, context)
    // A short answer is on its way at once. Another one ends the share with its body, also if nobody writes it, as for HEAD.
    if let length = response.body.contentLength, length <= Self.shortAnswer { return response }
    response.body = ResponseBody(contentLength: response.body.contentLength) { [body = response.body] writer in
      try await body.write(writer)
      withExtendedLifetime(share) {}
    }
    return response
  }
}

/// Tells browsers that pages of some other origins may use the server (https://fetch.spec.whatwg.org/#http-cors-protocol).
struct CrossOriginMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let origins: Set<String>
  let paths: KnownPaths

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    guard let origin = request.headers[.origin], origins.contains(origin) else {
      var response = try await next(request, context)
      response.headers[values: .vary].append("Origin")
      return response
    }
    var response: Response
    if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
      response = Response(status: .noContent)
      response.headers[.accessControlAllowMethods] = paths.allMethods.map(\.rawValue).joined(separator: ", ")
      response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type, X-Request-Id, traceparent"
      response.headers[.accessControlMaxAge] = "600"
    } else {
      response = try await next(request, context)
      response.headers[.accessControlExposeHeaders] = "Location, Retry-After, X-Request-Id"
    }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[values: .vary].append("Origin")
    return response
  }
}

/// Keeps web pages of other sites from using a server that asks for no token: a browser on the same machine reaches it
/// for any page that it shows.
struct OriginMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let origins: Set<String>
  /// The names by which the server may be called, so that no other name that resolves to it (DNS rebinding) lets a page
  /// pass for the server's own; nil for any name.
  let hosts: Set<String>?
  /// Whose word is taken for the name and the scheme by which a client called.
  let proxies: TrustedProxies

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    let forwarded = proxies.forwarded(request, from: context.channel.remoteAddress)
    let told = forwarded?.hosts ?? []
    let authority = told.first ?? request.head.authority ?? ""
    // All names have to be the server's: a proxy may add the one that was called to one that a page claimed. Only HTTP/1.0
    // has requests without a host, and no browser sends those.
    let names = (told + [authority]).filter { !$0.isEmpty }
    guard let hosts, !names.allSatisfy({ hosts.contains(Self.name(of: $0)) }) else {
      if let origin = request.headers[.origin], !origins.contains(origin),
        !Self.isOwn(origin, authority, scheme: forwarded?.scheme)
      {
        throw APIError(.forbidden, "foreign_origin", "Pages of this origin may not use this server.")
      }
      return try await next(request, context)
    }
    throw APIError(
      .misdirectedRequest, "wrong_host",
      "This server does not answer by the name it was called; `mien serve --allowed-host NAME` adds one.")
  }

  /// Whether `origin` is that of the server's own page. Browsers leave out the port that belongs to a scheme, and write names
  /// in lower case; proxies need not.
  private static func isOwn(_ origin: String, _ authority: String, scheme: String?) -> Bool {
    (scheme.map { [$0] } ?? ["http", "https"]).contains { scheme in
      let standard = scheme == "https" ? ":443" : ":80"
      let short = authority.hasSuffix(standard) ? String(authority.dropLast(standard.count)) : authority
      return origin.lowercased() == "\(scheme)://\(short.lowercased())"
    }
  }

  /// An authority without its port, in lower case.
  private static func name(of authority: String) -> String {
    var name = Substring(authority)
    if let colon = name.lastIndex(of: ":"), name[colon...].dropFirst().allSatisfy(\.isNumber) { name = name[..<colon] }
    return name.lowercased()
  }
}
