import Foundation
import MienCore
import MienInference
import MienVision
import Testing

@Suite
struct ReadingTrackerTests {
  /// A face of side 50 about (x, y) that shows `emotion` with `probability`; the rest is shared equally.
  private func face(
    _ x: Int, _ emotion: Emotion = .happiness, _ probability: Float = 0.9, y: Int = 100, side: Int = 50
  ) throws -> FaceReading {
    let labels = LabelSet.ferplus
    let rest = (1 - probability) / Float(labels.count - 1)
    return FaceReading(
      face: DetectedFace(box: Box(x: x - side / 2, y: y - side / 2, width: side, height: side), score: 0.9),
      distribution: try EmotionDistribution(
        labels: labels, probabilities: labels.emotions.map { $0 == emotion ? probability : rest }))
  }

  @Test
  func facesKeepTheirNumbersInWhateverOrderTheyCome() throws {
    var tracker = ReadingTracker()
    #expect(tracker.update([try face(100), try face(300)], seconds: 0).map(\.track) == [1, 2])
    let second = tracker.update([try face(305), try face(600), try face(104)], seconds: 0.1)
    #expect(second.map(\.track) == [2, 3, 1])
    #expect(second[0].reading.box == (try face(305)).box)
    #expect(tracker.update([], seconds: 0.2).isEmpty)
  }

  @Test
  func facesThatCrossKeepTheirNumbers() throws {
    var tracker = ReadingTracker()
    for step in 0...40 {
      let x = 10 * step
      // Never nearer than 24 pixels in height: boxes of 50 overlap when they pass.
      let found = tracker.update([try face(100 + x, y: 100), try face(500 - x, y: 124)], seconds: Double(step) / 25)
      #expect(found.map(\.track) == [1, 2], "step \(step)")
    }
  }

  @Test
  func aFaceThatIsLostForASecondComesBackAsItself() throws {
    var tracker = ReadingTracker()
    for step in 0..<10 { _ = tracker.update([try face(100 + 4 * step)], seconds: Double(step) / 25) }
    #expect(tracker.update([try face(180)], seconds: 0.8).map(\.track) == [1])
    #expect(tracker.update([try face(185)], seconds: 2).map(\.track) == [2], "the gap is too long")
    #expect(tracker.update([try face(185, side: 130)], seconds: 2.04).map(\.track) == [3], "the size is another")
    #expect(tracker.update([try face(600)], seconds: 2.08).map(\.track) == [4], "the place is another")
  }

  @Test
  func aCutEndsEveryTrack() throws {
    var tracker = ReadingTracker()
    _ = tracker.update([try face(100, .anger)], seconds: 0)
    let after = tracker.update([try face(100, .sadness)], seconds: 0.04, sceneChanged: true)
    #expect(after.map(\.track) == [2] && after[0].emotion == .sadness)
    #expect(after[0].smoothed == after[0].reading.distribution)
  }

  @Test(arguments: [10.0, 25, 60])
  func theAverageFollowsWhateverTheFrameRate(rate: Double) throws {
    let options = ReadingTrackerOptions(timeConstant: 0.2)
    var tracker = ReadingTracker(options: options)
    _ = tracker.update([try face(100, .anger, 1)], seconds: 0)
    var last: Float = 1
    for step in 1...Int(rate) {
      let seconds = Double(step) / rate
      let reading = try #require(tracker.update([try face(100, .sadness, 1)], seconds: seconds).first)
      let anger = try #require(reading.smoothed[.anger])
      #expect(abs(Double(anger) - exp(-seconds / 0.2)) < 1e-4)
      #expect(abs(reading.smoothed.probabilities.reduce(0, +) - 1) < 1e-5 && anger < last)
      last = anger
    }
  }

  @Test
  func labelsDoNotFlickerUnlessSmoothingIsOff() throws {
    func changes(_ options: ReadingTrackerOptions) throws -> Int {
      var tracker = ReadingTracker(options: options)
      var labels: [Emotion?] = []
      for step in 0..<100 {
        let reading = try face(100, step % 7 == 3 ? .fear : .neutral, 0.6)
        labels += tracker.update([reading], seconds: Double(step) / 25).map(\.emotion)
      }
      return zip(labels, labels.dropFirst()).count { $0 != $1 }
    }
    #expect(try changes(.init()) == 0)
    #expect(try changes(.unsmoothed) > 20)
  }

