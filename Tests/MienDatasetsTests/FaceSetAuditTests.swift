import Foundation
import MienCore
import MienDatasets
import MienTestSupport
import Testing

@Suite struct FaceSetAuditTests {
  @Test func plantedCopiesAreFoundAndNothingElse() throws {
    var drawn = DrawnFaces()
    for seed in 0..<400 { drawn.add(DrawnFaces.face(UInt64(seed)), .anger) }
    drawn.add(DrawnFaces.face(7), .anger)
    drawn.add(DrawnFaces.face(7), .fear, .validation)
    drawn.add(DrawnFaces.brighter(DrawnFaces.face(20)), .anger, .test)
    for (seed, right, down) in [(30, 1, 0), (31, -1, 0), (32, 0, 1), (33, 1, 1), (34, -1, 1)] {
      drawn.add(DrawnFaces.moved(DrawnFaces.face(UInt64(seed)), right: right, down: down), .anger)
    }
    let audit = try FaceSetAudit(drawn.set())
    #expect(audit.exactGroups.map(\.faces) == [[7, 400, 401]])
    #expect(audit.exactGroups[0].isExact && audit.exactGroups[0].isAcrossSplits && audit.exactGroups[0].hasConflict)
    let expected = [[7, 400, 401], [20, 402], [30, 403], [31, 404], [32, 405], [33, 406], [34, 407]]
    #expect(audit.groups.map(\.faces) == expected)
    #expect(audit.groups.map(\.isExact) == [true] + [Bool](repeating: false, count: 6))
    #expect(audit.groups[1].isAcrossSplits && !audit.groups[1].hasConflict)
    #expect(audit.exactCounts.repeated == [.train: 1, .validation: 0, .test: 0])
    #expect(audit.allCounts.repeated == [.train: 6, .validation: 0, .test: 0])
    #expect(audit.allCounts.acrossSplits == 2 && audit.allCounts.conflicting == 1 && audit.allCounts.faces == 15)
    #expect(try FaceSetAudit(drawn.set(), copies: .exact).groups.map(\.faces) == [[7, 400, 401]])
  }

  @Test func aChainOfNearCopiesIsOneGroup() throws {
    var drawn = DrawnFaces()
    let face = DrawnFaces.face(3)
    for shift in 0..<3 { drawn.add(DrawnFaces.moved(face, right: shift, down: 0), .anger) }
    drawn.add(face, .anger)
    let groups = try FaceSetAudit(drawn.set()).groups
    #expect(groups.map(\.faces) == [[0, 1, 2, 3]] && !groups[0].isExact)
  }

  @Test func expressionsOfOnePersonAreNoNearCopies() throws {
    let face = DrawnFaces.face(3)
    let brighter = DrawnFaces.brighter(face)
    var drawn = DrawnFaces()
    drawn.add(face, .anger, subject: "ann")
    drawn.add(brighter, .fear, subject: "ann")
    #expect(try FaceSetAudit(drawn.set()).groups.isEmpty)
    // A face between them goes with one of them.
    drawn.add(DrawnFaces.brighter(brighter), nil, subject: "ann")
    let groups = try FaceSetAudit(drawn.set()).groups
    #expect(groups.count == 1 && groups[0].faces.count == 2 && groups[0].faces.contains(2) && !groups[0].hasConflict)
    // Two people, a person unknown, and exact copies of one.
    let others: [([UInt8], String?)] = [(brighter, "bob"), (brighter, nil), (face, "ann")]
    for (pixels, subject) in others {
      var pair = DrawnFaces()
      pair.add(face, .anger, subject: "ann")
      pair.add(pixels, .fear, subject: subject)
      let groups = try FaceSetAudit(pair.set()).groups
      #expect(groups.map(\.faces) == [[0, 1]] && groups[0].hasConflict)
    }
  }

