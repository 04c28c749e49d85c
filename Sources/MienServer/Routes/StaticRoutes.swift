import CMienServerFiles
package import Foundation
import Hummingbird
import MienONNX

/// A file of the web page, inside the program.
package struct StaticFile: Sendable {
  /// Where it is served, as `/app.js`.
  package let path: String
  /// Its `Content-Type`.
  package let contentType: String
  /// Its bytes.
  package let data: Data

  /// Describes a file.
  package init(path: String, contentType: String, data: Data) {
    self.path = path
    self.contentType = contentType
    self.data = data
  }
}

extension StaticFile {
  /// The OpenAPI document.
  package static let contract = StaticFile(
    path: "/openapi.json", contentType: "application/json",
    data: Data(buffer: UnsafeBufferPointer(start: mien_openapi_bytes(), count: mien_openapi_count())))
}

/// Serves files that are inside the program, without a token: they hold no data.
struct StaticRoutes: Sendable {
  let files: [StaticFile]

  /// Nothing from elsewhere is loaded, and no other page may frame this one.
  private static let policy =
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self' blob:; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  func add(to routes: inout RouteTable) {
    for file in files {
      let tag = "\"\(SHA256.hexadecimal(of: file.data).prefix(16))\""
      let body = ByteBuffer(bytes: file.data)
      routes.on(.get, file.path) { request, _ in
        var headers: HTTPFields = [.eTag: tag, .cacheControl: "no-cache", .contentType: file.contentType]
        headers[.contentSecurityPolicy] = Self.policy
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
      }
    }
  }
}
