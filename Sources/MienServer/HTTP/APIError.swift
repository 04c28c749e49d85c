import Foundation
package import Hummingbird
import MienCore
import NIOHTTP1

/// What a client is told where its request is not answered: `{"error": {"code", "message"}}`.
package struct APIError: Error, HTTPResponseError {
  /// The HTTP status.
  package let status: HTTPResponse.Status
  /// A word for programs, as `too_large`.
  let code: String
  /// A sentence for people that says nothing of the server's inside.
  package let message: String
  /// Further header fields.
  var headers: HTTPFields = [:]
  /// What there was no room for, if that is why; requests are counted by it.
  var shortage: Shortage?

  /// What there may be no room for.
  enum Shortage: String, CaseIterable {
    case connections, memory, queue, wait, sessions, frames, videos, results, profiles
  }

  init(_ status: HTTPResponse.Status, _ code: String, _ message: String, headers: HTTPFields = [:]) {
    self.status = status
    self.code = code
    self.message = message
    self.headers = headers
  }

  /// How an error is written.
  struct Body: Encodable {
    struct Details: Encodable {
      let code: String
      let message: String
    }
    let error: Details
  }

  /// The body of the answer.
  var body: Data { (try? JSON.encode(Body(error: .init(code: code, message: message)))) ?? Data() }

  package func response(from request: Request, context: some RequestContext) throws -> Response {
    try JSON.response(Body(error: .init(code: code, message: message)), status: status, headers: headers)
  }
}

extension APIError {
  /// The code of ``unreadable(_:)`` for a damaged picture.
  static let unreadablePicture = "unreadable_picture"
  /// The code of a video that cannot be read, however often it is sent.
  static let unreadableVideo = "unreadable_video"

  static let notFound = APIError(.notFound, "not_found", "There is nothing at this address.")
  static let unauthorized = APIError(
    .unauthorized, "unauthorized", "A valid token is needed: Authorization: Bearer TOKEN.",
    headers: [.wwwAuthenticate: "Bearer realm=\"mien\""])
  static let failed = APIError(.internalServerError, "internal", "The server failed to answer; its log says why.")
  /// The server failed with a video.
  static func video(_ message: String) -> APIError { APIError(.internalServerError, failed.code, message) }
  static let disconnected = APIError(.badRequest, "incomplete", "The request's body ended early.")
  static let headCut = APIError(.badRequest, "incomplete", "The request's head ended early.")
  static let headTimeout = APIError(.requestTimeout, "timeout", "The request's head took too long to arrive.")
  static let bodyTimeout = APIError(.requestTimeout, "timeout", "The request's body took too long to arrive.")

  static func badRequest(_ message: String) -> APIError { APIError(.badRequest, "bad_request", message) }

  /// An option has another value than it may.
  ///
  /// - Parameters:
  ///   - expected: what it may have, as `a whole number from 1 to 10`.
  ///   - found: what it has, safe to show.
  static func unexpected(_ name: String, _ expected: String, found: String) -> APIError {
    badRequest("\(name) must be \(expected); found \(found).")
  }

  /// There is no option `name`.
  ///
  /// - Parameter problem: says where it is, as `The query has an unknown option`.
  static func unknown(_ name: String, _ problem: String, among names: [String]) -> APIError {
    // `minconf` for `minConfidence`.
    let longer = name.count > 2 ? names.filter { $0.lowercased().hasPrefix(name.lowercased()) } : []
    let remedy =
      (Spelling.nearest(name, among: names, atMost: 2) ?? (longer.count == 1 ? longer[0] : nil))
      .map { "; did you mean \($0)?" }
      ?? (names.isEmpty ? "." : "; it takes \(names.joined(separator: ", ")).")
    return badRequest("\(problem) \(quoted(name))\(remedy)")
  }

