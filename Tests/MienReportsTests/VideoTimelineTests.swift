import Foundation
import MienCore
import MienReports
import Testing

@Suite struct VideoTimelineTests {
  private func distribution(_ emotion: Emotion, _ probability: Float = 0.79) throws -> EmotionDistribution {
    let labels = LabelSet.ferplus
    let rest = (1 - probability) / Float(labels.count - 1)
    return try EmotionDistribution(
      labels: labels, probabilities: labels.emotions.map { $0 == emotion ? probability : rest })
  }

  @Test func sharesChangesAndPeaks() throws {
    var record = TrackRecord(track: 3, labels: .ferplus, first: 1)
    let shown: [Emotion?] = [
      .neutral, .neutral, nil, .happiness, .happiness, .happiness, nil, .happiness, .anger, .anger,
    ]
    for (index, emotion) in shown.enumerated() {
      try record.add(
        seconds: 1 + Double(index) / 10, duration: 0.1,
        smoothed: distribution(emotion ?? .fear, index == 4 ? 0.9 : 0.7), emotion: emotion
      ) { Data([1]) }
    }
    #expect(record.transitions == 2)
    #expect(abs((record.shown[.happiness] ?? 0) - 0.4) < 1e-9 && abs(record.unsure - 0.2) < 1e-9)
    #expect(abs(record.seen - 1) < 1e-9 && record.first == 1 && abs(record.last - 1.9) < 1e-9)
    let peak = try #require(record.peaks[.happiness])
    #expect(abs(peak.probability - 0.9) < 1e-5 && peak.seconds == 1.4)
  }

  /// A face that was seen for a few frames fills its chart, and no more than the time it was seen, however rarely frames
  /// are read.
  @Test(arguments: [1, 3, 40], [1.0 / 30, 1])
  func aChartIsAsLongAsTheFaceWasSeen(frames: Int, pace: Double) throws {
    var timeline = VideoTimeline(labels: .ferplus, minConfidence: 0.4)
    for index in 0..<frames {
      try timeline.add(
        track: 1, seconds: 2.67 + Double(index) * pace, duration: pace, smoothed: distribution(.neutral),
        emotion: .neutral
      ) { Data([1]) }
    }
    let page = try Markup(timeline.report(name: "v", seconds: 9, facts: []).html)
    let grid = try #require(page.all("line", class: "grid").first)
    let (left, right) = (Double(grid.attributes["x1"] ?? ""), Double(grid.attributes["x2"] ?? ""))
    let band = try #require(page.all("polygon").first?.attributes["points"])
    let places = band.split(separator: " ").compactMap { $0.split(separator: ",").first.flatMap { Double($0) } }
    #expect(abs(try #require(places.min()) - #require(left)) < 0.1)
    #expect(abs(try #require(places.max()) - #require(right)) < 0.1)
  }

  @Test func whoWasSeenForAMomentIsInTheTableOnly() throws {
    var timeline = VideoTimeline(labels: .ferplus, minConfidence: 0.4)
    for index in 0..<20 {
      for track in [1, 2] where track == 1 || index < 2 {
        try timeline.add(
          track: track, seconds: Double(index) / 10, duration: 0.1, smoothed: distribution(.neutral), emotion: .neutral
        ) { Data([1]) }
      }
    }
    let report = timeline.report(name: "v", seconds: 2, facts: [])
    #expect(report.sections.map(\.title) == ["People", "Person 1", "About this page"])
    #expect(timeline.table.rows.count == 2 && report.html.contains("1 person seen for less than 0.3 s has no chart."))
  }

  @Test func memoryIsBoundedHoweverLongTheVideo() throws {
    var record = TrackRecord(track: 1, labels: .ferplus, first: 0)
    var pictures = 0
    let smoothed = try distribution(.neutral)
    for index in 0..<200_000 {
      record.add(seconds: Double(index) / 25, duration: 0.04, smoothed: smoothed, emotion: .neutral) {
        pictures += 1
        return Data([UInt8(truncatingIfNeeded: index)])
      }
    }
    #expect((12...24).contains(record.moments.count) && pictures < 300)
    // They stay spread over the whole time.
    let gaps = zip(record.moments, record.moments.dropFirst()).map { $1.seconds - $0.seconds }
    #expect((gaps.max() ?? 0) <= 2.1 * (gaps.min() ?? 0) && (record.moments.last?.seconds ?? 0) > 7000)
  }

  @Test func picturesAreBoundedHoweverManyFaces() throws {
    var timeline = VideoTimeline(labels: .ferplus, minConfidence: 0.4)
    let smoothed = try distribution(.neutral)
    for index in 0..<3000 {
      for track in [0, index + 1] {
        timeline.add(
          track: track, seconds: Double(index) / 10, duration: 0.1, smoothed: smoothed, emotion: .neutral
        ) { Data([1]) }
      }
      if index % 100 == 99 { #expect(timeline.tracks.reduce(0) { $0 + $1.moments.count } <= 2000) }
    }
    #expect(timeline.tracks.count == 3001)
    // The face seen longest keeps its pictures, all along, and takes new ones.
    let longest = timeline.tracks[0].moments
    #expect((12...24).contains(longest.count) && longest[0].seconds == 0)
    #expect((longest.last?.seconds ?? 0) > 270)
  }

  @Test func aSinglePictureIsNotThinned() throws {
    var record = TrackRecord(track: 1, labels: .ferplus, first: 0)
    let smoothed = try distribution(.neutral)
    for seconds in [0.0, 1] {
      for _ in 0..<100 { record.thinMoments() }
      record.add(seconds: seconds, duration: 0.1, smoothed: smoothed, emotion: .neutral) { Data([1]) }
    }
    #expect(record.moments.map(\.seconds) == [0, 1])
  }

  @Test func thePageHoldsEveryPersonAndNeedsNothingElse() throws {
    var timeline = VideoTimeline(labels: .ferplus, minConfidence: 0.4)
    for index in 0..<100 {
      for track in [1, 2] where track == 1 || index > 50 {
        try timeline.add(
          track: track, seconds: Double(index) / 10, duration: 0.1,
          smoothed: distribution(index % 40 < 20 ? .happiness : .sadness),
          emotion: index % 40 < 20 ? .happiness : .sadness
        ) { Data("picture \(index)".utf8) }
      }
    }
    let table = timeline.table.text
    #expect(table.contains("happiness 60 %, sadness 40 %") && table.contains(" 79 % at "), "\(table)")
    let html = timeline.report(name: "a <b>.mp4", seconds: 10, facts: [.init("model", "m")]).html
    let page = try Markup(html)
    // A band per emotion and person, on the chart for pages and on that for phones.
    #expect(page.all("polygon").count == 2 * 16 && page.all("figure", class: "moment").count >= 10)
    #expect(html.contains("a &lt;b&gt;.mp4") && html.contains("id=\"section-3\""))
    for moment in 0..<10 {
      #expect(html.contains("href=\"#person-1-\(moment)\"") && html.contains("id=\"person-1-\(moment)\""))
    }
    #expect(html.contains("2 people in 10.0 s") && html.contains("<code>probability</code>"))
    #expect(!html.contains("<script") && !html.contains("src=\"http"))
    let none = VideoTimeline(labels: .ferplus, minConfidence: 0.4).report(name: "none", seconds: 0, facts: [])
    #expect(none.html.contains("No face was found."))
  }
}
