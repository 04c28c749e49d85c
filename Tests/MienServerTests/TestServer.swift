import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import MienCore
import MienInference
import MienServer
import MienTestSupport
import MienVision

/// A server over a network whose answers are known (``PixelGraph``).
enum TestServer {
  /// A server.
  ///
  /// - Parameters:
  ///   - folder: where it keeps videos; nil for one that is removed with the tests' process.
  ///   - models: what it reads with; nil for the network whose answers are known.
  ///   - profiles: the folder of profiles; nil for one that is not there.
  static func make(
    folder: URL? = nil, models: [ServerModel]? = nil, profiles: ProfileStore? = nil,
    corrections: CorrectionStore? = nil, _ change: (inout ServerOptions) throws -> Void = { _ in }
  ) throws -> MienServer {
    var options = ServerOptions()
    options.program = ServerProcess.program
    try change(&options)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try MienServer(
      options: options, models: models ?? [ServerModel(PixelGraph.model([.ferplus]))],
      profiles: profiles ?? ProfileStore(folder: folders.file("profiles")),
      state: StateFolder(folder ?? folders.file(UUID().uuidString)), corrections: corrections, logger: logger)
  }

  /// The value of a metric in the text of `/metrics`, if it is a whole number; -1 if it is not there.
  static func metric(_ name: String, in text: String) -> Int {
    let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name + " ") }
    return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? -1
  }

  /// A picture that takes a while to search, as a file.
  static func noise(side: Int) throws -> ByteBuffer {
    var random = SeededRandom(seed: 5)
    let pixels = (0..<(side * side)).map { _ in UInt8.random(in: 0...255, using: &random) }
    return ByteBuffer(bytes: try Image(width: side, height: side, channels: 1, pixels: pixels).encoded(as: .png))
  }

  private static let folders: TemporaryFolder = {
    // Without a place for temporary files no test can do anything.
    guard let folder = try? TemporaryFolder() else { preconditionFailure("no folder for temporary files") }
    atexit { TestServer.removeFolders() }
    return folder
  }()

  private static func removeFolders() { try? FileManager.default.removeItem(at: folders.url) }

  /// A face of class `index` as a file: with `detector=none`, it is read as that class.
  static func face(_ index: Int, as format: ImageFormat = .png) throws -> ByteBuffer {
    ByteBuffer(bytes: try Image(width: 48, height: 48, channels: 1, pixels: PixelGraph.face(index)).encoded(as: format))
  }
}

extension TestResponse {
  /// The body, as JSON.
  func json<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(type, from: Data(body.readableBytesView))
  }

  /// The code of an error.
  var errorCode: String? { try? json(ErrorBody.self).error.code }
}

/// An error's body.
struct ErrorBody: Decodable {
  struct Details: Decodable {
    let code: String
    let message: String
  }
  let error: Details
}

/// A picture in an answer.
struct PictureBody: Decodable {
  struct Face: Decodable {
    let box: Box
    let emotion: String
    let probability: Double
    let scores: [String: Double]
    let confident: Bool?
  }
  let file: String?
  let width: Int?
  let height: Int?
  let faces: [Face]
  let error: String?
}

/// A followed face in an answer, or a row of a video.
struct TrackedBody: Decodable {
  let frame: Int?
  let seconds: Double?
  let track: Int?
  let box: Box?
  let emotion: String?
  let probability: Double?
  let scores: [String: Double]?
  let smoothed: [String: Double]?
}

/// A picture of a session in an answer.
struct FrameBody: Decodable {
  let frame: Int
  let seconds: Double
  let width: Int
  let height: Int
  let faces: [TrackedBody]
}

/// A video in an answer.
struct VideoBody: Decodable {
  let id: String
  let state: String
  let warning: String?
  let created: String
  let model: String?
  let profile: String?
  let frames: Int
  let progress: Double?
  let error: String?
  let errorCode: String?
}

/// A form with files.
struct Form: Sendable {
  static let boundary = "----mien"
  static let contentType = "multipart/form-data; boundary=\(boundary)"
  private var body = ByteBuffer()

  /// Adds a file.
  func adding(_ name: String, _ content: ByteBuffer) -> Form {
    var form = self
    form.body.writeString(
      "--\(Self.boundary)\r\nContent-Disposition: form-data; name=\"pictures\"; filename=\"\(name)\"\r\n\r\n")
    form.body.writeImmutableBuffer(content)
    form.body.writeString("\r\n")
    return form
  }

  /// Adds a field that is no file.
  func adding(_ text: String, field name: String) -> Form {
    var form = self
    form.body.writeString(
      "--\(Self.boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(text)\r\n")
    return form
  }

  /// The body.
  var buffer: ByteBuffer {
    var buffer = body
    buffer.writeString("--\(Self.boundary)--\r\n")
    return buffer
  }
}
