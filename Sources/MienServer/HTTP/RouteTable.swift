package import Hummingbird

/// Adds routes to a router and remembers them, so that another method on a known path is answered by 405, and the
/// OpenAPI document can be compared with what is served.
package struct RouteTable {
  /// A handler.
  package typealias Handler = @Sendable (Request, ServerContext) async throws -> Response

  private let router: Router<ServerContext>
  /// The methods of each path, as `/v1/sessions/{id}`.
  package private(set) var methods: [String: [HTTPRequest.Method]] = [:]

  init(_ router: Router<ServerContext>) { self.router = router }

  /// Adds a route.
  package mutating func on(_ method: HTTPRequest.Method, _ path: String, use handler: @escaping Handler) {
    methods[path, default: []].append(method)
    router.on(RouterPath(path), method: method, use: handler)
  }

  /// Answers all other methods of the paths that were added.
  func refuseOtherMethods() {
    for (path, methods) in methods {
      let allowed = Set(methods).union(methods.contains(.get) ? [.head] : [])
      let fields: HTTPFields = [.allow: allowed.map(\.rawValue).sorted().joined(separator: ", ")]
      for method in Self.all where !allowed.contains(method) {
        router.on(RouterPath(path), method: method) { _, _ -> Response in
          throw APIError(.methodNotAllowed, "method_not_allowed", "This address takes other methods.", headers: fields)
        }
      }
    }
  }

  private static let all: [HTTPRequest.Method] = [
    .get, .head, .post, .put, .patch, .delete, .options, .trace, .connect,
  ]
}
