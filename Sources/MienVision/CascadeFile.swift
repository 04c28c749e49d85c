public import Foundation
import MienCore

/// How ``FaceDetector`` searches. `docs/detection.md` states what the defaults find and miss.
public struct FaceDetectorOptions: Sendable, Hashable {
  /// Side of the smallest face to find, in pixels of the picture; nil: ``defaultMinFace(shortSide:)``.
  public var minFace: Int?
  /// Ratio of one search size to the next, 1.01…2: nearer to 1 finds more and takes longer.
  public var scaleFactor: Double
  /// How many windows must agree on a face.
  public var minNeighbors: Int
  /// A detection with less than this share of the windows of the picture's surest is a phantom, 0…1.
  public var minSupport: Double
  /// The picture is shrunk until ``minFace`` is this many pixels; at least the cascade's 20.
  public var windowSize: Int
  /// The cascade's XML file; nil: OpenCV's `haarcascade_frontalface_alt2.xml`, found where Debian and Ubuntu put it,
  /// in `../share` of the program, or in the folder that `MIEN_HAARCASCADES` names.
  public var cascade: URL?

  /// Sets what differs from the defaults.
  public init(
    minFace: Int? = nil, scaleFactor: Double = 1.1, minNeighbors: Int = 3, minSupport: Double = 0.15,
    windowSize: Int = 20, cascade: URL? = nil
  ) {
    self.minFace = minFace
    self.scaleFactor = scaleFactor
    self.minNeighbors = minNeighbors
    self.minSupport = minSupport
    self.windowSize = windowSize
    self.cascade = cascade
  }

  /// The smallest face looked for in a picture of this shorter side, in pixels: 5 %, at least 24.
  public static func defaultMinFace(shortSide: Int) -> Int { max(24, shortSide * 5 / 100) }

  func validate() throws {
    guard minFace ?? 20 >= 20 else {
      throw MienError(.argument, "min-face", "expected at least 20 pixels, found \(minFace ?? 0)")
    }
    guard (0...1).contains(minSupport) else {
      throw MienError(.argument, nil, "expected a share of support of 0 to 1, found \(minSupport)")
    }
    guard scaleFactor >= 1.01, scaleFactor <= 2, (0...1000).contains(minNeighbors), (20...1000).contains(windowSize)
    else {
      throw MienError(
        .argument, nil,
        "expected a scale factor of 1.01 to 2, 0 to 1000 neighbours and a window of 20 to 1000 pixels, "
          + "found \(scaleFactor), \(minNeighbors) and \(windowSize)")
    }
  }
}

/// Finds the cascade that OpenCV ships; `package` for the tests.
package enum CascadeFile {
  package static let name = "haarcascade_frontalface_alt2.xml"
  /// Finds faces seen from their left side.
  package static let profileName = "haarcascade_profileface.xml"
  /// Finds frontal faces by local binary patterns (Liao et al. 2007): fast.
  package static let scoutName = "lbpcascade_frontalface.xml"

  /// The path of the first copy of the cascade called `name` that exists.
  ///
  /// - Throws: ``MienError`` that says how to install it.
  package static func find(
    _ name: String = name, environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> String {
    let folders = folders(environment).flatMap { folder in
      // Those of local binary patterns lie in a folder beside.
      name.hasPrefix("lbp") ? [folder, folder.appendingPathComponent("../lbpcascades").standardizedFileURL] : [folder]
    }
    for folder in folders {
      let path = folder.appendingPathComponent(name).path
      if FileManager.default.isReadableFile(atPath: path) { return path }
    }
    throw MienError(
      .file, name,
      "the face detector's cascade was not found in \(folders.map(\.path).joined(separator: ", ")); install it with "
        + "apt-get install opencv-data, or name its folder in MIEN_HAARCASCADES")
  }

  /// A folder that the user names is the only one searched: a wrong name should show.
  private static func folders(_ environment: [String: String]) -> [URL] {
    if let named = environment["MIEN_HAARCASCADES"], !named.isEmpty {
      return [URL(fileURLWithPath: named, isDirectory: true)]
    }
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    return [
      program.appendingPathComponent("../share/mien/haarcascades").standardizedFileURL,
      program.appendingPathComponent("../share/opencv4/haarcascades").standardizedFileURL,
      URL(fileURLWithPath: "/usr/share/opencv4/haarcascades"),
      URL(fileURLWithPath: "/usr/local/share/opencv4/haarcascades"),
      URL(fileURLWithPath: "/usr/share/opencv/haarcascades"),
    ]
  }
}
