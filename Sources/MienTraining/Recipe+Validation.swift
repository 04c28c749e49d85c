import Foundation
import MienCore

extension Recipe {
  /// Checks every range.
  ///
  /// - Throws: ``MienError`` naming the place of the first key whose value does not fit, and what was expected.
  func validate(_ places: RecipePlaces) throws {
    try places.require(epochs >= 1, "epochs", "at least 1")
    try places.require(epochs <= 1_000_000, "epochs", "at most 1,000,000")
    try places.require((1...65536).contains(batchSize), "batchSize", "1 to 65,536")
    try places.require([1, 3].contains(model.channels), "model.channels", "1 or 3")
    try places.require(!model.equalize || model.channels == 1, "model.equalize", "false where model.channels is 3")
    try places.require((0..<1).contains(averageDecay), "averageDecay", "at least 0 and below 1")
    try places.require(
      checkpointEverySeconds > 0 && checkpointEverySeconds <= 86400, "checkpointEverySeconds",
      "above 0 and at most 86,400")
    try places.require(!heads.isEmpty, "heads", "a list of at least one")
    for head in heads {
      let known = LabelSet.known.map(\.name)
      try places.require(known.contains(head.labels), "heads.labels", "one of \(known.joined(separator: ", "))")
      try places.require(head.weight >= 0, "heads.weight", "at least 0")
    }
    try places.require(
      Set(heads.map(\.labels)).count == heads.count, "heads", "a list that names each label set once")
    try optimizer.validate(places)
    try schedule.validate(places, epochs: epochs)
    try places.require((0..<1).contains(loss.labelSmoothing), "loss.labelSmoothing", "at least 0 and below 1")
    try places.require(loss.focalGamma >= 0, "loss.focalGamma", "at least 0")
    try places.require((0...1).contains(teachers.weight), "teachers.weight", "0 to 1")
    try places.require(teachers.temperature > 0, "teachers.temperature", "above 0")
    try augmentation.validate(places)
    try progressive.validate(places)
    try selection.validate(places, key: "selection", heads: heads)
    try earlyStopping.validate(places, heads: heads)
    try places.require(
      !selection.last || (earlyStopping.patience == 0 && schedule.name != .plateau), "selection.last",
      "false with earlyStopping or a schedule that waits for a plateau, which go by the validation part")
    try places.require(split.problem == nil, "split", split.problem ?? "")
    try places.require(folds.count <= 1000, "folds.count", "at most 1,000")
    if let problem = folds.problem { try places.require(false, "folds.\(problem.key)", problem.expected) }
    try places.require(
      seeds.count <= 1000 && Set(seeds).count == seeds.count, "seeds", "a list of at most 1,000 without repeats")
    try balance.validate(places, hasOwnSplit: !split.isOn && !folds.isOn)
    try places.require(freeze >= 0, "freeze", "at least 0")
    try places.require(freeze == 0 || !initialWeights.isEmpty, "freeze", "0 without initialWeights")
    _ = try architecture(places)
  }
}

extension Recipe.Optimizer {
  fileprivate func validate(_ places: RecipePlaces) throws {
    try places.require(learningRate > 0, "optimizer.learningRate", "above 0")
    try places.require((0..<1).contains(momentum), "optimizer.momentum", "at least 0 and below 1")
    try places.require((0..<1).contains(beta1), "optimizer.beta1", "at least 0 and below 1")
    try places.require((0..<1).contains(beta2), "optimizer.beta2", "at least 0 and below 1")
    try places.require((0..<1).contains(rho), "optimizer.rho", "at least 0 and below 1")
    try places.require(epsilon > 0, "optimizer.epsilon", "above 0")
    try places.require(weightDecay >= 0, "optimizer.weightDecay", "at least 0")
    try places.require(gradientClip >= 0, "optimizer.gradientClip", "at least 0")
  }
}

extension Recipe.LearningRateSchedule {
  fileprivate func validate(_ places: RecipePlaces, epochs: Int) throws {
    try places.require(warmupEpochs >= 0, "schedule.warmupEpochs", "at least 0")
    guard warmupEpochs < Double(epochs) else {
      let key = places.isSetting("epochs") ? "epochs" : "schedule.warmupEpochs"
      let count = warmupEpochs == 1 ? "1 epoch" : "\(warmupEpochs.formatted()) epochs"
      throw MienError(
        .argument, places[key],
        "warm-up (\(count)) must be shorter than the run (epochs = \(epochs)): add --set schedule.warmupEpochs=0")
    }
    try places.require((0...1).contains(final), "schedule.final", "0 to 1")
    try places.require((0...1).contains(initial), "schedule.initial", "0 to 1")
    try places.require(factor > 0 && factor <= 1, "schedule.factor", "above 0 and at most 1")
    try places.require(everyEpochs > 0, "schedule.everyEpochs", "above 0")
    try places.require(patienceEpochs >= 1, "schedule.patienceEpochs", "at least 1")
    let inOrder = [0] + restarts.map(\.epoch) + [epochs]
    try places.require(
      zip(inOrder, inOrder.dropFirst()).allSatisfy { $0 < $1 } && restarts.allSatisfy { $0.peak > 0 },
      "schedule.restarts", "a list of {epoch, peak} with rising epochs within the run and peaks above 0")
  }
}
