import Foundation
package import Logging
import MienCore

/// Writes log messages to standard error, each as a line of JSON.
package struct JSONLog: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var logLevel = Logger.Level.info

  package init() {}

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var fields = ["time": Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))]
    fields["level"] = event.level.rawValue
    fields["message"] = event.message.description
    for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) {
      fields[key == "hb.request.id" ? "request" : key] = value.description
    }
    guard let line = try? JSON.encode(fields) else { return }
    Console.error(String(decoding: line, as: UTF8.self))
  }
}
