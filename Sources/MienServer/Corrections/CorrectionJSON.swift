package import Foundation
import MienCore

/// A correction as JSON: in answers without the embedding and the crop, in exports with them.
package struct CorrectionJSON: Encodable, Sendable {
  private struct Reading: Encodable {
    let emotion: Emotion
    let probability: Float
  }

  private let id: Int64
  private let profile: String
  private let created: String
  private let emotion: Emotion
  private let read: Reading
  private let labels: String
  private let weightsSHA256: String
  private let hasCrop: Bool
  private let embedding: [Float]?
  private let crop: Data?

  /// Describes `correction`.
  ///
  /// - Parameter isWhole: whether with the embedding and the crop, as base64.
  package init(_ correction: Correction, isWhole: Bool = false) {
    id = correction.id
    profile = correction.profile.text
    created = JSON.text(correction.created)
    emotion = correction.emotion
    read = Reading(emotion: correction.readEmotion, probability: correction.readProbability)
    labels = correction.labels
    weightsSHA256 = correction.weightsSHA256
    hasCrop = correction.crop != nil
    embedding = isWhole ? correction.embedding : nil
    crop = isWhole ? correction.crop : nil
  }
}

/// Corrections as files for other programs.
package enum CorrectionExport {
  /// A JSON array with everything that is stored; crops as base64.
  package static func json(_ corrections: [Correction]) throws -> Data {
    try JSONText.document(corrections.map { CorrectionJSON($0, isWhole: true) }) + Data("\n".utf8)
  }

  /// RFC 4180 with a header, a row a correction, without embeddings and crops.
  package static func csv(_ corrections: [Correction]) -> Data {
    let header = [
      "id", "profile", "created", "emotion", "readEmotion", "readProbability", "labels", "weightsSHA256", "hasCrop",
    ]
    let rows = corrections.map { correction in
      [
        "\(correction.id)", correction.profile.text, JSON.text(correction.created),
        correction.emotion.rawValue, correction.readEmotion.rawValue, "\(correction.readProbability)",
        correction.labels, correction.weightsSHA256, "\(correction.crop != nil)",
      ]
    }
    return Data(([header] + rows).map { CSVLine.text($0) }.joined().utf8)
  }
}
