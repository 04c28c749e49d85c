import MienCore
import MienInference

/// What a client chooses to read with: a model, a profile of it, a detector, the mix of emotions to expect. What it leaves
/// out is as the server was started.
struct ReadingChoice: Codable, Sendable, Hashable {
  /// A name of `/v1/models`.
  var model: String?
  /// A profile's name; empty for the model as it is.
  var profile: String?
  /// One of ``FaceDetectors/names``.
  var detector: String?
  /// Side of the smallest face to find, in pixels.
  var minFace: Int?
  /// The mix of emotions to expect, as ``ClassPrior/init(text:strength:)`` takes it.
  var prior: String?
  /// How far to go to that mix, 0…1.
  var priorStrength: Float?

  /// The names of its options, in queries and in the JSON of sessions.
  static let names = ["model", "profile", "detector", "minFace", "prior", "priorStrength"]

  /// What each of them is in JSON, in words for an error.
  static let expected = [
    "model": "a string", "profile": "a string", "detector": "one of \(FaceDetectors.names.joined(separator: ", "))",
    "minFace": "a whole number from \(minFaces.lowerBound) to \(minFaces.upperBound)", "prior": "a string",
    "priorStrength": "a number from 0 to 1",
  ]

  private static let minFaces = NetworkDetector.leastMinFace...100_000

  /// Everything as the server was started.
  init() {}

  /// The choice in a query.
  ///
  /// - Throws: ``APIError`` if a value cannot be right.
  init(_ query: Query) throws {
    model = query.text("model")
    profile = query.text("profile")
    detector = query.text("detector")
    minFace = try query.integer("minFace", in: Self.minFaces)
    prior = query.text("prior")
    priorStrength = try query.number("priorStrength", in: 0...1).map { Float($0) }
    try validate()
  }

  /// The mix of emotions to expect.
  ///
  /// - Parameter standard: the server's own.
  /// - Throws: ``MienError`` if it is none.
  func classPrior(_ standard: ClassPrior) throws -> ClassPrior {
    if prior == nil, priorStrength == nil { return standard }
    return try ClassPrior(
      text: prior ?? standard.text, strength: priorStrength ?? (prior == nil ? standard.strength : 1))
  }

  /// The option `name` has another value than it may.
  private static func unexpected(_ name: String, found: String) -> APIError {
    APIError.unexpected(name, expected[name] ?? "something else", found: found)
  }

  /// Checks what can be checked without the server's models.
  ///
  /// - Throws: ``APIError``.
  func validate() throws {
    if let detector, !FaceDetectors.names.contains(detector) {
      throw Self.unexpected("detector", found: APIError.quoted(detector))
    }
    if let minFace, !Self.minFaces.contains(minFace) { throw Self.unexpected("minFace", found: "\(minFace)") }
    if let priorStrength, !(0...1).contains(priorStrength) {
      throw Self.unexpected("priorStrength", found: "\(Double(priorStrength).shortText)")
    }
    do { _ = try classPrior(.data) } catch let error as MienError {
      throw APIError.badRequest("prior: \(error.message).")
    }
    if let profile, !profile.isEmpty {
      do { _ = try ProfileName(profile) } catch let error as MienError {
        throw APIError.badRequest("profile: \(error.message).")
      }
    }
  }
}

extension ClassPrior {
  /// Reads `data`, `uniform`, or shares of emotions such as `neutral:0.2,happiness:0.5`.
  ///
  /// - Throws: ``MienError`` if `text` is none of these, or as ``init(_:strength:)`` does.
  init(text: String, strength: Float) throws {
    switch text {
    case "data": try self.init(.data, strength: strength)
    case "uniform": try self.init(.uniform, strength: strength)
    default:
      var shares: [Emotion: Float] = [:]
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        let words = part.split(separator: ":", omittingEmptySubsequences: false)
        guard words.count == 2, let share = Double(decimal: words[1]) else {
          throw MienError(
            .argument, "prior", "expected data, uniform, or emotions and their shares, such as neutral:0.4,anger:0.6")
        }
        guard let emotion = Emotion(rawValue: String(words[0])) else {
          let names = Emotion.allCases.map(\.rawValue).joined(separator: ", ")
          throw MienError(.argument, "prior", "an emotion is unknown; there are \(names)")
        }
        guard shares.updateValue(Float(share), forKey: emotion) == nil else {
          throw MienError(.argument, "prior", "the emotion \(emotion.rawValue) is there twice")
        }
      }
      try self.init(.shares(shares), strength: strength)
    }
  }
}
