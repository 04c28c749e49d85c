import CMienServerSupport
import Foundation
package import Logging
import MienCore
import Synchronization

/// Writes log messages to standard error, each as a line of JSON.
package struct JSONLog: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var logLevel = Logger.Level.info

  /// The name that Hummingbird gives the id of a request.
  static let requestKey = "hb.request.id"

  package init() {}

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    // The library says where it listens; the server says so itself, with the whole address.
    if event.source == "HummingbirdCore", event.level < .notice { return }
    var fields = [
      "time": Field.text(Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
      "level": .text(event.level.rawValue), "message": .text(event.message.description),
    ]
    for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) {
      fields[key == Self.requestKey ? "request" : key] = Field(value)
    }
    guard let line = try? JSON.encode(fields) else { return }
    Console.error(String(decoding: line, as: UTF8.self))
  }

  /// What stands in a line under a key.
  private enum Field: Encodable {
    case text(String)
    case number(Double)

    /// A number if `value` was given as one, by `.stringConvertible`.
    init(_ value: Logger.Metadata.Value) {
      if case .stringConvertible(let number as any BinaryInteger) = value {
        self = .number(Double(number))
      } else if case .stringConvertible(let number as Double) = value {
        self = .number(number)
      } else {
        self = .text(value.description)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      case .number(let number): try container.encode(number)
      }
    }
  }

  /// Logs what C libraries print to standard error, libpng's warnings for instance, line by line: the log stays JSON.
  package static func takeStandardError(_ logger: Logger) {
    libraries.withLock { $0 = logger }
    _ = mien_take_standard_error { bytes, count in
      guard let bytes else { return }
      let text = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
      let logger = JSONLog.libraries.withLock { $0 }
      for line in text.split(whereSeparator: \.isNewline) { logger?.warning("library", metadata: ["text": "\(line)"]) }
    }
  }

  private static let libraries = Mutex<Logger?>(nil)
}
