import Foundation
import Hummingbird
import MienInference

/// `/v1/sessions`: pictures of a camera, one after another.
struct SessionRoutes: Sendable {
  let engine: InferenceEngine
  let bodies: BodyReader
  let sessions: SessionStore

  func add(to routes: inout RouteTable) {
    routes.on(.post, "/v1/sessions", use: open)
    routes.on(.delete, "/v1/sessions/{id}") { request, context in
      _ = try Query(request)
      try sessions.close(Self.id(context), client: context.client)
      return Response(status: .noContent)
    }
    routes.on(.post, "/v1/sessions/{id}/frames", use: frame)
  }

  private func open(_ request: Request, _ context: ServerContext) async throws -> Response {
    _ = try Query(request)
    let options: LiveSession.Options = try await bodies.withBody(of: request, context, limit: 4096) { body in
      if body.isEmpty { return LiveSession.Options() }
      return try Self.options(body)
    }
    let id = try sessions.open(LiveSession(options, engine: engine), client: context.client)
    let answer = OpenedJSON(
      id: id, minConfidence: options.minConfidence, smoothing: options.smoothing,
      expiresAfterSeconds: bodies.limits.sessionSeconds)
    return try JSON.response(answer, status: .created, headers: [.location: "/v1/sessions/\(id)"])
  }

  private func frame(_ request: Request, _ context: ServerContext) async throws -> Response {
    let seconds = try Query(request, "seconds").number("seconds", in: 0...1e12)
    let id = Self.id(context)
    _ = try sessions.session(id, client: context.client)
    return try await bodies.withPictures(of: request, context, limit: 1) { input in
      // The upload may have taken longer than the session was to live.
      let session = try sessions.session(id, client: context.client)
      let picture = input.pictures[0].data
      let answer = try await context.whileConnected { try await session.read(picture, seconds: seconds) }
      return try JSON.response(answer)
    }
  }

  private static func id(_ context: ServerContext) -> String { context.parameters.get("id") ?? "" }

  /// Unknown names are refused, so that a misspelt option does not go unnoticed.
  private static func options(_ body: Data) throws -> LiveSession.Options {
    struct Given: Decodable {
      let minConfidence: Float?
      let smoothing: Bool?
    }
    guard let names = (try? JSONSerialization.jsonObject(with: body)) as? [String: Any],
      Set(names.keys).isSubset(of: ["minConfidence", "smoothing"]), !names.values.contains(where: { $0 is NSNull }),
      let given = try? JSONDecoder().decode(Given.self, from: body)
    else {
      throw APIError.badRequest("Expected a JSON object with minConfidence (0 to 1) and smoothing (true, false).")
    }
    var options = LiveSession.Options()
    options.minConfidence = given.minConfidence ?? options.minConfidence
    options.smoothing = given.smoothing ?? options.smoothing
    guard (0...1).contains(options.minConfidence) else { throw APIError.badRequest("minConfidence is 0 to 1.") }
    return options
  }

  private struct OpenedJSON: Encodable {
    let id: String
    let minConfidence: Float
    let smoothing: Bool
    let expiresAfterSeconds: Double
  }
}
