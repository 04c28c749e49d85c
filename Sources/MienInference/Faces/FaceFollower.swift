package import MienVision

/// Follows faces from frame to frame, as MediaPipe does: where a face was, the landmark network looks again, which takes a
/// tenth of a search.
///
/// The whole frame is searched at cuts, when a face is lost, and every ``searchInterval`` for new faces. A face keeps its
/// number until it is lost. Frames more than ``longestStep`` apart are searched each for itself.
package struct FaceFollower: Sendable {
  private let detector: NetworkDetector
  private var faces: [Followed] = []
  private var lastNumber = 0
  private var nextSearch = 0.0
  private var lastSeconds: Double?

  private struct Followed: Sendable {
    var face: DetectedFace
    /// When a search last found it, or its landmarks were last seen.
    var seen: Double
  }

  /// Longer gaps between frames, in seconds, are too long to follow a face through.
  private static let longestStep = 0.25
  /// Seconds between two searches while nothing is lost.
  private static let searchInterval = 0.4
  /// Seconds between two searches while a face is in view whose landmarks are not seen.
  private static let uncertainInterval = 0.12
  /// Seconds for which a face without landmarks stays where a search found it.
  private static let patience = 0.3

  /// Starts before the first frame.
  package init(detector: NetworkDetector) { self.detector = detector }

  /// The faces of the next frame, in the order in which they were first found.
  ///
  /// - Parameters:
  ///   - seconds: when the frame is shown; not before the last one.
  ///   - startsScene: whether it is the first after a cut.
  package mutating func faces(in frame: Image, seconds: Double, startsScene: Bool) throws -> [DetectedFace] {
    let step = lastSeconds.map { seconds - $0 } ?? .infinity
    lastSeconds = seconds
    if startsScene || !(0...Self.longestStep).contains(step) {
      faces.removeAll()
      nextSearch = seconds
    }
    var isLost = false
    for index in faces.indices {
      let old = faces[index].face
      if old.landmarks != nil, let landmarks = try detector.landmarks(near: old.square, in: frame),
        landmarks.probability > 0.5, Self.continues(old.square, landmarks.square),
        var next = DetectedFace(landmarks, score: ((old.score ?? 1) + landmarks.probability) / 2, in: frame)
      {
        next.follow = old.follow
        faces[index] = Followed(face: next, seen: seconds)
      } else if old.landmarks != nil {
        isLost = true
      }
    }
    leaveOutDoubles()
    if isLost || seconds >= nextSearch {
      let isUncertain = try search(frame, seconds)
      nextSearch = seconds + (isUncertain ? Self.uncertainInterval : Self.searchInterval)
    }
    faces.removeAll { seconds - $0.seen > ($0.face.landmarks == nil ? Self.patience : 0) }
    return faces.map(\.face)
  }

  /// Searches the whole frame.
  ///
  /// - Returns: whether a face is in view whose landmarks are not seen.
  private mutating func search(_ frame: Image, _ seconds: Double) throws -> Bool {
    for var found in try detector.faces(in: frame, quarterTurns: 0) {
      let same = faces.indices.filter { faces[$0].face.square.isSameFace(as: found.square) }
      // A face that was followed into this frame stays as its landmarks say.
      guard !same.contains(where: { faces[$0].seen == seconds && faces[$0].face.landmarks != nil }) else { continue }
      if let index = same.first {
        found.follow = faces[index].face.follow
        faces[index] = Followed(face: found, seen: seconds)
      } else {
        lastNumber += 1
        found.follow = lastNumber
        faces.append(Followed(face: found, seen: seconds))
      }
    }
    return faces.contains { $0.face.landmarks == nil }
  }

  /// Whether landmarks may be those of the face that was in `old`: a face does not jump, nor change its size at once.
  private static func continues(_ old: TurnedSquare, _ new: TurnedSquare) -> Bool {
    (0.6...1.7).contains(new.side / old.side) && new.overlap(old).smaller > 0.4
  }

  /// Of two faces that have come to the same place the one found first stays.
  private mutating func leaveOutDoubles() {
    var kept: [Followed] = []
    for next in faces where !kept.contains(where: { $0.face.square.isSameFace(as: next.face.square) }) {
      kept.append(next)
    }
    faces = kept
  }
}
