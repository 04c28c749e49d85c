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

/// A detector whose search grows, the smaller the faces are that it looks for.
package protocol SizedFaceDetector: FaceDetector {
  /// Side of the smallest face to find, in pixels of the whole picture; `nil` for what the detector finds by itself.
  var minFace: Int? { get }

  /// Pixels of the largest copy of a picture that is searched for faces of `minFace` pixels of the whole picture.
  func searchedPixels(of image: Image, minFace: Int) -> Int
}

extension Image {
  /// A side of a face in pixels of this picture, which may have been decoded at a reduced size; at least 1.
  package func side(ofWhole side: Int) -> Int { max(1, side / reduction) }
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
