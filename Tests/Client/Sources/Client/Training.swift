import Foundation
import MienEvaluation
import MienInference
import MienTraining

/// An architecture that Mien does not know.
struct StripeNetwork: Architecture {
  var filters = 8

  @TorchActor func network(
    channels: Int, labels: [LabelSet], random: inout SeededRandom
  ) throws
    -> FaceNetwork
  {
    try FaceNetwork(
      trunk: Sequential([
        Conv2d(channels, filters, kernel: 3, random: &random), ReLU(), Pool2d(.max, kernel: 4),
      ]),
      neck: Sequential([Flatten(), Linear(filters * 12 * 12, 32, random: &random), ReLU()]),
      embedding: 32, labels: labels, random: &random)
  }
}

/// Trains one epoch on 64 faces, exports the model, writes it, and measures it.
func train(in folder: URL) async throws {
  try ModelRegistry.register(StripeNetwork(), as: "stripes")
  let faces = try stripes(64)
  var recipe = try RecipeFile.parse(
    "model: {architecture: stripes, options: {filters: 4}}", file: "stripes.yaml")
  recipe.epochs = 1
  recipe.batchSize = 16
  recipe.schedule.warmupEpochs = 0

  let run = try RunFolder(creating: folder.appendingPathComponent("run"), recipe: recipe)
  let model = try await TorchActor.run {
    try Torch.configure(threads: 2)
    guard try Trainer(run: run, sets: [faces], observers: []).run(shouldStop: { false }) != nil
    else {
      throw Surprise(description: "expected a run that ends")
    }
    return try ModelExport.model(of: run, calibratedOn: [faces])
  }
  try require(
    try model.card().architecture == "stripes", "the card names the client's architecture")
  let file = folder.appendingPathComponent("stripes.onnx")
  try model.write(to: file)

  let classifier = try EmotionClassifier(model: ONNXModel(contentsOf: file))
  let evaluation = try await Evaluation(classifier, on: faces, labels: .own, split: .validation)
  try require(
    evaluation.indices.count == 16, "16 faces measured, found \(evaluation.indices.count)")
  print("training: accuracy \(evaluation.metrics.accuracy) on \(evaluation.indices.count) faces")
}

/// Faces that are stripes, a direction per emotion: three quarters to train on, one to measure.
private func stripes(_ count: Int) throws -> FaceSet {
  var pixels = Data()
  let rows = (0..<count).map { index in
    let isUpright = index.isMultiple(of: 2)
    for y in 0..<48 {
      pixels += Data((0..<48).map { x in ((isUpright ? x : y) / 4 + index) % 2 == 0 ? 40 : 210 })
    }
    return FaceSet.Row(
      label: isUpright ? .happiness : .sadness, split: index % 4 < 3 ? .train : .validation,
      sourceRow: index)
  }
  return try FaceSet(
    source: "stripes", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows,
    pixels: pixels)
}
