import Foundation
import MienCore
import Synchronization

/// A face that the detector found.
public struct DetectedFace: Sendable, Hashable {
  /// Where, in pixels of the upright picture; a square.
  public let box: Box
  /// How many windows of the cascade agreed on it when it last looked closely: higher is surer. At least 6 in a picture
  /// by itself, at least 1 for a face that is followed through a video; 0 where no detector looked.
  public let score: Double

  /// Makes a detection.
  public init(box: Box, score: Double) {
    self.box = box
    self.score = score
  }
}

/// Finds frontal faces by OpenCV's boosted cascades (Viola and Jones 2001; Lienhart and Maydt 2002; Liao et al. 2007).
///
/// Local binary patterns propose places in coarse steps of size, and Haar features look at each again in fine steps:
/// ``FaceFollower`` says how, and a picture is a video of one frame to it, without profiles, which take other frames to
/// confirm. `docs/detection.md` states what is found and what is missed. A detector may be used from several threads at a
/// time; each gets cascades of its own.
public final class FaceDetector: Sendable {
  /// Side of the smallest face to find, in pixels of the picture; nil: ``defaultMinFace(shortSide:)``.
  public let minFace: Int?
  private let environment: [String: String]
  /// Those not in use, as they were made.
  private let idle: Mutex<[FaceFollower]>

  /// Loads the cascades: OpenCV's, found where Debian and Ubuntu put them, in `../share` of the program, or in the folder
  /// that `MIEN_HAARCASCADES` names.
  ///
  /// - Throws: ``MienError`` where `minFace` is less than 20, or a cascade's file is missing or damaged.
  public convenience init(minFace: Int? = nil) throws {
    try self.init(minFace: minFace, environment: ProcessInfo.processInfo.environment)
  }

  package init(minFace: Int?, environment: [String: String]) throws {
    self.minFace = minFace
    self.environment = environment
    idle = Mutex([try Self.follower(minFace, environment)])
  }

  private static func follower(_ minFace: Int?, _ environment: [String: String]) throws -> FaceFollower {
    try FaceFollower(minFace: minFace, findsProfiles: false, environment: environment)
  }

  /// The smallest face looked for in a picture of this shorter side, in pixels: 5 %, at least 24.
  public static func defaultMinFace(shortSide: Int) -> Int { max(24, shortSide * 5 / 100) }

  /// The faces of a picture, the largest first; equal ones from top to bottom, then from left to right.
  ///
  /// - Throws: ``MienError`` where OpenCV fails.
  public func faces(in image: Image) throws -> [DetectedFace] {
    let fresh = try idle.withLock { $0.popLast() } ?? Self.follower(minFace, environment)
    defer { idle.withLock { $0.append(fresh) } }
    var follower = fresh
    return try follower.faces(in: image, seconds: 0, startsScene: true)
      .sorted { ($1.box.area, $0.box.y, $0.box.x) < ($0.box.area, $1.box.y, $1.box.x) }
  }
}
