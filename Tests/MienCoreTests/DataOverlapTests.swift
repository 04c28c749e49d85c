import Foundation
import MienCore
import Testing

@Suite struct DataOverlapTests {
  /// Faces 0 to 3 to train on, 4 and 5 for validation, 6 to 9 for tests; face 7's picture is that of face 1.
  private func faces(source: String = "pictures") throws -> FaceSet {
    let pictures = (0..<10).map { $0 == 7 ? UInt8(1) : UInt8($0) }
    return try FaceSet(
      source: source, labelSet: .fer2013, height: 3, width: 3, channels: 1,
      rows: (0..<10).map { index in
        .init(label: .anger, split: index < 4 ? .train : index < 6 ? .validation : .test, sourceRow: index)
      }, pixels: Data(pictures.flatMap { [UInt8](repeating: $0, count: 9) }))
  }

  private func card(
    _ training: [ModelCard.TrainingData], selection: [ModelCard.TrainingData]? = nil, note: String = ""
  ) -> ModelCard {
    ModelCard(
      name: "m", summary: "", architecture: "a", parameterCount: 1, preprocessing: .init(), framing: .init(),
      outputs: [.init(name: "fer2013", emotions: LabelSet.fer2013.emotions)], training: training,
      selection: selection, seed: 1, epochs: 1,
      measurements: note.isEmpty
        ? []
        : [
          .init(
            source: "pictures", split: "validation", labels: "fer2013", count: 2, accuracy: 1, balancedAccuracy: 1,
            note: note)
        ], license: "")
  }

  private func data(
    _ faces: FaceSet, _ split: Split, source: String = "pictures", isHashed: Bool = true
  )
    -> ModelCard.TrainingData
  {
    let indices = faces.indices(in: split)
    return .init(
      source: source, split: split.rawValue, count: indices.count, labels: ["fer2013"],
      picturesHash: isHashed ? faces.picturesHash(of: indices) : nil)
  }

  @Test func newFacesAreNew() throws {
    let faces = try faces()
    let card = card([data(faces, .train)])
    let overlap = DataOverlap(card, on: faces, measured: [6, 8, 9], hits: [true, false, true])
    #expect(overlap.isEmpty && overlap.notes.isEmpty && overlap.accuracyOfOthers == nil)
  }

