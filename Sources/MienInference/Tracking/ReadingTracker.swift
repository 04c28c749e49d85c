import Foundation
import MienCore
import MienVision

/// Tells which faces of one moment are those of the moments before, and steadies their readings.
///
/// **Association.** A face that is followed from frame to frame keeps its track. Others are joined by place: a track
/// expects its face where its last motion would have taken it (constant velocity, for at most half a second). Pairs of
/// tracks and faces that overlap, or whose centres lie within 0.6 sides of each other, and whose sizes are within a
/// factor of two, are joined, the best first (intersection over union less distance in sides). A lost face may have
/// moved further: the distance grows by a side a second. What is left over starts tracks. A cut ends all.
///
/// **Smoothing.** An exponential average in probability space by time stamp: after Δt seconds a reading weighs
/// 1 - exp(-Δt / ``ReadingTrackerOptions/timeConstant``), so the result does not depend on the frame rate.
///
/// **Label.** It changes when another emotion's smoothed probability is higher by the margin, or when the readings
/// themselves have shown that emotion first for ``maxLag`` without a break; so it is at most that much late. It turns
/// unsure under the set confidence, and sure again 0.05 above it.
///
/// The same calls give the same results. What is kept is a few hundred bytes a track, for the tracks of the last
/// ``ReadingTrackerOptions/maxGap`` seconds.
public struct ReadingTracker: Sendable {
  /// The most that a label is late, in seconds.
  public static let maxLag = 0.3

  /// The settings in use, in range.
  public let options: ReadingTrackerOptions
  private var tracks: [Track] = []
  private var lastTrack = 0
  private var lastSeconds = -Double.infinity

  /// Starts without tracks. Settings out of range are taken to the nearest in range, those that are not a number to
  /// their defaults; see ``ReadingTrackerOptions/validate()``.
  public init(options: ReadingTrackerOptions = .init()) { self.options = options.nearestInRange }

  /// Takes the faces of one moment.
  ///
  /// - Parameters:
  ///   - readings: the faces, in any order.
  ///   - seconds: the moment, on a clock of the caller's. One that is not after the last counts as the same moment.
  ///   - sceneChanged: whether this moment is the first after a cut: then no face goes on.
  /// - Returns: one a reading, in the same order.
  public mutating func update(
    _ readings: [FaceReading], seconds: Double, sceneChanged: Bool = false
  ) -> [TrackedReading] {
    let seconds = seconds.isFinite ? max(seconds, lastSeconds) : lastSeconds
    lastSeconds = seconds
    if sceneChanged { tracks.removeAll() }
    tracks.removeAll { seconds - $0.seconds > options.maxGap }
    var owner = [Int?](repeating: nil, count: readings.count)
    for (index, reading) in readings.enumerated() {
      guard let follow = reading.face.follow else { continue }
      owner[index] = tracks.firstIndex { $0.follow == follow }
    }
    for pair in pairs(readings, seconds)
    where owner[pair.reading] == nil && !owner.contains(pair.track) { owner[pair.reading] = pair.track }
    return readings.indices.map { index in
      if let track = owner[index] {
        tracks[track].add(readings[index], seconds: seconds, options)
        return tracks[track].reading(readings[index])
      }
      lastTrack += 1
      let track = Track(number: lastTrack, readings[index], seconds: seconds, options)
      tracks.append(track)
      return track.reading(readings[index])
    }
  }

  private struct Pair {
    let track: Int
    let reading: Int
    let score: Double
  }

  /// The pairs that may belong together, the best first.
  private func pairs(_ readings: [FaceReading], _ seconds: Double) -> [Pair] {
    var pairs: [Pair] = []
    for (trackIndex, track) in tracks.enumerated() {
      let expected = track.motion.place(at: seconds)
      for (index, reading) in readings.enumerated() {
        let place = FacePlace(reading.face.square)
        let distance = expected.distance(place)
        let reach = 0.6 + min(1, seconds - track.seconds)
        let ratio = max(expected.side, place.side) / max(1, min(expected.side, place.side))
        let overlap = expected.box.overlap(place.box)
        guard ratio <= 2, overlap >= 0.1 || distance <= reach else { continue }
        pairs.append(Pair(track: trackIndex, reading: index, score: overlap - distance))
      }
    }
    return pairs.sorted {
      $0.score != $1.score ? $0.score > $1.score : ($0.track, $0.reading) < ($1.track, $1.reading)
    }
  }
}

/// One followed face.
private struct Track {
  let number: Int
  /// The follower's number of the face that it last was.
  private(set) var follow: Int?
  private(set) var seconds: Double
  private(set) var motion: FaceMotion
  private var smoothed: EmotionDistribution
  private var label: Emotion
  private var isSure: Bool
  /// The emotion that the readings show, and since when without a break.
  private var shown: (emotion: Emotion, since: Double)

  init(number: Int, _ reading: FaceReading, seconds: Double, _ options: ReadingTrackerOptions) {
    self.number = number
    self.seconds = seconds
    follow = reading.face.follow
    motion = FaceMotion(FacePlace(reading.face.square), seconds: seconds)
    smoothed = reading.distribution
    label = smoothed.top.emotion
    shown = (label, seconds)
    isSure = smoothed.top.probability >= options.minConfidence
  }

  func reading(_ reading: FaceReading) -> TrackedReading {
    TrackedReading(track: number, reading: reading, smoothed: smoothed, emotion: isSure ? label : nil)
  }

  mutating func add(_ reading: FaceReading, seconds: Double, _ options: ReadingTrackerOptions) {
    let elapsed = seconds - self.seconds
    follow = reading.face.follow
    motion.move(to: FacePlace(reading.face.square), seconds: seconds)
    let weight = options.timeConstant > 0 ? Float(1 - exp(-elapsed / options.timeConstant)) : 1
    smoothed = smoothed.moved(towards: reading.distribution, by: weight)
    let top = reading.distribution.top.emotion
    if top != shown.emotion { shown = (top, seconds) }
    self.seconds = seconds
    updateLabel(options)
  }

  private mutating func updateLabel(_ options: ReadingTrackerOptions) {
    let (best, probability) = smoothed.top
    if smoothed[label] == nil || probability - (smoothed[label] ?? 0) >= options.margin {
      label = best
    } else if seconds - shown.since >= ReadingTracker.maxLag {
      label = shown.emotion
    }
    let confidence = smoothed[label] ?? 0
    isSure = confidence >= (isSure ? options.minConfidence : min(1, options.minConfidence + 0.05))
  }
}

extension EmotionDistribution {
  /// The mean with another distribution that weighs `weight`; the other where the label sets differ.
  fileprivate func moved(towards other: EmotionDistribution, by weight: Float) -> EmotionDistribution {
    guard labels == other.labels, weight < 1 else { return other }
    let mixed = zip(probabilities, other.probabilities).map { $0 + weight * ($1 - $0) }
    return (try? EmotionDistribution(labels: labels, probabilities: mixed)) ?? other
  }
}
