import Foundation
import MienVision

extension FileKind {
  /// Tells the kind of a file that a client sent.
  init(of data: Data) { self.init(start: Array(data.prefix(Self.prefix))) }

  /// Whether it is a picture that is read.
  var isPicture: Bool {
    if case .picture = self { true } else { false }
  }

  /// The error response for a file that is expected to be a picture; `nil` if it is one.
  var refusal: APIError? {
    guard case .other(let other) = self else { return nil }
    let advice = other.advice.isEmpty ? "" : "; \(other.advice)"
    switch other.content {
    case .picture, .document: return .unsupportedType("The picture is \(other.name), which is not read\(advice).")
    case .video:
      return .unsupportedType("Expected a picture (\(PictureFormat.list)), found a video; POST /v1/video reads videos.")
    case .none: return .unsupportedType("Expected a picture (\(PictureFormat.list)), found \(other.name)\(advice).")
    }
  }
}
