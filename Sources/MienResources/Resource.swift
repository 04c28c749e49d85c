import CMienResources
package import Foundation
import MienCore

/// The files inside the program: the built-in models, the networks that find faces, recipes, the web page, and the
/// description of the server's routes.
package enum Resource {
  /// The names of the built-in models; the one that is used where none is named comes first.
  package static let models: [String] = {
    let names = Resource.names(in: "models").map { String($0.dropLast(".onnx".count)) }
    return names.filter { $0 == MIEN_DEFAULT_MODEL } + names.filter { $0 != MIEN_DEFAULT_MODEL }
  }()
  /// MediaPipe's network that finds faces.
  package static let faceDetector = MIEN_FACE_DETECTOR
  /// MediaPipe's network that finds the points of a face.
  package static let faceLandmarks = MIEN_FACE_LANDMARKS
  /// The server's OpenAPI document.
  package static let openAPI = "openapi.json"

  /// The built-in model of that name.
  ///
  /// - Throws: ``MienError`` if there is none.
  package static func model(named name: String) throws -> Data { try data("models/\(name).onnx") }

  /// The bytes of a file, which are not copied.
  ///
  /// - Throws: ``MienError`` if there is none of that name.
  package static func data(_ name: String) throws -> Data {
    guard let file = mien_resource_named(name)?.pointee else {
      throw MienError(.missing, name, "is not inside the program")
    }
    return Data(
      bytesNoCopy: UnsafeMutableRawPointer(mutating: file.bytes), count: file.count, deallocator: .none)
  }

  /// The names, within `folder`, of the files that lie in it, in alphabetical order.
  package static func names(in folder: String) -> [String] {
    (0..<mien_resource_count()).compactMap { mien_resource_at($0).map { String(cString: $0.pointee.name) } }
      .filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }.filter { !$0.contains("/") }
  }
}
