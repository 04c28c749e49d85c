import Foundation
import MienCore
import MienInference
import MienReports
import MienVision

/// Where the frames of a video go: lines, a copy with marks, and the record for table and page.
final class VideoOutputs {
  /// What the faces showed.
  private(set) var timeline: VideoTimeline
  /// How many frames came, and when the last one is shown.
  private(set) var frames = 0
  private(set) var seconds = 0.0
  /// Time spent on lines, drawing and waiting for the encoder.
  private(set) var lineTime = Duration.zero
  private(set) var drawTime = Duration.zero
  private let emotions: [Emotion]
  private let paths: (json: String?, csv: String?)
  private var json: LineFile?
  private var csv: LineFile?
  /// The copy, until it fails: rows do not depend on it.
  private var copy: VideoWriter?
  private var copyFailure: (any Error)?
  private let encoder: JSONEncoder
  private let annotator = Annotator()
  private let pace: Double
  private let rate: Double
  private let duration: Double?
  /// The newest frame, whose readings are recorded when it is known how long they count.
  private var newest: FrameReadings?
  private let clock = ContinuousClock()

  /// Prepares the files, which are opened when the first frame comes. If none does, a video that was read to its end makes them
  /// empty, and otherwise older files stay.
  ///
  /// - Parameters:
  ///   - minConfidence: the probability from which a reading is sure.
  ///   - rate: the video's frames per second.
  ///   - every: of how many frames one is read.
  ///   - duration: how long the video is, in seconds, where it is known.
  ///   - keepsPictures: whether the record needs pictures of faces.
  init(
    labels: LabelSet, minConfidence: Float, json: String?, csv: String?, copy: VideoWriter?, rate: Double,
    every: Int, duration: Double?, keepsPictures: Bool
  ) {
    emotions = labels.emotions.sorted()
    timeline = VideoTimeline(labels: labels, minConfidence: minConfidence)
    self.rate = rate
    pace = Double(every) / rate
    self.duration = duration
    self.keepsPictures = keepsPictures
    self.copy = copy
    paths = (json, csv)
    encoder = JSONText.encoder()
  }

  private func open() throws {
    json = try paths.json.map(LineFile.init)
    csv = try paths.csv.map(LineFile.init)
    try csv?.write(Data(VideoRow.csvHeader(emotions).utf8))
  }

  private let keepsPictures: Bool

  /// What is to be said of the finished copy, in a sentence that starts after its name.
  var copyWarning: String? { copy?.warning }

  /// Takes the next frame.
  func add(_ frame: FrameReadings) throws {
    let start = clock.now
    if frames == 0 { try open() }
    let rows = frame.rows
    if let json {
      var lines = Data()
      for row in rows {
        lines += try encoder.encode(row)
        lines.append(UInt8(ascii: "\n"))
      }
      try json.write(lines)
    }
    if let csv { try csv.write(Data(rows.map { $0.csv(emotions) }.joined().utf8)) }
    try recordNewest(until: frame.seconds)
    newest = frame
    frames += 1
    seconds = frame.seconds
    let drawn = clock.now
    lineTime += drawn - start
    if let copy, let image = frame.image {
      do {
        try copy.write(annotator.annotated(image, marks: frame.faces.map(Annotator.Mark.init)), seconds: seconds)
      } catch {
        (self.copy, copyFailure) = (nil, error)
      }
      drawTime += clock.now - drawn
    }
  }

  /// Completes the files; each is tried, whatever becomes of the others.
  ///
  /// - Parameter isWhole: whether the video was read to its end.
  /// - Returns: what went wrong.
  func finish(isWhole: Bool) -> [any Error] {
    var problems = copyFailure.map { [$0] } ?? []
    // The last frame stands for the rest of the video, at most until the next one would have been read.
    let end = min(seconds + pace, max(seconds, duration ?? .infinity))
    let record = { try self.recordNewest(until: max(end, self.seconds + min(self.pace, 1 / self.rate))) }
    for close in [
      { if self.frames == 0 && isWhole { try self.open() } }, record, { try self.json?.close() },
      { try self.csv?.close() },
      { try self.copy?.finish(until: end) },
    ] {
      do { try close() } catch { problems.append(error) }
    }
    return problems
  }

  /// Adds the newest frame's readings to the timeline. They count until `end`, in seconds, when the next frame is read,
  /// but for two seconds at most.
  private func recordNewest(until end: Double) throws {
    guard let frame = newest else { return }
    newest = nil
    let duration = min(max(0, end - frame.seconds), 2)
    for face in frame.faces {
      try timeline.add(
        track: face.track, seconds: frame.seconds, duration: duration, smoothed: face.smoothed, emotion: face.emotion
      ) { try keepsPictures ? frame.image.map { try Self.picture(face.reading.box, of: $0) } ?? Data() : Data() }
    }
  }

  private static func picture(_ box: Box, of image: Image) throws -> Data {
    let side = 1.3 * Double(max(box.width, box.height))
    return try image.crop(
      centerX: Double(box.x) + Double(box.width) / 2, centerY: Double(box.y) + Double(box.height) / 2, side: side,
      size: 96
    ).encoded(as: .jpeg(quality: 80))
  }
}

extension Annotator.Mark {
  /// Marks a face with its track's number and label; a question mark if it is too small, turned or dark to be relied on.
  init(_ face: TrackedReading) {
    // The label's own doubt is by the smoothed probabilities; that of the single moment would flicker.
    let isConfident = [nil, .unsure].contains(face.reading.doubt)
    if let emotion = face.emotion {
      self.init(
        box: face.reading.box, emotion: emotion, probability: Double(face.probability), isConfident: isConfident,
        number: face.track)
    } else {
      self.init(
        box: face.reading.box, text: "\(face.track) unsure", shortText: "\(face.track)?", color: .init(0xA0A0A0))
    }
  }
}
