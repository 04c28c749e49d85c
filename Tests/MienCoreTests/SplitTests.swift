import MienCore
import Testing

@Suite struct SplitTests {
  /// Faces of several people with three classes of unlike size; person `p` shows class `p % 4 == 0 ? 2 : …`.
  private func faces(people: Int, seed: UInt64) -> [SplitFace] {
    var random = SeededRandom(seed: seed)
    let emotions: [Emotion] = [.anger, .anger, .anger, .fear, .fear, .happiness]
    return (0..<people).flatMap { person in
      (0..<Int.random(in: 3...12, using: &random)).map { index in
        SplitFace(
          emotion: emotions[Int.random(in: 0..<emotions.count, using: &random)], subject: "p\(person)",
          sequence: "p\(person)-\(index / 3)")
      }
    }
  }

  private func count(_ faces: [SplitFace], _ part: [Int], _ emotion: Emotion) -> Int {
    part.count { faces[$0].emotion == emotion }
  }

  private func expectPartition(_ parts: [[Int]], of pool: [Int]) {
    #expect(parts.flatMap(\.self).sorted() == pool)
    #expect(parts.allSatisfy { $0 == $0.sorted() && !$0.isEmpty })
  }

  @Test(arguments: [UInt64(1), 2, 3], [2, 3, 5, 10])
  func stratifiedFoldsDifferByAtMostOneFaceAClass(seed: UInt64, count folds: Int) throws {
    let faces = faces(people: 40, seed: seed)
    var rule = FoldRule()
    (rule.count, rule.seed) = (folds, seed)
    let pool = Array(faces.indices.dropFirst(7))
    let found = try rule.folds(of: faces, pool: pool)
    #expect(found.count == folds)
    expectPartition(found, of: pool)
    for emotion in [Emotion.anger, .fear, .happiness] {
      let counts = found.map { count(faces, $0, emotion) }
      #expect(try #require(counts.max()) - #require(counts.min()) <= 1)
    }
    let sizes = found.map(\.count)
    #expect(try #require(sizes.max()) - #require(sizes.min()) <= 1)
    #expect(try rule.folds(of: faces, pool: pool) == found)
    rule.seed += 100
    #expect(try rule.folds(of: faces, pool: pool) != found)
  }

  @Test(arguments: [UInt64(1), 2, 3]) func groupedFoldsKeepPeopleTogether(seed: UInt64) throws {
    let faces = faces(people: 40, seed: seed)
    var rule = FoldRule()
    (rule.count, rule.kind, rule.seed) = (5, .grouped, seed)
    let found = try rule.folds(of: faces, pool: Array(faces.indices))
    expectPartition(found, of: Array(faces.indices))
    let people = found.map { Set($0.compactMap { faces[$0].subject }) }
    #expect(people.reduce(0) { $0 + $1.count } == 40)
    for emotion in [Emotion.anger, .fear, .happiness] {
      let shares = found.map { Double(count(faces, $0, emotion)) / Double(count(faces, Array(faces.indices), emotion)) }
      #expect(shares.allSatisfy { (0.1...0.3).contains($0) }, "\(emotion): \(shares)")
    }
    #expect(try rule.folds(of: faces, pool: Array(faces.indices)) == found)
  }

  @Test func leaveOneSubjectOutHoldsOnePersonAFold() throws {
    let faces = faces(people: 12, seed: 4)
    var rule = FoldRule()
    rule.kind = .leaveOneSubjectOut
    let found = try rule.folds(of: faces, pool: Array(faces.indices))
    #expect(found.count == 12)
    expectPartition(found, of: Array(faces.indices))
    #expect(found.allSatisfy { Set($0.compactMap { faces[$0].subject }).count == 1 })
  }

  @Test(arguments: [UInt64(1), 2]) func sharesHoldForEveryClass(seed: UInt64) throws {
    let faces = faces(people: 60, seed: seed)
    var rule = SplitRule()
    (rule.train, rule.validation, rule.test, rule.seed) = (0.7, 0.1, 0.2, seed)
    let parts = try rule.parts(of: faces)
    expectPartition([parts.train, parts.validation, parts.test], of: Array(faces.indices))
    for emotion in [Emotion.anger, .fear, .happiness] {
      let all = Double(count(faces, Array(faces.indices), emotion))
      for (part, share) in [(parts.train, 0.7), (parts.validation, 0.1), (parts.test, 0.2)] {
        #expect(abs(Double(count(faces, part, emotion)) - share * all) < 1)
      }
    }
    #expect(try rule.parts(of: faces) == parts)
  }

