import Foundation
import MienCore
import Testing

/// `Fixtures/preprocessing.json`, made by scripts/golden/preprocessing.py with NumPy and OpenCV.
struct PreprocessingGolden: Decodable {
  struct Vector: Decodable {
    let name: String
    let rgb, grey, equalized, input, equalizedInput: Data
  }
  struct Sequence: Decodable {
    let seed: String
    let numbers: [String]
  }
  let vectors: [Vector]
  let equalized: [String]
  let random: [Sequence]

  static func load() throws -> PreprocessingGolden { try Fixtures.decode("preprocessing.json") }
}

@Suite struct PreprocessingTests {
  func floats(_ data: Data) -> [Float] {
    let bytes = [UInt8](data)
    return stride(from: 0, to: bytes.count, by: 4).map { index in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[index + $1]) << (8 * UInt32($1)) })
    }
  }

  @Test func goldenVectorsAreMetExactly() throws {
    let vectors = try PreprocessingGolden.load().vectors
    #expect(vectors.count == 7)
    for vector in vectors {
      let rgb = [UInt8](vector.rgb)
      #expect(Preprocessing.grey(rgb: rgb) == [UInt8](vector.grey), "\(vector.name)")
      #expect(Preprocessing.equalized([UInt8](vector.grey)) == [UInt8](vector.equalized), "\(vector.name)")
      let plain = try Preprocessing().input(pixels: rgb, sourceChannels: 3)
      #expect(plain == floats(vector.input), "\(vector.name)")
      let fromGrey = try Preprocessing().input(pixels: [UInt8](vector.grey), sourceChannels: 1)
      #expect(fromGrey == plain, "\(vector.name)")
      let equalized = try Preprocessing(equalize: true).input(pixels: rgb, sourceChannels: 3)
      #expect(equalized == floats(vector.equalizedInput), "\(vector.name)")
    }
  }

  @Test func equalisationEqualsOpenCVOnRandomPictures() throws {
    let hashes = try PreprocessingGolden.load().equalized
    #expect(hashes.count == 300)
    for (seed, expected) in hashes.enumerated() {
      var random = SeededRandom(seed: UInt64(seed))
      let low = random.next() % 256
      let high = low + random.next() % (256 - low)
      let grey = (0..<2304).map { _ in UInt8(low + random.next() % (high - low + 1)) }
      let hash = Preprocessing.equalized(grey).reduce(UInt64(0xCBF2_9CE4_8422_2325)) {
        ($0 ^ UInt64($1)) &* 0x100_0000_01B3
      }
      #expect(String(hash) == expected, "seed \(seed)")
    }
  }

  @Test func colourInputIsPlanarAndInRange() throws {
    let pixels: [UInt8] = [255, 0, 51, 0, 255, 102]
    let three = Preprocessing(width: 2, height: 1, channels: 3)
    #expect(try three.input(pixels: pixels, sourceChannels: 3) == [1, 0, 0, 1, 0.2, 0.4])
    #expect(try three.input(pixels: [0, 255], sourceChannels: 1) == [0, 1, 0, 1, 0, 1])
  }

  @Test func unfitInputIsRefused() {
    let small = Preprocessing(width: 2, height: 2)
    for (count, channels) in [(3, 1), (0, 1), (4, 3), (8, 2), (4, 0)] {
      #expect(throws: MienError.self) {
        try small.input(pixels: [UInt8](repeating: 0, count: count), sourceChannels: channels)
      }
    }
    #expect(throws: MienError.self) {
      try Preprocessing(width: 1, height: 1, channels: 3, equalize: true).input(pixels: [0, 0, 0], sourceChannels: 3)
    }
  }
}

