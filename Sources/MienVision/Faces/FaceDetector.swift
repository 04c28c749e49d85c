import MienCore

/// Finds the faces in a picture.
///
/// A detector may be used from several threads at a time. Its calls block: make them off the cooperative pool.
public protocol FaceDetector: Sendable {
  /// What `--detector` calls it.
  var name: String { get }

  /// The faces of a picture, the largest first; equal ones from top to bottom, then from left to right.
  ///
  /// - Throws: ``MienError`` where a native library fails.
  func faces(in image: Image) throws -> [DetectedFace]
}

/// Takes each picture as one face that fills it, for pictures that are face crops already.
public struct WholePicture: FaceDetector {
  /// `none`.
  public var name: String { "none" }

  /// Makes the detector.
  public init() {}

  /// The whole picture as one face.
  public func faces(in image: Image) -> [DetectedFace] { [.whole(image)] }
}

extension Sequence<DetectedFace> {
  /// The largest first; equal ones from top to bottom, then from left to right.
  package func largestFirst() -> [DetectedFace] {
    sorted { ($1.box.area, $0.box.y, $0.box.x) < ($0.box.area, $1.box.y, $1.box.x) }
  }
}