  @Test(arguments: [FaceGrouping.subject, .sequence], [true, false])
  func groupedSharesKeepGroupsWhole(grouping: FaceGrouping, stratify: Bool) throws {
    let faces = faces(people: 60, seed: 9)
    var rule = SplitRule()
    (rule.train, rule.test, rule.groupBy, rule.stratify) = (0.75, 0.25, grouping, stratify)
    let parts = try rule.parts(of: faces)
    expectPartition([parts.train, parts.test], of: Array(faces.indices))
    func names(_ part: [Int]) -> Set<String> {
      Set(part.compactMap { grouping == .subject ? faces[$0].subject : faces[$0].sequence })
    }
    #expect(names(parts.train).isDisjoint(with: names(parts.test)))
    let share = Double(parts.train.count) / Double(faces.count)
    #expect((0.7...0.8).contains(share), "\(share)")
    if grouping == .sequence {
      // A person may then stand on both sides.
      #expect(!Set(parts.train.map { faces[$0].subject }).isDisjoint(with: parts.test.map { faces[$0].subject }))
    }
  }

  @Test func validationAloneIsCutFromTheOwnTrainingPart() throws {
    var faces = faces(people: 40, seed: 7)
    for index in faces.indices { faces[index].split = index % 5 == 0 ? .test : index % 7 == 0 ? .validation : .train }
    let own = FaceParts(own: faces)
    var rule = SplitRule()
    rule.validation = 0.2
    #expect(rule.problem == nil && rule.isOn)
    let parts = try rule.parts(of: faces)
    #expect(parts.test == own.test && Set(parts.validation).isSuperset(of: own.validation))
    expectPartition([parts.train, parts.validation.filter { !own.validation.contains($0) }], of: own.train)
    #expect(abs(Double(own.train.count - parts.train.count) - 0.2 * Double(own.train.count)) < 3)
    #expect(rule.description == "20 % of the training part for validation, stratified, seed 1")
    rule.validation = 1
    #expect(rule.problem != nil)
  }

