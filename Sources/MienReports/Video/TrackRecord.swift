public import Foundation
public import MienCore

/// What one followed face of a video showed over time, in bounded memory however long the video is.
public struct TrackRecord: Sendable {
  /// The highest that an emotion's smoothed probability rose.
  public struct Peak: Sendable, Equatable {
    /// The probability, 0…1.
    public let probability: Float
    /// When, in seconds.
    public let seconds: Double
  }

  /// A moment with its picture.
  public struct Moment: Sendable {
    /// When, in seconds.
    public let seconds: Double
    /// The label; nil where unsure.
    public let emotion: Emotion?
    /// The smoothed probabilities.
    public let distribution: EmotionDistribution
    /// The face, as a JPEG file.
    public let jpeg: Data
  }

  /// A stretch of time with its mean probabilities; nil where the face was not seen.
  struct Bin: Sendable {
    /// One an emotion of ``TrackRecord/labels``, times ``weight``.
    var sums: [Float]
    var weight: Float = 0
    /// Where its last reading ends, in seconds.
    var end = 0.0
  }

  /// The track's number.
  public let track: Int
  /// The emotions.
  public let labels: LabelSet
  /// When the face was seen first, in seconds.
  public let first: Double
  /// When it was seen last.
  public private(set) var last: Double
  /// Where its last reading ends, which counts for its duration.
  private(set) var end: Double
  /// For how long it was seen, gaps left out.
  public private(set) var seen = 0.0
  /// For how long it had each label.
  public private(set) var shown: [Emotion: Double] = [:]
  /// The mean of the highest smoothed probability over the time in which the face was seen, 0…1.
  public var meanProbability: Double { seen > 0 ? certainty / seen : 0 }
  private var certainty = 0.0
  /// How often the label changed from one emotion to another.
  public private(set) var transitions = 0
  /// Each emotion's highest smoothed probability.
  public private(set) var peaks: [Emotion: Peak] = [:]
  /// Some moments, evenly over the track, but for those that were dropped to save memory.
  public private(set) var moments: [Moment] = []
  private var readings = 0
  private(set) var bins: [Bin] = []
  private(set) var binWidth = 1.0 / 15
  private var momentInterval = 0.5
  private var nextMoment: Double
  private var label: Emotion?

  private static let mostBins = 400
  private static let mostMoments = 24

  /// Starts a track.
  public init(track: Int, labels: LabelSet, first: Double) {
    self.track = track
    self.labels = labels
    self.first = first
    last = first
    end = first
    nextMoment = first
  }

  /// For how long no label was sure.
  public var unsure: Double { max(0, seen - shown.values.reduce(0, +)) }

  /// Adds a reading.
  ///
  /// - Parameters:
  ///   - seconds: when, not before the last.
  ///   - duration: for how long it counts, in seconds: until the next frame that is read.
  ///   - jpeg: makes the face's picture; asked for now and then only.
  public mutating func add(
    seconds: Double, duration: Double, smoothed: EmotionDistribution, emotion: Emotion?, jpeg: () throws -> Data
  ) rethrows {
    last = seconds
    end = seconds + duration
    readings += 1
    seen += duration
    certainty += duration * Double(smoothed.probabilities.max() ?? 0)
    if let emotion {
      shown[emotion, default: 0] += duration
      if let label, label != emotion { transitions += 1 }
      label = emotion
    }
    for (emotion, probability) in zip(smoothed.labels.emotions, smoothed.probabilities)
    where probability > peaks[emotion]?.probability ?? -1 {
      peaks[emotion] = Peak(probability: probability, seconds: seconds)
    }
    addToBins(smoothed, seconds: seconds)
    guard seconds >= nextMoment - 1e-6 else { return }
    nextMoment = seconds + momentInterval
    moments.append(Moment(seconds: seconds, emotion: emotion, distribution: smoothed, jpeg: try jpeg()))
    if moments.count > Self.mostMoments { thinMoments() }
  }

  /// Leaves out every second moment, and takes half as many from now on; a single one stays, and nothing changes.
  public mutating func thinMoments() {
    guard moments.count > 1 else { return }
    moments = moments.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    momentInterval *= 2
    nextMoment = (moments.last?.seconds ?? first) + momentInterval
  }

  /// Forgets all moments so far; later ones are taken as before.
  mutating func dropMoments() { moments = [] }

  private mutating func addToBins(_ smoothed: EmotionDistribution, seconds: Double) {
    guard smoothed.labels == labels else { return }
    var index = Int(max(0, min((seconds - first) / binWidth, 1e9)))
    while index >= Self.mostBins {
      bins = stride(from: 0, to: bins.count, by: 2).map { start in
        guard start + 1 < bins.count else { return bins[start] }
        let sums = zip(bins[start].sums, bins[start + 1].sums).map(+)
        return Bin(
          sums: sums, weight: bins[start].weight + bins[start + 1].weight,
          end: max(bins[start].end, bins[start + 1].end))
      }
      binWidth *= 2
      index /= 2
    }
    while bins.count <= index { bins.append(Bin(sums: [Float](repeating: 0, count: labels.count))) }
    for position in smoothed.probabilities.indices { bins[index].sums[position] += smoothed.probabilities[position] }
    bins[index].weight += 1
    bins[index].end = end
  }

  /// The stretches in which the face was seen: the mean probabilities of each bin, at its middle; the first of a
  /// stretch holds from the beginning of its bin, the last until its last reading ends.
  var spans: [[(seconds: Double, shares: [Float])]] {
    var spans: [[(seconds: Double, shares: [Float])]] = []
    var isOpen = false
    for (index, bin) in bins.enumerated() {
      guard bin.weight > 0 else {
        // A bin between two frames is no gap; half a second is one, where frames are nearer than that.
        let next = bins[index...].firstIndex { $0.weight > 0 } ?? bins.count
        if Double(next - index) * binWidth > max(0.5, 2.5 * seen / Double(readings)) { isOpen = false }
        continue
      }
      let start = first + Double(index) * binWidth
      let shares = bin.sums.map { $0 / bin.weight }
      if isOpen {
        // The stretch goes on: the last bin is not its end.
        spans[spans.count - 1].removeLast()
      } else {
        spans.append([(start, shares)])
      }
      isOpen = true
      spans[spans.count - 1] += [
        (min(start + binWidth / 2, bin.end), shares), (bin.end, shares),
      ]
    }
    return spans
  }
}
