import Foundation
import MienResources

/// The web page that is inside the program: plain HTML, CSS and ES modules, in `Sources/CMienResources/page`.
package enum WebPage {
  /// Its files: `index.html` at `/`, the others below `/page/`.
  package static func files() -> [StaticFile] {
    Resource.names(in: "page").compactMap { name in
      (try? Resource.data("page/\(name)")).map { data in
        StaticFile(
          path: name == "index.html" ? "/" : "/page/\(name)", contentType: contentType(of: name), data: data)
      }
    }
  }

  private static func contentType(of name: String) -> String {
    switch URL(fileURLWithPath: name).pathExtension {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "svg": "image/svg+xml"
    default: "application/octet-stream"
    }
  }
}