  @Test func aValidationPartIsCutByPersonThenSequenceThenClass() throws {
    var faces = faces(people: 40, seed: 8)
    func people(_ part: [Int], _ faces: [SplitFace]) -> Set<String> { Set(part.compactMap { faces[$0].subject }) }
    let rule = try SplitRule.validationCut(of: faces)
    #expect(rule.groupBy == .subject && rule.validation == 0.1)
    let parts = try rule.parts(of: faces)
    #expect(people(parts.train, faces).isDisjoint(with: people(parts.validation, faces)) && !parts.validation.isEmpty)
    // Of three people one is kept aside.
    let three = (0..<60).map { SplitFace(emotion: $0 % 2 == 0 ? .anger : .fear, subject: "\($0 % 3)") }
    let few = try SplitRule.validationCut(of: three)
    #expect(few.groupBy == .subject && few.validation == 0.34)
    #expect(people(try few.parts(of: three).validation, three).count == 1)
    // One person, or one whose face nobody knows.
    faces[3].subject = nil
    #expect(try SplitRule.validationCut(of: faces).groupBy == .sequence)
    faces[3].sequence = nil
    #expect(try SplitRule.validationCut(of: faces).groupBy == .none)
    // A class that one person alone shows keeps that person in training, or people apart are given up.
    let alone = (0..<40).map { SplitFace(emotion: $0 < 20 ? .anger : .fear, subject: $0 < 20 ? "a" : "b") }
    #expect(try SplitRule.validationCut(of: alone).groupBy == .none)
    let error = #expect(throws: MienError.self) {
      try SplitRule.validationCut(of: Emotion.allCases.map { SplitFace(emotion: $0) })
    }
    #expect(error?.message.contains("the recipe's key `split`") == true)
  }

  @Test func aFoldIsValidatedTheOthersAreTrainedAndTheTestPartStays() throws {
    let faces = faces(people: 30, seed: 5)
    var split = SplitRule()
    (split.train, split.test) = (0.8, 0.2)
    let base = try split.parts(of: faces)
    var seen: [Int] = []
    for fold in 1...5 {
      var rule = FoldRule()
      (rule.count, rule.fold) = (5, fold)
      let parts = try rule.parts(of: faces, from: base)
      #expect(parts.test == base.test)
      #expect((parts.train + parts.validation).sorted() == base.train)
      seen += parts.validation
    }
    #expect(seen.sorted() == base.train)
    var rule = FoldRule()
    (rule.count, rule.fold) = (5, 6)
    #expect(throws: MienError.self) { try rule.parts(of: faces, from: base) }
    #expect(try FoldRule().parts(of: faces, from: base) == base)
  }

  @Test func whatCannotBeSplitIsSaid() throws {
    let nobody = (0..<20).map { SplitFace(emotion: $0 < 17 ? .anger : .fear) }
    let pool = Array(nobody.indices)
    func message(_ kind: FoldRule.Kind, _ count: Int, _ faces: [SplitFace]) -> String {
      var rule = FoldRule()
      (rule.count, rule.kind) = (count, kind)
      let error = #expect(throws: MienError.self) { try rule.folds(of: faces, pool: pool) }
      return error?.description ?? ""
    }
    #expect(message(.stratified, 4, nobody).contains("more folds than faces of a class: fear has 3"))
    #expect(message(.grouped, 2, nobody).contains("the data set has no subjects"))
    #expect(message(.leaveOneSubjectOut, 0, nobody).contains("the data set has no subjects"))
    var two = pool.map { SplitFace(emotion: $0 < 17 ? .anger : .fear, subject: $0 < 17 ? "a" : "b") }
    #expect(message(.grouped, 3, two).contains("more folds than subjects: there are 2"))
    // Whoever is left out takes a class along.
    #expect(message(.leaveOneSubjectOut, 0, two).contains("the training part of fold 1 has no face of anger"))
    two[3].subject = nil
    #expect(message(.grouped, 2, two).contains("1 face has none"))

    var split = SplitRule()
    (split.train, split.test, split.groupBy) = (0.5, 0.5, .sequence)
    let error = #expect(throws: MienError.self) { try split.parts(of: nobody) }
    #expect(error?.description.contains("no sequences") == true)
    (split.train, split.test, split.groupBy) = (0.02, 0.98, .none)
    #expect(throws: MienError.self) { try split.parts(of: nobody) }
  }

  /// As many people as parts are enough, however unlike their numbers of pictures.
  @Test(arguments: [[29, 1, 1], [1, 1, 40], [7, 7, 7], [12, 3, 2, 1]])
  func everyPartGetsAPerson(pictures: [Int]) throws {
    let faces = pictures.enumerated().flatMap { person, count in
      (0..<count).map { SplitFace(emotion: $0 % 2 == 0 ? .anger : .fear, subject: "p\(person)") }
    }
    let people = pictures.enumerated().flatMap { [Int](repeating: $0, count: $1) }
    for (train, validation, test) in [(0.5, 0.25, 0.25), (0.8, 0.1, 0.1), (0.34, 0.33, 0.33)] {
      for seed in UInt64(1)...5 {
        let parts = Partition.grouped(
          groups: people, classes: faces.map { $0.emotion == .anger ? 0 : 1 }, shares: [train, validation, test],
          seed: seed)
        expectPartition(parts, of: Array(faces.indices))
        #expect(parts.map { Set($0.map { people[$0] }).count }.reduce(0, +) == pictures.count)
      }
    }
  }

  /// A person whose classes nobody else in the part shows stays there, if another can go.
  @Test func aPartIsFilledByWhoeverIsNotNeeded() throws {
    let faces =
      (0..<20).map { SplitFace(emotion: $0 % 2 == 0 ? .anger : .fear, subject: "a") }
      + [SplitFace(emotion: .happiness, subject: "b")]
      + (0..<3).map { _ in SplitFace(emotion: .anger, subject: "c") }
    var rule = SplitRule()
    (rule.train, rule.test, rule.groupBy) = (0.9, 0.1, .subject)
    for seed in UInt64(1)...5 {
      rule.seed = seed
      let parts = try rule.parts(of: faces)
      #expect(Set(parts.test.compactMap { faces[$0].subject }) == ["c"], "\(seed)")
    }
  }

  @Test func tooFewPeopleAreSaidInWords() throws {
    let faces = (0..<20).map { SplitFace(emotion: .anger, subject: $0 < 17 ? "a" : "b") }
    var rule = SplitRule()
    (rule.train, rule.validation, rule.test, rule.groupBy) = (0.5, 0.25, 0.25, .subject)
    let error = try #require(#expect(throws: MienError.self) { try rule.parts(of: faces) })
    #expect(
      error.message == "no person is left for this part: there are 2 people for 3 parts, and all pictures of a person "
        + "stay together; use at least 3 people")
    let alone = (0..<20).map { SplitFace(emotion: $0 < 17 ? .anger : .fear, subject: $0 < 17 ? "a" : "b") }
    (rule.train, rule.validation, rule.test) = (0.5, 0.5, 0)
    let lacking = try #require(#expect(throws: MienError.self) { try rule.parts(of: alone) })
    #expect(lacking.message.contains("has no face of") && lacking.message.contains("add a person who shows it"))
  }

  @Test func numbersThatMakeNoRuleAreRefused() {
    var split = SplitRule()
    #expect(split.problem == nil && !split.isOn)
    for (train, validation, test) in [(0.5, 0.2, 0.2), (0, 0.5, 0.5), (1.5, -0.5, 0), (0.6, 0.6, -0.2)] {
      (split.train, split.validation, split.test) = (train, validation, test)
      #expect(split.problem != nil)
    }
    (split.train, split.validation, split.test) = (0.7, 0.1, 0.2)
    #expect(split.problem == nil)
    for (count, kind, fold) in [
      (1, FoldRule.Kind.stratified, 0), (-1, .stratified, 0), (0, .grouped, 0), (5, .leaveOneSubjectOut, 0),
      (5, .stratified, -1), (0, .stratified, 1),
    ] {
      var rule = FoldRule()
      (rule.count, rule.kind, rule.fold) = (count, kind, fold)
      #expect(rule.problem != nil)
    }
  }
}