  @Test func alikeFacesThatAreNoCopiesAreComparedStepByStep() throws {
    var random = SeededRandom(seed: 1)
    let face = DrawnFaces.face(1)
    var drawn = DrawnFaces()
    for _ in 0..<1_600 {
      let noise = (0..<64).map { _ in random.uniform(in: -50...50) }
      let noisy = face.indices.map { index -> UInt8 in
        let block = index / 48 / 6 * 8 + index % 48 / 6
        return UInt8(max(0, min(255, Float(face[index]) + noise[block])))
      }
      drawn.add(noisy, .anger)
    }
    var steps: [Int] = []
    _ = try FaceSetAudit(drawn.set()) { steps.append($0) }
    // Half for preparing the faces, half for comparing them.
    #expect(steps.prefix(2) == [512, 800] && steps.last == 1_600)
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 <= $1 })
  }

  @Test func blankPicturesSharedPeopleAndClassesAreCounted() throws {
    var drawn = DrawnFaces()
    let grey = [UInt8](repeating: 90, count: 48 * 48)
    drawn.add(grey, .anger)
    drawn.add(grey.enumerated().map { $0.offset % 2 == 0 ? 90 : 97 }, .fear, .test)
    drawn.add(DrawnFaces.face(1), .anger, subject: "ann")
    drawn.add(DrawnFaces.face(2), .fear, .validation, subject: "ann")
    drawn.add(DrawnFaces.face(3), .anger, subject: "bob")
    drawn.add(DrawnFaces.face(4), nil, .test)
    let audit = try FaceSetAudit(drawn.set())
    #expect(audit.blank == [0, 1])
    // Blank pictures are alike in nothing but their lack of a face.
    #expect(audit.groups.isEmpty)
    #expect(audit.sharedSubjects == ["ann"] && audit.sharedSequences.isEmpty)
    #expect(audit.classes.map(\.split) == [.train, .validation, .test])
    #expect(audit.classes[0].counts.first { $0.emotion == .anger }?.count == 3)
    #expect(audit.classes[0].imbalance == nil && audit.classes[2].unlabelled == 1)
  }

  @Test func colourAndOtherSizesAreCompared() throws {
    let large = try (0..<3).map { seed in
      let rows = (0..<96).map { row in (0..<96).map { (row, $0) } }.joined()
      let face = DrawnFaces.face(UInt64(seed % 2))
      return rows.flatMap { row, column in
        let value = face[row / 2 * 48 + column / 2]
        return seed == 2 ? [value / 2, value / 2 + 20, value / 2 + 60] : [value, value, value]
      }
    }
    let faces = try FaceSet(
      source: "colour", labelSet: .fer2013, height: 96, width: 96, channels: 3,
      rows: (0..<3).map { .init(label: .anger, split: .train, sourceRow: $0) }, pixels: Data(large.joined()))
    #expect(try FaceSetAudit(faces).groups.map(\.faces) == [[0, 2]])
  }

  @Test func repairFollowsItsRules() throws {
    var drawn = DrawnFaces()
    let faces = (0..<8).map { DrawnFaces.face(UInt64($0)) }
    drawn.add(faces[0], .anger)  // 0: stays, first of its split
    drawn.add(faces[0], .anger)  // 1: earlier copy
    drawn.add(faces[1], .anger)  // 2: copy in validation
    drawn.add(faces[1], .anger, .validation)  // 3: copy in test
    drawn.add(DrawnFaces.brighter(faces[1]), .anger, .test)  // 4: stays
    drawn.add(faces[2], .fear)  // 5: no majority
    drawn.add(faces[2], .anger)  // 6: no majority
    drawn.add(faces[3], .fear)  // 7: stays, majority and first
    drawn.add(faces[3], .anger, .validation)  // 8: minority
    drawn.add(faces[3], .fear)  // 9: earlier copy
    drawn.add([UInt8](repeating: 0, count: 48 * 48), .fear)  // 10: blank
    drawn.add(faces[4], nil)  // 11: stays: no label agrees with any
    drawn.add(faces[4], .fear)  // 12: earlier copy
    drawn.add(faces[5], .fear)  // 13: stays
    let set = try drawn.set()
    let repair = FaceSetRepair(try FaceSetAudit(set))
    #expect(repair.kept == [0, 4, 7, 11, 13])
    #expect(
      repair.removed == [
        1: .sameSplit, 2: .otherSplit, 3: .otherSplit, 5: .conflict, 6: .conflict, 8: .conflict, 9: .sameSplit,
        10: .blank, 12: .sameSplit,
      ])
    let cleaned = try repair.cleaned()
    #expect(cleaned.count == 5)
    for (position, index) in repair.kept.enumerated() {
      #expect(cleaned[position] == set[index] && cleaned.face(at: position) == set.face(at: index))
    }
    #expect(cleaned.info.history?.count == 1 && cleaned.info.history?[0].contains("9 of 14 faces") == true)
    // The near copy in the test split is no copy here, so the validation face stays too.
    #expect(FaceSetRepair(try FaceSetAudit(set, copies: .exact)).kept == [0, 3, 4, 7, 11, 13])
    #expect(FaceSetRepair(try FaceSetAudit(cleaned)).removed.isEmpty)
  }

  @Test func labelsOfNearCopiesStand() throws {
    var drawn = DrawnFaces()
    let face = DrawnFaces.face(1)
    drawn.add(face, .anger)  // 0: stays
    drawn.add(DrawnFaces.brighter(face), .fear)  // 1: earlier copy
    drawn.add(DrawnFaces.face(2), .anger)  // 2: copy in test
    drawn.add(DrawnFaces.brighter(DrawnFaces.face(2)), .fear, .test)  // 3: stays
    let audit = try FaceSetAudit(drawn.set())
    #expect(audit.allCounts.conflicting == 2)
    let repair = FaceSetRepair(audit)
    #expect(repair.kept == [0, 3] && repair.removed == [1: .sameSplit, 2: .otherSplit])
  }

  @Test func aSetOfBlankPicturesCannotBeCleaned() throws {
    var drawn = DrawnFaces()
    drawn.add([UInt8](repeating: 0, count: 48 * 48), .fear)
    let repair = FaceSetRepair(try FaceSetAudit(drawn.set()))
    #expect(throws: MienError.self) { try repair.cleaned() }
  }

  @Test func jsonAndGalleryShowTheGroups() throws {
    var drawn = DrawnFaces()
    drawn.add(DrawnFaces.face(1), .anger, subject: "<Ann & Bo>")
    drawn.add(DrawnFaces.face(2), .fear, .validation, subject: "<Ann & Bo>")
    drawn.add(DrawnFaces.brighter(DrawnFaces.face(1)), .fear, .test)
    let audit = try FaceSetAudit(drawn.set())
    let json = try #require(JSONSerialization.jsonObject(with: audit.json()) as? [String: Any])
    let groups = try #require(json["groups"] as? [[String: Any]])
    #expect(groups.count == 1 && groups[0]["acrossSplits"] as? Bool == true && groups[0]["exact"] as? Bool == false)
    let faces = try #require(groups[0]["faces"] as? [[String: Any]])
    #expect(
      faces.map { $0["row"] as? Int } == [100, 102] && faces.map { $0["label"] as? String } == ["anger", "fear"])
    #expect((json["exactOrNear"] as? [String: Any])?["groups"] as? Int == 1)
    #expect((json["exact"] as? [String: Any])?["groups"] as? Int == 0)
    #expect(json["sharedSubjects"] as? [String] == ["<Ann & Bo>"])
  }

  @Test(.enabled(if: Shared.has("data/ck48/CK+48"), "CK+48 is not here"))
  func theNearCopiesOfCK48AreFramesOfOneExpression() throws {
    let audit = try FaceSetAudit(CKPlus48Importer().load(Shared.url("data/ck48")).faces)
    #expect(audit.exactGroups.isEmpty && audit.groups.count > 300)
    // One group holds two people.
    #expect(audit.allCounts.conflicting <= 1)
    for group in audit.groups {
      let people = Dictionary(grouping: group.faces) { audit.faces[$0].subject }
      #expect(people.values.allSatisfy { Set($0.map(audit.faces.label(at:))).count == 1 })
    }
    let repair = FaceSetRepair(audit)
    #expect(repair.count(.conflict) == 0 && repair.kept.count > 300)
  }

  @Test(.enabled(if: Shared.has("data/fer2013/fer2013.csv.xz"), "FER2013 is not here"))
  func theCopiesOfFER2013AreTheKnownOnes() throws {
    let folder = try TemporaryFolder()
    let csv = folder.file("fer2013.csv")
    try Data().write(to: csv)
    let unpack = Process()
    unpack.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    unpack.arguments = ["xz", "-dc", Shared.url("data/fer2013/fer2013.csv.xz").path]
    unpack.standardOutput = try FileHandle(forWritingTo: csv)
    try unpack.run()
    unpack.waitUntilExit()
    let audit = try FaceSetAudit(FER2013Importer().load(.file(csv)).faces)
    let exact = audit.exactCounts
    #expect(exact.repeated == [.train: 1_234, .validation: 26])
    #expect(exact.acrossSplits == 270 && exact.conflicting == 47 && exact.groups == 1_271)
    #expect(audit.blank.count == 14)
    #expect(audit.allCounts.groups > exact.groups)
    // What is left has no copy that a second look would find.
    let cleaned = try FaceSetRepair(audit).cleaned()
    let second = try FaceSetAudit(cleaned)
    #expect(second.exactGroups.isEmpty && second.blank.isEmpty)
    #expect(second.groups.count < 30, "\(second.groups.count)")
  }
}