@Suite struct SeededRandomTests {
  @Test func numbersEqualTheReferenceAlgorithm() throws {
    let sequences = try PreprocessingGolden.load().random
    #expect(sequences.count == 5)
    for sequence in sequences {
      var random = SeededRandom(seed: try #require(UInt64(sequence.seed)))
      #expect(sequence.numbers.map { _ in String(random.next()) } == sequence.numbers)
    }
  }

  @Test func savedStateContinuesTheSequence() {
    var random = SeededRandom(seed: 5)
    _ = random.next()
    var copy = SeededRandom(seed: 0)
    copy.state = random.state
    #expect(copy.next() == random.next())
  }

  @Test func streamsDifferAndUniformStaysInRange() {
    var a = SeededRandom(seed: 5, stream: 0)
    var b = SeededRandom(seed: 5, stream: 1)
    #expect((0..<8).map { _ in a.next() } != (0..<8).map { _ in b.next() })
    var sum: Float = 0
    for _ in 0..<10_000 {
      let value = a.uniform()
      #expect((0..<1).contains(value))
      #expect((-3...2).contains(a.uniform(in: -3...2)))
      sum += value
    }
    #expect(abs(sum / 10_000 - 0.5) < 0.02)
  }
}

@Suite struct LabelSetTests {
  @Test(
    arguments: [
      ("angry", .anger), ("Anger", .anger), ("ANGRY", .anger), ("happy", .happiness), ("Happiness", .happiness),
      ("joy", .happiness), ("sad", .sadness), ("Sadness", .sadness), ("surprised", .surprise), ("SU", .surprise),
      ("neutral", .neutral), ("Neutrality", .neutral), ("fearful", .fear), ("scared", .fear), ("disgusted", .disgust),
      (" Disgust ", .disgust), ("3_happy", .happiness), ("happy faces", .happiness), ("Emotion-Sad (2)", .sadness),
      ("wütend", .anger), ("WUETEND", .anger), ("Ekel", .disgust), ("Tristesse", .sadness), ("dégoût", .disgust),
      ("de\u{301}gou\u{302}t", .disgust), ("degout", .disgust), ("alegría", .happiness), ("paura", .fear),
      ("сюрприз удивление", nil), ("удивление", .surprise), ("高兴", .happiness), ("怒り", .anger), ("슬픔", .sadness),
      ("", nil), ("0", nil), ("7", nil), ("-1", nil), ("happyy", nil), ("faces", nil), (".", nil), ("not happy", nil),
      ("happily surprised", nil), ("happy sad", nil), ("calm", nil),
    ] as [(String, Emotion?)])
  func usualSpellingsAreRead(spelling: String, emotion: Emotion?) {
    #expect(Emotion(spelling: spelling) == emotion)
  }

  @Test(
    arguments: [
      ("suprise", .surprise), ("Natural", .neutral), ("calm", nil), ("sadnes", .sadness), ("contemp", .contempt),
      ("", nil),
      ("disgusst", .disgust), ("7", nil),
    ] as [(String, Emotion?)])
  func misspellingsAreRecognised(word: String, emotion: Emotion?) {
    #expect(Emotion.nearest(to: word) == emotion)
  }

  @Test(
    arguments: [
      ("train", .train), ("Training", .train), ("val", .validation), ("Validation", .validation), ("dev", .validation),
      ("PublicTest", .validation), ("Private_Test", .test), ("test_images", .test), ("FER2013Test", .test),
      ("FER2013Valid", .validation), ("Training Set", .train), ("", nil), ("images", nil), ("contest", nil), ("0", nil),
      ("train test", nil),
    ] as [(String, Split?)])
  func namesOfPartsAreRead(spelling: String, split: Split?) { #expect(Split(spelling: spelling) == split) }

  @Test func everyEmotionReadsItsOwnName() {
    for emotion in Emotion.allCases { #expect(Emotion(spelling: emotion.rawValue) == emotion) }
  }

  @Test func brokenSetsAreRefused() throws {
    #expect(throws: MienError.self) { try LabelSet(name: "one", emotions: [.fear]) }
    #expect(throws: MienError.self) { try LabelSet(name: "twice", emotions: [.fear, .fear]) }
    let json = Data(#"{"name":"twice","emotions":["fear","fear"]}"#.utf8)
    #expect(throws: MienError.self) { try JSONDecoder().decode(LabelSet.self, from: json) }
    for set in LabelSet.known {
      #expect(try JSONDecoder().decode(LabelSet.self, from: JSONEncoder().encode(set)) == set)
    }
  }

  @Test func distributionsAreNormalisedAndRestricted() throws {
    let distribution = try EmotionDistribution(labels: .ferplus, probabilities: [2, 1, 0, 0, 0, 0, 0, 1])
    #expect(distribution.top.emotion == .neutral && distribution.top.probability == 0.5)
    let restricted = try distribution.restricted(to: .ckplus48)
    #expect(restricted[.happiness] == 0.5 && restricted[.contempt] == 0.5 && restricted[.neutral] == nil)
    for bad: [Float] in [[1], [0, 0, 0, 0, 0, 0, 0, 0], [1, -1, 1, 0, 0, 0, 0, 0], [.nan, 1, 0, 0, 0, 0, 0, 0]] {
      #expect(throws: MienError.self) { try EmotionDistribution(labels: .ferplus, probabilities: bad) }
    }
  }
}
