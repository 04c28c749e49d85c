public import Foundation
public import MienCore

/// Collects what the faces of a video showed, for a table and a page: a timeline a face, with pictures to look at.
public struct VideoTimeline: Sendable {
  /// The faces, in order of appearance.
  public private(set) var tracks: [TrackRecord] = []
  private var places: [Int: Int] = [:]
  private var momentCount = 0
  private let labels: LabelSet
  private let minConfidence: Float

  /// Pictures kept at most, some 3 KB each.
  private static let mostMoments = 2000
  /// How many are left where these were too many: more than ``mostTracks`` faces have, which so keep theirs.
  private static let keptMoments = 1500
  /// Faces drawn at most, those that were seen longest.
  private static let mostTracks = 60
  /// Seconds below which a face is in the table only, unless all were seen as briefly: a reading or a few.
  private static let leastSeen = 0.3

  /// Starts a record of readings over `labels`.
  ///
  /// - Parameter minConfidence: the probability from which a reading is sure.
  public init(labels: LabelSet, minConfidence: Float) {
    self.labels = labels
    self.minConfidence = minConfidence
  }

  /// Whether no face was read.
  public var isEmpty: Bool { tracks.isEmpty }

  /// Adds a reading; see ``TrackRecord/add(seconds:duration:smoothed:emotion:jpeg:)``.
  public mutating func add(
    track: Int, seconds: Double, duration: Double, smoothed: EmotionDistribution, emotion: Emotion?,
    jpeg: () throws -> Data
  ) rethrows {
    let place = places[track] ?? tracks.count
    if place == tracks.count {
      tracks.append(TrackRecord(track: track, labels: labels, first: seconds))
      places[track] = place
    }
    let before = tracks[place].moments.count
    try tracks[place].add(seconds: seconds, duration: duration, smoothed: smoothed, emotion: emotion, jpeg: jpeg)
    momentCount += tracks[place].moments.count - before
    if momentCount > Self.mostMoments { dropMoments() }
  }

  /// Leaves ``keptMoments`` pictures at most: by thinning the faces with several where that is enough, else those seen
  /// shortest lose theirs.
  private mutating func dropMoments() {
    let freed = tracks.reduce(0) { $0 + $1.moments.count / 2 }
    if momentCount - freed <= Self.keptMoments {
      for index in tracks.indices { tracks[index].thinMoments() }
    } else {
      let shortestFirst = tracks.indices.filter { !tracks[$0].moments.isEmpty }
        .sorted { Self.isLonger(tracks[$1], tracks[$0]) }
      var left = momentCount
      for index in shortestFirst where left > Self.keptMoments {
        left -= tracks[index].moments.count
        tracks[index].dropMoments()
      }
    }
    momentCount = tracks.reduce(0) { $0 + $1.moments.count }
  }

  /// Whether `a` was seen longer than `b`; of equals the one that came first.
  private static func isLonger(_ a: TrackRecord, _ b: TrackRecord) -> Bool {
    (b.seen, a.track) < (a.seen, b.track)
  }

  /// One row per face: when it was seen, for how long, what it showed, how probable that was on average, how often it
  /// changed, and the moment in which an emotion other than neutral was most probable, if a reading of it would be sure.
  public var table: TextTable {
    var table = TextTable(header: [
      "person", "first", "last", "seen", "shows", "probability", "changes", "strongest emotion",
    ])
    for track in longestTracks {
      var shares = track.shown.map { (name: $0.key.rawValue, seconds: $0.value) }
      if track.unsure > 0.001 { shares.append(("unsure", track.unsure)) }
      shares.sort { ($1.seconds, $0.name) < ($0.seconds, $1.name) }
      let words = shares.prefix(3).map { "\($0.name) \(NumberText.percent($0.seconds / max(track.seen, 1e-9), 0))" }
      // Neutral is what a face shows between expressions.
      let peak = track.peaks.filter { $0.key != .neutral && $0.value.probability >= minConfidence }
        .max { ($0.value.probability, $1.key) < ($1.value.probability, $0.key) }
      table.add([
        "\(track.track)", Self.time(track.first), Self.time(track.end), NumberText.duration(track.seen),
        words.joined(separator: ", "), NumberText.probability(track.meanProbability), "\(track.transitions)",
        peak.map {
          "\($0.key.rawValue) \(NumberText.probability($0.value.probability)) at \(Self.time($0.value.seconds))"
        }
          ?? "",
      ])
    }
    return table
  }

  private var longestTracks: [TrackRecord] {
    let longest = tracks.sorted(by: Self.isLonger).prefix(Self.mostTracks)
    return longest.sorted { $0.track < $1.track }
  }

  /// The page.
  ///
  /// - Parameters:
  ///   - name: the video's.
  ///   - seconds: how long it is, as far as it was read.
  ///   - facts: what else to say, such as the model and the command.
  public func report(name: String, seconds: Double, facts: [ReportBlock.Fact]) -> Report {
    let shown = longestTracks
    let left = tracks.count - shown.count
    let longer = shown.filter { $0.seen >= Self.leastSeen }
    let drawn = longer.isEmpty ? shown : longer
    let brief = shown.count - drawn.count
    let more =
      (left > 0 ? " The \(left) that were seen shortest are left out." : "")
      + (brief > 0
        ? " \(SamplingUnit.person.counted(brief)) seen for less than \(NumberText.fixed(Self.leastSeen, 1)) s "
          + "\(brief == 1 ? "has" : "have") no chart." : "")
    // The last frame's readings count beyond its time stamp.
    let length = max(seconds, tracks.map(\.end).max() ?? 0)
    return Report(
      title: name,
      subtitle:
        "\(SamplingUnit.person.counted(tracks.count)) in \(NumberText.duration(length)); what they show, not what they feel.",
      sections: [
        ReportSection(
          title: "People",
          blocks: [
            shown.isEmpty ? .text("No face was found.") : .table(table, caption: nil),
            .note(
              "A person is a face that could be followed: after a cut, or when it was away for longer, the same face counts "
                + "as another. Shares are of the time in which it was seen; `probability` is the mean probability of the "
                + "most probable emotion.\(more)"),
          ])
      ] + drawn.map { section($0) } + [ReportSection(title: "About this page", blocks: [.facts(facts)])])
  }

  private func section(_ track: TrackRecord) -> ReportSection {
    let chart = StackedShareChart(
      title: "What person \(track.track) shows", labels: labels, spans: track.spans,
      range: track.first...max(track.end, track.first + 1e-3),
      links: track.moments.enumerated().map { index, moment in
        .init(
          seconds: moment.seconds, target: MomentStrip.id(track.track, index),
          tooltip: "\(Self.time(moment.seconds)): \(moment.emotion?.rawValue ?? "unsure")")
      })
    return ReportSection(
      title: "Person \(track.track)",
      blocks: [
        .chart(
          chart, isTitled: false,
          caption:
            "Smoothed probability of each emotion over time. Choose a moment in the chart, or a picture, to see it."),
        .moments(MomentStrip(track)),
      ])
  }

  /// A time as `83.4 s`, or `2:05` from two minutes on.
  static func time(_ seconds: Double) -> String {
    guard seconds >= 120 else { return NumberText.fixed(seconds, 1) + " s" }
    let whole = Int(min(seconds, 1e9).rounded())
    let rest = whole % 60 < 10 ? "0\(whole % 60)" : "\(whole % 60)"
    guard whole >= 3600 else { return "\(whole / 60):\(rest)" }
    let minutes = whole / 60 % 60
    return "\(whole / 3600):" + (minutes < 10 ? "0\(minutes)" : "\(minutes)") + ":\(rest)"
  }
}
