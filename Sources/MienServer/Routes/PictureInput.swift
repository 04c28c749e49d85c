import Foundation
import Hummingbird
import MienInference

/// The pictures of a request: its body, or the parts of a form.
struct PictureInput: Sendable {
  /// A picture, not decoded yet.
  struct Picture: Sendable {
    /// The name that the client gave it; nil where it is the request's body.
    let name: String?
    let data: Data
  }

  /// The pictures, in order.
  let pictures: [Picture]
  /// Whether they came as a form, so that the answer is a list.
  let isForm: Bool

  /// The content types of a picture as the body itself; the kind is told by the content.
  static let contentTypes = ["image/jpeg", "image/png", "image/webp", "application/octet-stream"]

  /// Takes `body` apart as `request` says that it is made.
  ///
  /// - Throws: ``APIError``.
  init(_ request: Request, body: Data, limit: Int) throws {
    let contentType = request.headers[.contentType] ?? ""
    do {
      if let parser = try MultipartParser(contentType: contentType, maxParts: limit) {
        let files = try parser.parts(of: body).filter { $0.fileName != nil }
        guard !files.isEmpty else { throw APIError.badRequest("The form has no file.") }
        pictures = files.map { Picture(name: $0.fileName, data: $0.body) }
        isForm = true
        return
      }
    } catch let error as MultipartParser.Malformed {
      throw APIError(.badRequest, "malformed_multipart", error.message)
    }
    guard !body.isEmpty else { throw APIError.badRequest("The request has no body; expected a picture.") }
    pictures = [Picture(name: nil, data: body)]
    isForm = false
  }

  /// Refuses other kinds of bodies before they are read.
  static func checkContentType(of request: Request, _ accepted: [String] = contentTypes) throws {
    let type = HeaderValue(request.headers[.contentType] ?? "").value.lowercased()
    guard accepted.contains(type) || type == "multipart/form-data" else {
      throw APIError.unsupportedType(
        "Expected a body of Content-Type \(accepted.joined(separator: ", ")) or multipart/form-data.")
    }
  }
}