  /// A word of a client's for a message: at most 64 characters, of those that are safe to show.
  static func quoted(_ word: some StringProtocol) -> String {
    "\"\(word.unicodeScalars.prefix(64).filter { $0.isASCII && $0.value >= 0x20 }.map(String.init).joined())\""
  }

  /// The path takes `methods` only.
  static func methodNotAllowed(_ methods: [HTTPRequest.Method]) -> APIError {
    let allowed = Set(methods).union(methods.contains(.get) ? [.head] : []).map(\.rawValue).sorted()
    return APIError(
      .methodNotAllowed, "method_not_allowed", "This address takes \(allowed.joined(separator: ", ")) only.",
      headers: [.allow: allowed.joined(separator: ", ")])
  }

  static func bodyTooLarge(limit: Int) -> APIError {
    APIError(.contentTooLarge, "too_large", "A request's body may have \(limit.grouped) bytes at most.")
  }

  static func unsupportedType(_ message: String) -> APIError {
    APIError(.unsupportedMediaType, "unsupported_type", message)
  }

  /// More was asked than there is room for; it is worth another try in `seconds`.
  static func busy(_ shortage: Shortage, _ message: String, retryAfter seconds: Int = 1) -> APIError {
    var error = APIError(.tooManyRequests, "busy", message, headers: [.retryAfter: "\(seconds)"])
    error.shortage = shortage
    return error
  }

  /// All connections are taken.
  static var noConnection: APIError {
    var error = APIError(
      .serviceUnavailable, "busy", "Too many connections are open.", headers: [.retryAfter: "1"])
    error.shortage = .connections
    return error
  }

  static var tooManyPipelined: APIError {
    .busy(
      .connections,
      "A connection may send \(ConnectionHandler.pipelined) requests before the first of them is answered.")
  }

  static let targetTooLong = APIError(
    .uriTooLong, "too_large", "The address of a request may have \(ConnectionHandler.targetBytes) bytes at most.")

  /// A request that the HTTP parser refused.
  ///
  /// - Parameter meter: has seen its request line; `nil` if its head was in order.
  static func unparsable(_ error: HTTPParserError, _ meter: FramingMeter? = nil) -> APIError {
    if let meter, meter.lineLength > ConnectionHandler.targetBytes { return .targetTooLong }
    switch error {
    case .headerOverflow:
      return APIError(
        .requestHeaderFieldsTooLarge, "too_large",
        "The request's header fields, trailers or chunk extensions are too long or too many: at most "
          + "\(HTTPConnection.headerFields) fields, \(HTTPConnection.fieldBytes.grouped) bytes per field and "
          + "\(HTTPConnection.headerBytes.grouped) bytes in all.")
    case .invalidMethod where meter?.namesMethod == true:
      return APIError(.notImplemented, "bad_request", "The request's method is unknown.")
    case .invalidVersion where meter?.hasBareLineFeed == true:
      return .badRequest("The lines of a request's head end with CR LF; found LF alone.")
    case .invalidEOFState, .closedConnection: return meter?.isInHead == true ? .headCut : .disconnected
    case .invalidVersion:
      return APIError(.httpVersionNotSupported, "bad_request", "Expected HTTP/1.1 or HTTP/1.0.")
    default: return .badRequest("The request is not HTTP/1.1 as RFC 9112 defines it.")
    }
  }

  /// The client went away before its answer was there. Nobody reads it; logs and metrics show it by the number that
  /// nginx gives it.
  static let clientGone = APIError(
    .init(code: 499, reasonPhrase: "Client Closed Request"), "client_gone", "The client closed the connection.")

  /// What to say of a picture that could not be read; nil where the fault is the server's own.
  static func unreadable(_ error: MienError) -> APIError? {
    switch error.kind {
    case .format: APIError(.unprocessableContent, unreadablePicture, "The picture \(error.message).")
    case .limit: APIError(.contentTooLarge, "too_large", "The picture \(error.message).")
    case .missing, .file, .argument, .mismatch, .native, .diverged: nil
    }
  }
}
