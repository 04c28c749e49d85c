package import Hummingbird
import Synchronization

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
}

/// The methods of every path, for answers to requests that no route takes.
final class KnownPaths: Sendable {
  private let methods = Mutex<[String: [HTTPRequest.Method]]>([:])

  /// Takes the routes over, when all are there.
  func set(_ routes: RouteTable) { methods.withLock { $0 = routes.methods } }

  /// All methods that some path takes.
  var allMethods: [HTTPRequest.Method] {
    methods.withLock { Set($0.values.joined()) }.sorted { $0.rawValue < $1.rawValue }
  }

  /// The methods of `path`; nil where it is none of those served.
  func methods(of path: String) -> [HTTPRequest.Method]? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    return methods.withLock { methods in
      methods.first { template, _ in
        let expected = template.split(separator: "/")
        return expected.count == parts.count && zip(expected, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
      }?.value
    }
  }
}
