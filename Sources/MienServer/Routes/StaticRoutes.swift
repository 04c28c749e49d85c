package import Foundation
import HTTPTypes
import Hummingbird
import MienONNX
import MienResources

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
    path: "/openapi.json", contentType: "application/json", data: (try? Resource.data(Resource.openAPI)) ?? Data())

  /// The version of the OpenAPI document, which changes when programs that use the server have to.
  static let contractVersion: String = {
    let document = (try? JSONSerialization.jsonObject(with: contract.data)) as? [String: Any]
    return (document?["info"] as? [String: Any])?["version"] as? String ?? ""
  }()

  /// The OpenAPI document of a server, without the routes of what it does not take.
  package static func contract(keepsCorrections: Bool, takesVideos: Bool) -> StaticFile {
    let missing = (keepsCorrections ? [] : ["/v1/corrections"]) + (takesVideos ? [] : ["/v1/video"])
    guard !missing.isEmpty, var document = (try? JSONSerialization.jsonObject(with: contract.data)) as? [String: Any],
      let paths = document["paths"] as? [String: Any]
    else { return contract }
    document["paths"] = paths.filter { path, _ in !missing.contains { path.hasPrefix($0) } }
    let data = try? JSONSerialization.data(
      withJSONObject: document, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return StaticFile(path: contract.path, contentType: contract.contentType, data: data ?? contract.data)
  }
}

/// Serves files that are inside the program, without a token: they hold no data.
struct StaticRoutes: Sendable {
  let files: [StaticFile]

  /// What a page may do: nothing from elsewhere is loaded or spoken to, text never becomes markup or script, no other
  /// page may frame this one, and of the device only the camera is used.
  private static let policies: HTTPFields = [
    (
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
        + "media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    ("Permissions-Policy", "camera=(self), microphone=(), geolocation=()"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
  ].reduce(into: [:]) { fields, policy in
    if let name = HTTPField.Name(policy.0) { fields[name] = policy.1 }
  }

  /// Whether an `If-None-Match` field names `tag` (RFC 9110, section 13.1.2): proxies that compress make tags weak.
  private static func matches(_ field: String?, _ tag: String) -> Bool {
    guard let names = field?.split(separator: ",").map({ $0.trimmingCharacters(in: .whitespaces) }) else {
      return false
    }
    return names == ["*"] || names.contains { $0 == tag || $0 == "W/" + tag }
  }

  func add(to routes: inout RouteTable) {
    for file in files {
      let tag = "\"\(SHA256.hexadecimal(of: file.data).prefix(16))\""
      let body = ByteBuffer(bytes: file.data)
      routes.on(.get, file.path) { request, _ in
        var headers = Self.policies
        headers[.eTag] = tag
        headers[.cacheControl] = "no-cache"
        headers[.contentType] = file.contentType
        if Self.matches(request.headers[.ifNoneMatch], tag) { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
      }
    }
  }
}
