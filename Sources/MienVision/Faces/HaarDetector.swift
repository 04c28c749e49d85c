import Foundation
import MienCore
import Synchronization

/// Finds frontal faces by OpenCV's cascade of Haar features (Viola and Jones 2001; Lienhart and Maydt 2002), as the
/// published systems do.
///
/// It misses tilted heads, profiles and covered faces; `docs/detection.md` compares it with the default detector. A face's
/// score is n / (n + 5), where n windows of the cascade agreed on it.
public final class HaarDetector: SizedFaceDetector {
  /// `haar`.
  public let name = "haar"
  /// Side of the smallest face to find, in pixels of the picture; `nil` for 5 % of the shorter side, at least 24.
  public let minFace: Int?
  private let environment: [String: String]
  /// Cascades that are not in use; one call uses one.
  private let idle: Mutex<[Cascade]>

  /// Ratio of one size that is searched for to the next.
  private static let scaleFactor = 1.1
  /// How many windows must agree on a face.
  private static let minNeighbors = 5
  /// The size to which the smallest face is shrunk: larger ones only take longer.
  private static let smallestSide = 24.0

  /// Loads the cascade: OpenCV's, found where Debian and Ubuntu put it, in `../share` of the program, or in the folder that
  /// `MIEN_HAARCASCADES` names.
  ///
  /// - Throws: ``MienError`` if `minFace` is less than 20, or the cascade's file is missing or damaged.
  public convenience init(minFace: Int? = nil) throws {
    try self.init(minFace: minFace, environment: ProcessInfo.processInfo.environment)
  }

  package init(minFace: Int?, environment: [String: String]) throws {
    guard minFace ?? 20 >= 20 else {
      throw MienError(.argument, "min-face", "expected at least 20 pixels, found \(minFace ?? 0)")
    }
    self.minFace = minFace
    self.environment = environment
    idle = Mutex([try Cascade(path: CascadeFile.find(environment: environment))])
  }

  /// How far a picture is shrunk in which the smallest face has `least` pixels.
  private static func scale(least: Int) -> Double { min(1, smallestSide / Double(least)) }

  package func searchedPixels(of image: Image, minFace: Int) -> Int {
    let scale = Self.scale(least: image.side(ofWhole: minFace))
    // The cascade looks at each size of face in a copy of its own, all of which have so many times the pixels of the finest.
    let copies = 1 / (1 - 1 / (Self.scaleFactor * Self.scaleFactor))
    return Int(Double(image.width) * scale * Double(image.height) * scale * copies)
  }

  /// The frontal faces of a picture.
  public func faces(in image: Image) throws -> [DetectedFace] {
    let shortSide = min(image.width, image.height)
    let least = minFace.map(image.side) ?? max(24, shortSide / 20)
    guard least <= shortSide else { return [] }
    let cascade = try idle.withLock { $0.popLast() } ?? Cascade(path: CascadeFile.find(environment: environment))
    defer { idle.withLock { $0.append(cascade) } }
    let scale = Self.scale(least: least)
    let searched = try image.grey.scaled(by: scale)
    return try cascade.detections(
      in: searched, scaleFactor: Self.scaleFactor, minNeighbors: Self.minNeighbors,
      minSide: Int((Double(least) * scale).rounded())
    ).compactMap { found in
      let square = TurnedSquare(around: found.box)
      let whole = TurnedSquare(
        center: Point(x: square.center.x / scale, y: square.center.y / scale), side: square.side / scale)
      guard let box = whole.box(width: image.width, height: image.height) else { return nil }
      let score = Double(found.windows) / Double(found.windows + Self.minNeighbors)
      return DetectedFace(box: box, score: score, square: whole)
    }.largestFirst()
  }
}