  @Test func picturesThatWereTrainedOnAreFoundToTheLastPixel() throws {
    let faces = try faces()
    let overlap = DataOverlap(
      card([data(faces, .train)]), on: faces, measured: [6, 7, 8, 9], hits: [true, true, false, false])
    #expect(overlap.parts.isEmpty && overlap.copies == 1)
    #expect(abs((overlap.accuracyOfOthers ?? 0) - 1 / 3) < 1e-12)
    #expect(
      overlap.notes == [
        "1 of the 4 measured faces is a pixel-for-pixel copy of a training picture. Without it, accuracy is 33.33 %."
      ])
  }

  /// The name of the set is the user's, and may be another.
  @Test(arguments: ["pictures", "another name"])
  func trainingFacesAreKnownByTheirHashes(source: String) throws {
    let overlap = DataOverlap(
      card([data(try faces(), .train)]), on: try faces(source: source), measured: Array(0..<10),
      hits: (0..<10).map { $0 < 4 })
    #expect(overlap.parts.count == 1 && overlap.parts[0].use == .training && overlap.parts[0].isCertain)
    #expect(overlap.parts[0].count == 4 && overlap.copies == 1 && overlap.accuracyOfOthers == 0)
    #expect(
      overlap.notes.count == 2 && overlap.notes[0].hasPrefix("4 of the 10 measured faces were used to train the model"))
    #expect(overlap.notes[1].hasSuffix(" Without the training faces and their copies, accuracy is 0.00 %."))
  }

  @Test func cardsWithoutHashesAreTakenAtTheirWords() throws {
    let faces = try faces()
    let old = card(
      [data(faces, .train, isHashed: false)], note: "best epoch chosen and temperature fitted on this split; one pass")
    let chosen = DataOverlap(old, on: faces, measured: [4, 5], hits: [true, true])
    #expect(chosen.parts.map(\.use) == [.selection, .calibration] && !chosen.parts[0].isCertain)
    #expect(
      chosen.notes == [
        "All 2 measured faces were also used to choose the epoch and to fit the temperature (pictures, validation, by the "
          + "names in the model's card). The figures are slightly optimistic."
      ])
    let trained = DataOverlap(old, on: faces, measured: [0, 1, 2, 3], hits: [true, true, true, true])
    #expect(trained.parts.map(\.use) == [.training] && trained.notes[0].contains("remembers"))
    // As many faces of another set's split are not these.
    var other = data(faces, .train, isHashed: false)
    other.count = 3
    #expect(DataOverlap(card([other]), on: faces, measured: [6], hits: [true]).parts.map(\.count) == [nil])
    other.source = "elsewhere"
    #expect(DataOverlap(card([other]), on: faces, measured: [6], hits: [true]).isEmpty)
  }

  @Test func aPartThatTheRecipeCutIsNotKnown() throws {
    let faces = try faces()
    let cut = ModelCard.TrainingData(
      source: "pictures", split: "train (fold 1 of 5)", count: 8, labels: ["fer2013"],
      picturesHash: faces.picturesHash(of: 0..<8))
    let overlap = DataOverlap(card([cut]), on: faces, measured: [6, 7], hits: [true, true])
    #expect(overlap.parts.map(\.count) == [nil] && overlap.notes[0].contains("--run RUN"))
    // One sentence, whatever they were used for.
    let twice = DataOverlap(card([cut], selection: [cut]), on: faces, measured: [6, 7], hits: [true, true])
    #expect(twice.parts.count == 2 && twice.notes.count == 1)
    #expect(
      twice.notes[0].contains(": pictures, train, fold 1 of 5, used to train the model and to choose the epoch. "))
    let whole = ModelCard.TrainingData(
      source: "pictures", split: "all", count: 10, labels: ["fer2013"], picturesHash: faces.picturesHash(of: 0..<10))
    #expect(DataOverlap(card([whole]), on: faces, measured: [6], hits: [true]).parts.map(\.count) == [1])
  }

  private func sampled(_ faces: FaceSet, _ indices: [Int]) -> ModelCard.TrainingData {
    .init(
      source: faces.info.source, split: "train (split of seed 1)", count: indices.count, labels: ["fer2013"],
      picturesHash: faces.picturesHash(of: indices), picturesSample: faces.picturesSample(of: indices))
  }

  @Test func facesOfAnotherFileAreKnownByTheSample() throws {
    let own = try faces(source: "mine")
    let card = card([sampled(own, [2, 4])], selection: [sampled(own, [5])])
    let overlap = DataOverlap(card, on: try faces(), measured: [2, 4, 5, 6], hits: [true, true, false, false])
    #expect(overlap.parts.map(\.use) == [.training, .selection] && overlap.parts.map(\.count) == [2, 1])
    #expect(overlap.parts.allSatisfy { $0.isCertain && $0.isEstimate == nil } && overlap.accuracyOfOthers == 0)
    #expect(overlap.notes[0].hasPrefix("2 of the 4 measured faces were used to train the model (mine, train, "))
    #expect(overlap.notes[0].hasSuffix(" Without the training faces, accuracy is 0.00 %."))
    #expect(
      overlap.notes[1].hasPrefix("1 of the 4 measured faces was also used to choose the epoch (mine, train, split of "))
    // Nor is it unknown whether faces of a part that the recipe cut are among those measured.
    let kept = DataOverlap(self.card([sampled(own, [2, 4])]), on: own, measured: [6, 8], hits: [true, true])
    #expect(kept.isEmpty && kept.notes.isEmpty)
    let read = try ModelCard(json: card.json())
    #expect(read == card && DataOverlap(read, on: own, measured: [2], hits: [true]).parts.map(\.count) == [1])
  }

  /// 2,000 pictures, of which a card names 512.
  @Test func theOverlapOfLargeSetsIsEstimated() throws {
    func set(_ source: String, _ numbers: Range<Int>) throws -> FaceSet {
      try FaceSet(
        source: source, labelSet: .fer2013, height: 2, width: 2, channels: 1,
        rows: numbers.map { .init(label: .anger, split: .train, sourceRow: $0) },
        pixels: Data(numbers.flatMap { [UInt8($0 >> 8), UInt8($0 & 255), 1, 2] }))
    }
    let card = card([sampled(try set("mine", 0..<2000), Array(0..<2000))])
    let hits = [Bool](repeating: true, count: 800)
    let half = DataOverlap(card, on: try set("theirs", 1600..<2400), measured: Array(0..<800), hits: hits)
    let part = try #require(half.parts.first)
    #expect(half.parts.count == 1 && part.isEstimate == true && !part.isCertain && half.accuracyOfOthers == nil)
    #expect(abs(try #require(part.count) - 400) < 80)
    #expect(
      half.notes.count == 1 && half.notes[0].hasPrefix("About ") && half.notes[0].contains("sample of the pictures"))
    let none = DataOverlap(card, on: try set("theirs", 2000..<2800), measured: Array(0..<800), hits: hits)
    #expect(none.isEmpty)
  }

  @Test func hashesTellPicturesApart() throws {
    let faces = try faces()
    #expect(faces.picturesHash(of: [1, 2]) == faces.picturesHash(of: [2, 1]))
    #expect(faces.picturesHash(of: [1, 2]) == faces.picturesHash(of: [7, 2]), "a picture, not its place")
    let hashes = [[1], [2], [1, 2], [1, 7], [1, 1, 7], []].map { faces.picturesHash(of: $0) }
    #expect(Set(hashes).count == 6 && hashes.allSatisfy { $0.count == 32 })
    #expect(Set((0..<10).map { faces.pictureHash(at: $0) }).count == 9)
  }

  @Test func earlierFilesAreStillRead() throws {
    let faces = try faces()
    var old = card([data(faces, .train, isHashed: false)])
    let text = String(decoding: try old.json(), as: UTF8.self)
    #expect(!text.contains("picturesHash") && !text.contains("selection"))
    old = try ModelCard(json: Data(text.utf8))
    #expect(old.training[0].isSame(as: data(faces, .train)) && old.training[0] != data(faces, .train))
    #expect(!data(faces, .test).isSame(as: data(faces, .train)))
  }
}
