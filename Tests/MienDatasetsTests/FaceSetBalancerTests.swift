import Foundation
import MienCore
import MienDatasets
import Testing

@Suite struct FaceSetBalancerTests {
  /// Seven angry, three fearful and two happy faces for training; two fearful ones for validation.
  func faces() throws -> FaceSet {
    var drawn = DrawnFaces()
    let labels = [Emotion](repeating: .anger, count: 7) + [.fear, .fear, .fear, .happiness, .happiness]
    for (seed, label) in labels.enumerated() { drawn.add(DrawnFaces.face(UInt64(seed)), label, subject: "s\(seed)") }
    for seed in 20..<22 { drawn.add(DrawnFaces.face(UInt64(seed)), .fear, .validation) }
    drawn.add(DrawnFaces.face(30), nil)
    return try drawn.set()
  }

  func counts(_ faces: FaceSet, _ split: Split?) -> [Emotion: Int] {
    Dictionary(grouping: faces.labelled(.own, in: split), by: \.label).mapValues(\.count)
  }

  @Test func trainingIsFilledAndNothingElseChanges() throws {
    let set = try faces()
    let result = try FaceSetBalancer().balance(set, labels: .own)
    #expect(counts(result.faces, .train) == [.anger: 7, .fear: 7, .happiness: 7])
    #expect(counts(result.faces, .validation) == [.fear: 2])
    #expect(result.added.map(\.emotion) == [.fear, .happiness] && result.added.map(\.count) == [4, 5])
    #expect(result.empty == [.disgust, .sadness, .surprise, .neutral])
    #expect(result.faces.pixels.prefix(set.pixels.count) == set.pixels)
    #expect((0..<set.count).allSatisfy { result.faces[$0] == set[$0] })
    // Each copy is a row of the set with other pixels, and every face of a class has its share of copies.
    var uses: [Int: Int] = [:]
    for index in set.count..<result.faces.count {
      let row = result.faces[index]
      let original = try #require((0..<set.count).first { set[$0] == row })
      #expect(result.faces.face(at: index) != set.face(at: original) && row.split == .train)
      uses[original, default: 0] += 1
    }
    #expect(uses.filter { (7...9).contains($0.key) }.values.sorted() == [1, 1, 2])
    #expect(uses.filter { (10...11).contains($0.key) }.values.sorted() == [2, 3])
    #expect(result.faces.info.history?.last?.contains("seed 1): 9 copies by horizontal flips and turns to 45") == true)
  }

  @Test func theSeedDecides() throws {
    let set = try faces()
    let a = try FaceSetBalancer(seed: 5).balance(set, labels: .own).faces
    let b = try FaceSetBalancer(seed: 5).balance(set, labels: .own).faces
    let c = try FaceSetBalancer(seed: 6).balance(set, labels: .own).faces
    #expect(a.pixels == b.pixels && a.pixels != c.pixels)
  }

  @Test func beforeTheSplitAllFacesCount() throws {
    let result = try FaceSetBalancer(flips: [.vertical], rotation: 0, beforeSplit: true)
      .balance(faces(), labels: .own)
    #expect(counts(result.faces, nil) == [.anger: 7, .fear: 7, .happiness: 7])
    #expect(result.faces.indices(in: .validation).count > 2)
  }

  @Test func flipsAloneGiveMirrorImages() throws {
    let set = try faces()
    let result = try FaceSetBalancer(flips: [.horizontal], rotation: 0).balance(set, labels: .own).faces
    for index in set.count..<result.count {
      let original = try #require((0..<set.count).first { set[$0] == result[index] })
      let face = set.face(at: original)
      let mirrored: [UInt8] = (0..<48).flatMap { row in face[(row * 48)..<(row * 48 + 48)].reversed() }
      #expect(result.face(at: index) == mirrored)
    }
  }

  @Test func copiesThatCannotDifferAreRefused() {
    #expect(throws: MienError.self) { try FaceSetBalancer(flips: [], rotation: 0) }
    #expect(throws: MienError.self) { try FaceSetBalancer(rotation: 181) }
    #expect(throws: MienError.self) { try FaceSetBalancer(rotation: .nan) }
  }
}
