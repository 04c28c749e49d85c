import Foundation
import MienCore
import Synchronization

/// A face that the detector found.
public struct DetectedFace: Sendable, Hashable {
  /// Where, in pixels of the upright picture; a square.
  public let box: Box
  /// How many windows of the cascade agreed on it: higher is surer; at least ``FaceDetectorOptions/minNeighbors``.
  public let score: Double

  /// Makes a detection.
  public init(box: Box, score: Double) {
    self.box = box
    self.score = score
  }
}

/// Finds frontal faces by a boosted cascade of Haar features (Viola and Jones 2001; Lienhart and Maydt 2002).
///
/// The picture is shrunk so that the smallest face asked for fills the cascade's window, made grey, and its histogram
/// equalised. A detector may be used from several threads at a time; each gets a cascade of its own.
public final class FaceDetector: Sendable {
  /// The settings in use.
  public let options: FaceDetectorOptions
  private let path: String
  private let idle: Mutex<[Cascade]>

  /// Loads the cascade.
  ///
  /// - Throws: ``MienError`` where a setting is out of range, or the cascade's file is missing or damaged.
  public init(options: FaceDetectorOptions = .init()) throws {
    try options.validate()
    self.options = options
    path = try options.cascade?.path ?? CascadeFile.find()
    idle = Mutex([try Cascade(path: path)])
  }

  /// The faces of a picture, the largest first; equal ones from top to bottom, then from left to right.
  ///
  /// - Throws: ``MienError`` where OpenCV fails.
  public func faces(in image: Image) throws -> [DetectedFace] {
    let shortSide = min(image.width, image.height)
    let minFace = options.minFace ?? FaceDetectorOptions.defaultMinFace(shortSide: shortSide)
    guard minFace <= shortSide else { return [] }
    let scale = min(1, Double(options.windowSize) / Double(minFace))
    let searched = try image.scaled(by: scale).grey
    let cascade = try idle.withLock { $0.popLast() } ?? Cascade(path: path)
    defer { idle.withLock { $0.append(cascade) } }
    let found = try cascade.detections(
      in: searched, scaleFactor: options.scaleFactor, minNeighbors: options.minNeighbors,
      minSide: Int((Double(minFace) * scale).rounded(.down)))
    // Each axis by its own ratio, as the shrunk sides are rounded.
    let scaleX = Double(image.width) / Double(searched.width)
    let scaleY = Double(image.height) / Double(searched.height)
    // A real face gathers tens of windows at any size, a chance pattern a few: beside a sure face they tell apart.
    let needed = options.minSupport * (found.map(\.score).max() ?? 0)
    return Self.distinct(found.filter { $0.score >= needed }.map { $0.scaled(byX: scaleX, y: scaleY, within: image) })
  }

  /// Leaves out a face that mostly lies in a surer one, and sorts.
  package static func distinct(_ faces: [DetectedFace]) -> [DetectedFace] {
    var kept: [DetectedFace] = []
    let surestFirst = faces.sorted {
      ($1.score, $1.box.area, $0.box.y, $0.box.x) < ($0.score, $0.box.area, $1.box.y, $1.box.x)
    }
    for face in surestFirst {
      let isDuplicate = kept.contains { other in
        let common = Double(face.box.intersectionArea(other.box))
        return common > 0.5 * Double(min(face.box.area, other.box.area))
      }
      if !isDuplicate { kept.append(face) }
    }
    return kept.sorted { ($1.box.area, $0.box.y, $0.box.x) < ($0.box.area, $1.box.y, $1.box.x) }
  }
}

extension DetectedFace {
  fileprivate func scaled(byX scaleX: Double, y scaleY: Double, within image: Image) -> DetectedFace {
    let side = min(
      Int((Double(box.width) * (scaleX + scaleY) / 2).rounded()), image.width, image.height)
    let x = min(Int((Double(box.x) * scaleX).rounded()), image.width - side)
    let y = min(Int((Double(box.y) * scaleY).rounded()), image.height - side)
    return DetectedFace(box: Box(x: max(0, x), y: max(0, y), width: side, height: side), score: score)
  }
}
