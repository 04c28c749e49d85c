import Dispatch
package import MienVision
import Synchronization

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
  private var lastSearch = -Double.infinity
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
  /// The least number of seconds between two searches of a shot: when a face was lost, and while one is in view whose
  /// landmarks are not seen.
  private static let shortestInterval = 0.12
  /// A face goes on while the landmark network gives it at least this probability.
  private static let leastProbability = 0.3
  /// Seconds for which a face stays where it was last seen.
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
      (nextSearch, lastSearch) = (seconds, -.infinity)
    }
    var isLost = false
    let picture = PictureCopies(frame)
    for (index, landmarks) in try landmarks(in: picture).enumerated() {
      let old = faces[index].face
      if let landmarks, landmarks.probability > Self.leastProbability, Self.continues(old.square, landmarks.square),
        var next = DetectedFace(landmarks, score: ((old.score ?? 1) + landmarks.probability) / 2, in: frame)
      {
        next.follow = old.follow
        faces[index] = Followed(face: next, seen: seconds)
      } else if old.landmarks != nil {
        isLost = true
      }
    }
    leaveOutDoubles()
    // A face that was lost stays where it was until the next search, which comes when the last is long enough ago.
    if isLost { nextSearch = min(nextSearch, lastSearch + Self.shortestInterval) }
    if seconds >= nextSearch {
      let isUncertain = try search(picture, seconds)
      lastSearch = seconds
      nextSearch = seconds + (isUncertain ? Self.shortestInterval : Self.searchInterval)
      faces.removeAll { $0.seen < seconds && $0.face.landmarks != nil }
    }
    faces.removeAll { seconds - $0.seen > Self.patience }
    return faces.map(\.face)
  }

  /// What the landmark network sees where each face was, in the order of ``faces``; `nil` for those that had no landmarks.
  /// It looks at several faces at a time.
  private func landmarks(in picture: PictureCopies) throws -> [FaceLandmarks?] {
    let squares = faces.map { $0.face.landmarks == nil ? nil : $0.face.square }
    let found = Mutex([Result<FaceLandmarks?, any Error>](repeating: .success(nil), count: squares.count))
    DispatchQueue.concurrentPerform(iterations: squares.count) { index in
      guard let square = squares[index] else { return }
      let result = Result { try detector.landmarks(near: square, in: picture) }
      found.withLock { $0[index] = result }
    }
    return try found.withLock { try $0.map { try $0.get() } }
  }

  /// Searches the whole frame.
  ///
  /// - Returns: whether a face is in view whose landmarks are not seen.
  private mutating func search(_ picture: PictureCopies, _ seconds: Double) throws -> Bool {
    let followed = faces.filter { $0.seen == seconds && $0.face.landmarks != nil }.map(\.face.square)
    for var found in try detector.faces(in: picture, besides: followed) {
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
