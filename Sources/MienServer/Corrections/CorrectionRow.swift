import Foundation
import GRDB
import MienCore
import MienInference

/// A row of the table `correction`: decoding throws if a column holds another type than it should.
struct CorrectionRow: Codable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "correction"

  private let id: Int64?
  private let profile: String
  private let owner: String
  private let createdMilliseconds: Int64
  private let emotion: Emotion
  private let readEmotion: Emotion
  private let readProbability: Double
  private let labels: String
  private let weightsSHA256: String
  /// 32-bit floats, little-endian.
  private let embedding: Data
  private let crop: Data?

  /// Milliseconds since 1970 that ISO 8601 has a year of four digits for.
  private static let moments: ClosedRange<Int64> = 0...253_402_300_799_999

  /// The row of a correction that is not stored yet.
  init(_ correction: Correction) {
    id = nil
    profile = correction.profile.text
    owner = correction.owner
    createdMilliseconds = Int64((correction.created.timeIntervalSince1970 * 1000).rounded())
    emotion = correction.emotion
    readEmotion = correction.readEmotion
    readProbability = min(1, max(0, Double(correction.readProbability)))
    labels = correction.labels
    weightsSHA256 = correction.weightsSHA256
    embedding = correction.embedding.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
    crop = correction.crop
  }

  /// The correction that a row holds.
  ///
  /// - Throws: an error if a value has another type than it should, or is out of its range. The error may repeat the value.
  static func correction(in row: Row) throws -> Correction {
    // A text would pass for bytes.
    for column in ["embedding", "crop"] {
      if case .string = (row[column] as DatabaseValue).storage { throw MienError(.format, nil, "\(column) is a text") }
    }
    return try CorrectionRow(row: row).correction()
  }

  private func correction() throws -> Correction {
    guard Self.moments.contains(createdMilliseconds), (0...1).contains(readProbability),
      !embedding.isEmpty, embedding.count % 4 == 0
    else { throw MienError(.format, nil, "a value is out of its range") }
    let values = embedding.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
      }
    }
    guard values.allSatisfy(\.isFinite) else { throw MienError(.format, nil, "the embedding is not finite") }
    var correction = Correction(
      profile: try ProfileName(profile), owner: owner,
      created: Date(timeIntervalSince1970: Double(createdMilliseconds) / 1000), emotion: emotion,
      readEmotion: readEmotion, readProbability: Float(readProbability), labels: labels, weightsSHA256: weightsSHA256,
      embedding: values, crop: crop)
    correction.id = id ?? 0
    return correction
  }
}
