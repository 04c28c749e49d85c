package import Foundation

/// How Mien writes JSON: keys sorted, slashes as they are.
package enum JSONText {
  /// An encoder; `isPretty` for files that people read.
  package static func encoder(isPretty: Bool = false) -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      isPretty ? [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted] : [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// `value` on one line.
  package static func line(_ value: some Encodable) throws -> Data { try encoder().encode(value) }

  /// `value` indented, for files that people read; without a line end after it.
  package static func document(_ value: some Encodable) throws -> Data { try encoder(isPretty: true).encode(value) }
}