  @Test(arguments: [Float(0.45), 0.6, 0.95])
  func aLabelThatStaysTakesOver(probability: Float) throws {
    var tracker = ReadingTracker(options: .init(timeConstant: 0.3, margin: 0.5, minConfidence: 0))
    for step in 0..<25 { _ = tracker.update([try face(100, .neutral, 0.97)], seconds: Double(step) / 25) }
    var changed: Double?
    for step in 0..<25 {
      let seconds = 1 + Double(step) / 25
      let label = tracker.update([try face(100, .sadness, probability)], seconds: seconds).first?.emotion
      if label == .sadness, changed == nil { changed = seconds - 1 }
      if changed != nil { #expect(label == .sadness) }
    }
    #expect(try #require(changed) <= ReadingTracker.maxLag + 0.04)
  }

  @Test
  func unsureLabelsComeBackALittleAboveTheLimit() throws {
    var tracker = ReadingTracker(options: .init(timeConstant: 0, minConfidence: 0.5))
    let probabilities: [Float] = [0.6, 0.51, 0.49, 0.52, 0.56, 0.51]
    let labels = try probabilities.enumerated().map { step, probability in
      tracker.update([try face(100, .fear, probability)], seconds: Double(step) / 25).first?.emotion
    }
    #expect(labels == [.fear, .fear, nil, nil, .fear, .fear])
    var strict = ReadingTracker(options: .init(minConfidence: 1))
    #expect(strict.update([try face(100)], seconds: 0).first?.emotion == nil)
  }

  @Test
  func timeThatRunsBackAndOtherLabelSetsAreSurvived() throws {
    var tracker = ReadingTracker()
    _ = tracker.update([try face(100)], seconds: 5)
    let same = tracker.update([try face(101, .anger)], seconds: 5)
    #expect(same.first?.track == 1 && same.first?.emotion == .happiness)
    #expect(tracker.update([try face(102)], seconds: 4).first?.track == 1)
    let box = Box(x: 77, y: 75, width: 50, height: 50)
    let other = FaceReading(
      face: DetectedFace(box: box, score: nil),
      distribution: try EmotionDistribution(labels: .fer2013, probabilities: [0, 0, 1, 0, 0, 0, 0]))
    let switched = try #require(tracker.update([other], seconds: 5.1).first)
    #expect(switched.track == 1 && switched.smoothed == other.distribution && switched.emotion == .fear)
    #expect(tracker.update([try face(100)], seconds: .nan).count == 1)
  }

  @Test
  func twoFramesAtAlmostTheSameTimeDoNotMakeAFaceFast() throws {
    var tracker = ReadingTracker()
    let frames: [(x: Int, seconds: Double)] = [(100, 0), (103, 1e-300), (106, 0.1)]
    for frame in frames {
      let reading = try face(frame.x)
      #expect(tracker.update([reading], seconds: frame.seconds).map(\.track) == [1], "\(frame)")
    }
  }

  @Test
  func placesAtTheEndOfTheWholeNumbersAreSurvived() throws {
    var tracker = ReadingTracker()
    for step in 0..<3 {
      let reading = try face(Int.max - 100)
      #expect(tracker.update([reading], seconds: Double(step) / 25).map(\.track) == [1])
    }
  }

  @Test
  func settingsOutOfRangeAreTakenToTheNearest() throws {
    func used(_ timeConstant: Double, _ share: Float, _ maxGap: Double) -> ReadingTrackerOptions {
      ReadingTracker(
        options: .init(timeConstant: timeConstant, margin: share, minConfidence: share, maxGap: maxGap)
      ).options
    }
    #expect(used(9, 2, .infinity) == .init(timeConstant: 0.3, margin: 1, minConfidence: 1, maxGap: 10))
    #expect(used(-1, -0.5, -.infinity) == .init(timeConstant: 0, margin: 0, minConfidence: 0, maxGap: 0))
    #expect(used(.nan, .nan, .nan) == .init())
    #expect(used(0.3, 1, 10) == .init(timeConstant: 0.3, margin: 1, minConfidence: 1, maxGap: 10))
    // No track is kept for ever.
    for maxGap in [Double.infinity, .nan] {
      var tracker = ReadingTracker(options: .init(maxGap: maxGap))
      let reading = try face(100)
      #expect(tracker.update([reading], seconds: 0).map(\.track) == [1])
      #expect(tracker.update([reading], seconds: 11).map(\.track) == [2])
    }
  }

  @Test
  func settingsOutOfRangeAreNamed() throws {
    try ReadingTrackerOptions().validate()
    for options in [
      ReadingTrackerOptions(timeConstant: 0.4), .init(timeConstant: -1), .init(margin: 2), .init(minConfidence: -0.1),
      .init(maxGap: .infinity),
    ] {
      #expect(throws: MienError.self) { try options.validate() }
    }
  }
}
