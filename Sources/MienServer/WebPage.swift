import CMienPage
import Foundation

/// The web page that is inside the program: plain HTML, CSS and ES modules, in `Sources/CMienPage/page`.
package enum WebPage {
  /// Its files: `index.html` at `/`, the others below `/page/`.
  package static func files() -> [StaticFile] {
    (0..<mien_page_count()).compactMap { mien_page_at($0)?.pointee }.map { file in
      let name = String(cString: file.name)
      return StaticFile(
        path: name == "index.html" ? "/" : "/page/\(name)", contentType: contentType(of: name),
        data: Data(bytes: file.bytes, count: file.count))
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
