package import ArgumentParser
import MienCommandLine
import MienInference
package import MienVision

/// How faces are found, for the commands that look for them.
package struct DetectorOptions: ParsableArguments {
  /// The detector's name or file.
  @Option(
    help: ArgumentHelp(
      "What finds faces: blazeface, haar, none (each picture is one face) or a YuNet network's file.",
      valueName: "name|file.onnx"), completion: .list(FaceDetectors.names))
  package var detector = FaceDetectors.standard

  /// Side of the smallest face in pixels.
  @Option(help: ArgumentHelp("Side of the smallest face to find, in pixels.", valueName: "px"))
  package var minFace: Int?

  /// Makes the default options.
  package init() {}

  package func validate() throws {
    try ValidationError.check(minFace, of: "--min-face", atLeast: NetworkDetector.leastMinFace, "pixels")
    if detector == "none" && minFace != nil { throw ValidationError("--min-face needs a detector") }
    guard FaceDetectors.names.contains(detector) || detector.hasSuffix(".onnx") else {
      throw ValidationError(
        "--detector \(detector): expected \(FaceDetectors.names.joined(separator: ", ")), or the file of a YuNet "
          + "network, which ends in .onnx")
    }
  }

  /// The detector that the options name. It lives as long as the process, as freeing its networks takes time.
  package func faceDetector() throws -> any FaceDetector {
    let made = try FaceDetectors.named(detector, minFace: minFace)
    _ = Unmanaged.passRetained(made as AnyObject)
    return made
  }
}
