import ArgumentParser
import MienCommandLine
import MienCore
import MienEvaluation
import MienInference

/// How a model is measured.
struct MeasureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The labels to measure against (default: FER+ if the set has its votes, else the set's own).", valueName: "labels"
    ))
  var labels: String?

  @Option(help: "The split to measure on (default: test, or validation if there are no test faces).")
  var split: Split.Choice?

  @Flag(help: "Leave out faces whose picture is also in the set's train split, pixel for pixel.")
  var unseen = false

  @Option(help: "Test-time augmentation: average over the face and its mirror image (flip), or not (none).")
  var tta = Evaluation.Averaging.none

  func validate() throws {
    if unseen && (split == .train || split == .all) {
      throw ValidationError("--unseen is for the faces of test or validation")
    }
  }

  /// The faces to leave out.
  func excluded(of faces: FaceSet) -> Set<Int> { unseen ? faces.copies(of: .train) : [] }

  /// The averaging in words.
  var passes: String { tta == .flip ? "two: the face and its mirror image" : "one" }

  /// The faces to measure on; nil for all. Says so on standard error where the choice is not the usual one.
  ///
  /// - Throws: ``MienError`` where there are faces to train on alone, and no choice was made.
  func part(of faces: FaceSet, _ source: LabelSource, data: String) throws -> Split? {
    if let split { return split.split }
    if !faces.labelled(source, in: .test).isEmpty { return .test }
    guard !faces.labelled(source, in: .validation).isEmpty else {
      throw MienError(
        .mismatch, data,
        "no test or validation face has a label; --split all measures on every face, and `mien dataset split` sets some aside "
          + "before training")
    }
    Console.error("\(data): no test face has a label, measuring on validation")
    return .validation
  }
}
