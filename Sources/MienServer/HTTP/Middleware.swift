import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// Turns errors into answers, logs and counts every request.
struct AnswerMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let metrics: Metrics
  let paths: KnownPaths

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    var response: Response
    do {
      response = try await next(request, context)
    } catch let error as HTTPParserError {
      // The connection's handler answers what is no HTTP, and closes the connection.
      throw error
    } catch {
      let answer = answer(to: error, request, context)
      response = try answer.response(from: request, context: context)
      if Self.leavesMuchUnread(request) { Self.close(context.channel, after: &response) }
    }
    response.headers[.xContentTypeOptions] = "nosniff"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let route = context.endpointPath ?? "unknown"
    metrics.request(method: request.method.rawValue, route: route, status: response.status.code, seconds: seconds)
    context.logger.info(
      "request",
      metadata: [
        "method": "\(request.method.rawValue)", "route": "\(route)", "status": "\(response.status.code)",
        "milliseconds": "\((seconds * 10_000).rounded() / 10)",
      ])
    return response
  }

  private func answer(to error: any Error, _ request: Request, _ context: ServerContext) -> APIError {
    switch error {
    case let error as APIError: return error
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

  /// Whether a client may still be sending more than is worth reading to keep the connection.
  private static func leavesMuchUnread(_ request: Request) -> Bool {
    if request.headers[.transferEncoding] != nil { return true }
    return (request.headers[.contentLength].flatMap { Int($0) } ?? 0) > 1 << 20
  }

  /// Closes the connection a little later, so that a client that is still sending gets to read the answer.
  private static func close(_ channel: any Channel, after response: inout Response) {
    response.headers[.connection] = "close"
    channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
  }
}

/// Lets those in who have a token, where tokens are asked for.
struct TokenMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let tokens: AccessTokens?
  /// Paths that everybody may read.
  let open: Set<String>

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    guard let tokens, !open.contains(context.endpointPath ?? "") else { return try await next(request, context) }
    guard let client = tokens.client(authorization: request.headers[.authorization]) else {
      throw APIError.unauthorized
    }
    var context = context
    context.client = client
    return try await next(request, context)
  }
}

/// Tells browsers that pages of some other origins may use the server (https://fetch.spec.whatwg.org/#http-cors-protocol).
struct CrossOriginMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let origins: Set<String>

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    guard let origin = request.headers[.origin], origins.contains(origin) else {
      return try await next(request, context)
    }
    var response: Response
    if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
      response = Response(status: .noContent)
      response.headers[.accessControlAllowMethods] = "GET, POST, PUT, DELETE"
      response.headers[.accessControlAllowHeaders] = "Authorization, Content-Type"
      response.headers[.accessControlMaxAge] = "600"
    } else {
      response = try await next(request, context)
    }
    response.headers[.accessControlAllowOrigin] = origin
    response.headers[.vary] = "Origin"
    return response
  }
}

/// Keeps web pages of other sites from using a server that asks for no token: a browser on the same machine reaches it
/// for any page that it shows.
struct OriginMiddleware: RouterMiddleware {
  typealias Context = ServerContext

  let origins: Set<String>
  /// Whether the server must be called by one of this machine's own names, so that no other name that resolves to it
  /// (DNS rebinding) lets a page pass for the server's own.
  let isLocalOnly: Bool
  /// The address that the server listens on.
  let host: String

  func handle(
    _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
  ) async throws -> Response {
    let authority = request.head.authority ?? ""
    guard !isLocalOnly || isLocal(authority) else {
      throw APIError(.misdirectedRequest, "wrong_host", "This server answers as localhost only.")
    }
    if let origin = request.headers[.origin], !origins.contains(origin),
      !["http://\(authority)", "https://\(authority)"].contains(origin)
    {
      throw APIError(.forbidden, "foreign_origin", "Pages of this origin may not use this server.")
    }
    return try await next(request, context)
  }

  private func isLocal(_ authority: String) -> Bool {
    var name = Substring(authority)
    if let colon = name.lastIndex(of: ":"), name[colon...].dropFirst().allSatisfy(\.isNumber) { name = name[..<colon] }
    return ["localhost", "127.0.0.1", "[::1]", host].contains(name.lowercased())
  }
}
