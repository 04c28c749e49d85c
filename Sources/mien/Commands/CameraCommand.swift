import ArgumentParser
import Foundation
import MienCore
import MienInference
import MienModelOptions
import MienVision

/// `mien camera [INDEX|DEVICE|ADDRESS|FILE]`: the emotions of the faces before a camera.
struct Camera: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Follows the faces before a camera and says what they show.",
    discussion: """
      Frames that come faster than they are read are left out, so that what is shown is never late. A window shows them \
      with bars of probability, and is closed by q; --headless writes JSON Lines as `mien video --json -` does. A network \
      camera has an address (rtsp://camera.local/stream); see its manual.
      """)

  @Argument(
    help: ArgumentHelp(
      "A camera's number or device (/dev/video0), an address (rtsp, http), or a video file that plays in its place.",
      valueName: "camera"))
  var source = "0"

  @Flag(help: "Open no window; write JSON Lines to standard output.")
  var headless = false

  @OptionGroup var options: TrackingOptions
  @OptionGroup var model: ModelOptions

  func run() async throws {
    let window = try headless ? nil : openWindow()
    let (model, minConfidence) = (model, options.minConfidence)
    let detector = try options.detector.faceDetector()
    let recognizer = try await NativeQueue.shared.run {
      try Recognizer(classifier: model.classifier(), detector: detector, minConfidence: minConfidence)
    }
    // Opened last: from here on the clock runs.
    let frames = try open()
    let readings = try VideoReadings(
      source: frames, recognizer: recognizer, options: options.videoOptions(), isLive: true)
    Interrupt.listen()
    if let window {
      try await show(readings, in: window)
    } else {
      try await write(readings)
    }
    Console.error("\(Spelling.counted(frames.dropped, "frame")) left out to keep up")
  }

  private func openWindow() throws -> FrameWindow {
    do { return try FrameWindow(title: "mien camera") } catch let error as MienError {
      throw MienError(error.kind, error.subject, "\(error.message); --headless writes JSON Lines instead")
    }
  }

  private func open() throws -> LiveFrames {
    if Int(source) != nil || source.hasPrefix("/dev/") { return try LiveFrames(camera: source) }
    return try VideoInput(source).reporting { try LiveFrames(contentsOf: $0) }
  }

  private func write(_ readings: VideoReadings) async throws {
    let output = try LineFile("-")
    let encoder = JSONText.encoder()
    for try await frame in readings {
      if Interrupt.isRaised { break }
      for row in frame.rows { try output.write(encoder.encode(row) + Data("\n".utf8)) }
    }
  }

  /// Toolkits want one thread, and tasks have none of their own.
  @MainActor private func show(_ readings: VideoReadings, in window: FrameWindow) async throws {
    let annotator = Annotator()
    for try await frame in readings {
      if Interrupt.isRaised { break }
      let marks = frame.faces.map { face in
        var mark = Annotator.Mark(face)
        mark.bars = face.smoothed
        return mark
      }
      if let image = frame.image, try window.show(annotator.annotated(image, marks: marks)) == .closed { break }
    }
  }
}
