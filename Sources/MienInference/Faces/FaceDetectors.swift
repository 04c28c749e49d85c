import Foundation
import MienCore
public import MienVision

/// The detectors by name, as `--detector` takes them.
public enum FaceDetectors {
  /// The default detector's name.
  public static let standard = "blazeface"
  /// The names of the detectors inside the program.
  public static let names = ["blazeface", "haar", "none"]

  /// The detector that `name` means: `blazeface`, `haar`, `none`, or the path of a YuNet network, which ends in `.onnx`.
  ///
  /// - Parameter minFace: side of the smallest face to find, in pixels; `nil` for the detector's default.
  /// - Throws: ``MienError`` if there is no such detector, its file cannot be used, or `minFace` is too small.
  public static func named(_ name: String = standard, minFace: Int? = nil) throws -> any FaceDetector {
    switch name {
    case "blazeface": return try NetworkDetector(minFace: minFace)
    case "haar": return try HaarDetector(minFace: minFace)
    case "none": return WholePicture()
    default:
      guard name.hasSuffix(".onnx") else {
        throw MienError(
          .argument, "detector \(name)",
          "expected blazeface, haar, none, or the file of a YuNet network, which ends in .onnx")
      }
      return try NetworkDetector(yuNet: URL(fileURLWithPath: name), minFace: minFace)
    }
  }
}
