import Foundation
import MienCore
import MienTestSupport
import Testing

/// `mien dataset split`.
@Suite struct SplitCommandTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { folder.file(name).path }

  @Test func setsAreSplitByShares() throws {
    let rows = (0..<140).map { index in
      FaceSet.Row(
        label: LabelSet.fer2013.emotions[index % 7], split: index % 2 == 0 ? .train : .validation, sourceRow: index)
    }
    try FaceSet(
      source: "grey", labelSet: .fer2013, height: 1, width: 1, channels: 1, rows: rows, pixels: Data(count: 140)
    ).write(to: folder.file("faces"))
    let split = try Command.mien("dataset", "split", path("faces"), "-o", path("split"))
    #expect(
      split.errors.hasPrefix(
        """
        80/10/10 % stratified split, seed 1
        mien: warning: people are unknown: the set does not say who each face shows, and one person may be in two parts;
        """), "\(split.errors)")
    #expect(
      split.errors.contains("\n\(path("split")): 140 faces (112 train, 14 validation, 14 test)\nwrote "),
      "\(split.errors)")
    // Who says that nothing need stay together is not warned.
    let meant = try Command.mien("dataset", "split", path("faces"), "-o", path("meant"), "--by", "none")
    #expect(meant.status == 0 && !meant.errors.contains("people"), "\(meant.errors)")
    let faces = try FaceSet(contentsOf: folder.file("split"))
    for emotion in LabelSet.fer2013.emotions {
      #expect(faces.indices(in: .test).count { faces.label(at: $0) == emotion } == 2)
    }
    #expect(faces.info.history == ["80/10/10 % stratified split, seed 1"])
    // Validation alone is cut from the training part of 70.
    let cut = try Command.mien(
      "dataset", "split", path("faces"), "-o", path("cut"), "--validation", "0.2", "--seed", "3")
    #expect(cut.errors.contains("140 faces (56 train, 84 validation, 0 test)"), "\(cut.errors)")
    let people = try Command.mien("dataset", "split", path("faces"), "-o", path("cut"), "--by", "subject")
    #expect(
      people.status == 1 && people.errors.contains("--by subject: needs the subject of every face"), "\(people.errors)")
  }

  @Test func whoIsInWhichPartIsSaid() throws {
    let rows = (0..<40).map { index in
      FaceSet.Row(
        label: index % 2 == 0 ? .anger : .fear, split: .train,
        subject: ["Anna", "Ben", "Cleo"][index < 36 ? 0 : index % 2 + 1],
        sourceRow: index)
    }
    func write(_ rows: [FaceSet.Row], _ name: String) throws {
      try FaceSet(
        source: "own", labelSet: .fer2013, height: 1, width: 1, channels: 1, rows: rows, pixels: Data(count: rows.count)
      ).write(to: folder.file(name))
    }
    try write(rows, "three")
    let shares = ["--train", "0.5", "--validation", "0.25", "--test", "0.25"]
    let split = try Command.run(
      Command.mien.path, ["dataset", "split", path("three"), "-o", path("split")] + shares)
    #expect(
      split.status == 0 && split.errors.contains("split by subject, seed 1; the parts came out as 90/5/5 %\n")
        && !split.errors.contains("people are unknown"), "\(split.errors)")
    for part in ["Anna (36)", "Ben (2)", "Cleo (2)"] { #expect(split.errors.contains(part), "\(split.errors)") }
    let inspected = try Command.mien("dataset", "inspect", path("split")).output
    #expect(
      inspected.hasSuffix("\n50/25/25 % split by subject, seed 1; the parts came out as 90/5/5 %\n"), "\(inspected)")
    let cut = try Command.mien("dataset", "split", path("three"), "-o", path("cut"), "--validation", "0.2")
    #expect(cut.errors.contains("seed 1; it came out as "), "\(cut.errors)")
    try write(Array(rows.prefix(38).filter { $0.subject != "Cleo" }), "two")
    let few = try Command.run(Command.mien.path, ["dataset", "split", path("two"), "-o", path("split")] + shares)
    #expect(few.status == 1 && few.errors.contains("--test: no person is left for this part"), "\(few.errors)")
    // One person alone shows fear, and is drawn for another part than training.
    let lone = ["Anna", "Ben", "Cleo"].enumerated().flatMap { person, name in
      (0..<4).map { face in
        FaceSet.Row(
          label: person == 0 && face > 1 ? .fear : .anger, split: .train, subject: name, sourceRow: 4 * person + face)
      }
    }
    try write(lone, "lone")
    let lacking = try Command.run(
      Command.mien.path, ["dataset", "split", path("lone"), "-o", path("split"), "--no-stratify"] + shares)
    #expect(
      lacking.errors.contains("stay together: choose another --seed, or add a person who shows it"),
      "\(lacking.errors)")
  }

  @Test(arguments: [["--train", "0.5"], ["--validation", "1"], ["--train", "-1", "--test", "2"], ["--by", "mood"]])
  func wrongSharesExitWith64(options: [String]) throws {
    let outcome = try Command.run(Command.mien.path, ["dataset", "split", "a", "-o", "b"] + options)
    #expect(outcome.status == 64 && outcome.errors.contains("mien: error: "), "\(outcome.errors)")
  }

  @Test func sharesAreNamedAsGivenAndPercentagesAreTurnedIntoShares() throws {
    let half = try Command.mien("dataset", "split", "a", "-o", "b", "--train", "0.5")
    #expect(half.errors.contains("mien: error: --train 0.5: expected shares that sum to 1"), "\(half.errors)")
    #expect(!half.errors.contains("; write"))
    let two = try Command.mien("dataset", "split", "a", "-o", "b", "--train", "0.7", "--validation", "0.2")
    #expect(two.errors.contains("; write --train 0.7 --validation 0.2 --test 0.1\n"), "\(two.errors)")
    let percent = try Command.mien(
      "dataset", "split", "a", "-o", "b", "--train", "80", "--validation", "10", "--test", "10")
    #expect(percent.errors.contains("; write --train 0.8 --validation 0.1 --test 0.1"), "\(percent.errors)")
  }
}
