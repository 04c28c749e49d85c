public import Foundation
import MienCore
import MienVision

/// Which points of a face are written as JSON.
public enum LandmarkDetail: String, Sendable, CaseIterable {
  /// Eyes, nose, mouth and ears.
  case six
  /// The 468 points with their depth.
  case all
}

extension JSONEncoder {
  /// Which points of a face readings are written with, and the measures made of them; `nil`, the default, for none.
  public var landmarks: LandmarkDetail? {
    get { LandmarkDetail.key.flatMap { userInfo[$0] as? LandmarkDetail } }
    set { if let key = LandmarkDetail.key { userInfo[key] = newValue } }
  }
}

extension LandmarkDetail {
  fileprivate static let key = CodingUserInfoKey(rawValue: "mien.landmarks")
}

/// The JSON of a face: an element of `faces` as `mien detect --json` and the server write it, described in
/// `docs/detect.md`. Part of both contracts.
///
/// Reading it back gives an equal value but for what JSON does not hold: the turned ``DetectedFace/square`` (the square about
/// the box takes its place), landmarks that were not written, and digits beyond those written (score 0.0001, pose 0.1 degrees,
/// landmarks 0.01 pixels).
extension FaceReading: Codable {
  enum CodingKeys: String, CodingKey {
    case box, score, pose, emotion, probability, scores, confident, reason, landmarks, measures
  }

  /// Writes the reading, with the points that `JSONEncoder.landmarks` asks for.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    // What is not known is written as null.
    try container.encode(box, forKey: .box)
    try container.encode(writtenScore, forKey: .score)
    try container.encode(writtenPose, forKey: .pose)
    try container.encode(emotion, forKey: .emotion)
    try container.encode(probability, forKey: .probability)
    try container.encode(distribution, forKey: .scores)
    if let doubt {
      try container.encode(false, forKey: .confident)
      try container.encode(doubt, forKey: .reason)
    }
    guard let key = LandmarkDetail.key, let landmarks = encoder.userInfo[key] as? LandmarkDetail else { return }
    switch landmarks {
    case .six: try container.encode(writtenPoints, forKey: .landmarks)
    case .all: try container.encode(writtenMesh, forKey: .landmarks)
    }
    try container.encode(writtenMeasures, forKey: .measures)
  }

  /// Reads what ``encode(to:)`` writes.
  ///
  /// - Throws: `DecodingError`, or ``MienError`` if the scores are no probabilities.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let points = try? container.decodeIfPresent(FacePoints.self, forKey: .landmarks)
    let mesh = try? container.decodeIfPresent([[Double]].self, forKey: .landmarks)
    let landmarks = mesh.flatMap { mesh in
      FaceLandmarks(
        points: mesh.filter { $0.count == 3 }.map { FaceLandmarks.Point3(x: $0[0], y: $0[1], z: $0[2]) },
        probability: 1)
    }
    let face = DetectedFace(
      box: try container.decode(Box.self, forKey: .box),
      score: try container.decodeIfPresent(Double.self, forKey: .score),
      points: points ?? landmarks?.sixPoints, landmarks: landmarks)
    self.init(
      face: face, distribution: try container.decode(EmotionDistribution.self, forKey: .scores),
      doubt: try container.decodeIfPresent(Doubt.self, forKey: .reason),
      pose: try container.decodeIfPresent(FacePose.self, forKey: .pose))
  }
}
