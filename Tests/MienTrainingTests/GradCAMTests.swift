import Foundation
import MienCore
import MienInference
import MienTestSupport
import MienTorch
import MienTraining
import Testing

@Suite(.serialized) @TorchActor struct GradCAMTests {
  private func trained(_ settings: [String]) throws -> (run: RunFolder, folder: TemporaryFolder) {
    let folder = try TemporaryFolder()
    let set = try DrawnFaces.set(count: 70, split: { $0 < 49 ? .train : .validation })
    let run = try RunFolder(
      creating: folder.file("run"), recipe: DrawnFaces.recipe(epochs: 2, settings: settings))
    try Trainer(run: run, sets: [set], observers: []).run(shouldStop: { false })
    return (run, folder)
  }

  @Test func overALinearHeadItIsTheExportedModelsActivationMap() throws {
    let (run, folder) = try trained([])
    defer { withExtendedLifetime(folder) {} }
    let inputs = try ManyFaces.inputs(count: 5)
    let classifier = try EmotionClassifier(model: ModelExport.model(of: run))
    for labels in [LabelSet.ferplus, .fer2013] {
      let found = try GradCAM(run: run, labels: labels.name).maps(of: labels.emotions, for: inputs, count: 5)
      let expected = try classifier.maps(
        of: labels.emotions, for: inputs, count: 5, labels: labels, method: .cam)
      #expect(found.count == 5)
      for (face, other) in zip(found, expected) {
        for (a, b) in zip(face.maps, other.maps) {
          #expect(a.emotion == b.emotion)
          #expect(zip(a.values, b.values).allSatisfy { abs($0 - $1) < 2e-3 })
        }
        // Maps of zeros would agree too.
        #expect(face.maps.contains { $0.values.max() == 1 })
      }
    }
  }

  @Test(arguments: [("chen", "{}"), ("gao", "{filters: [[32, 32], [64, 64], [128, 128]]}")])
  func otherNetworksHaveOne(architecture: String, options: String) throws {
    let channels = architecture == "chen" ? 3 : 1
    let (run, folder) = try trained([
      "model.options=\(options)", "model.architecture=\(architecture)", "model.channels=\(channels)", "epochs=1",
      "heads=[{labels: fer2013, weight: 1}]", "optimizer={name: adam, learningRate: 0.001}",
    ])
    defer { withExtendedLifetime(folder) {} }
    let grey = try ManyFaces.inputs(count: 2)
    let inputs = (0..<2).flatMap { face in
      (0..<channels).flatMap { _ in grey[(face * 2304)..<((face + 1) * 2304)] }
    }
    let explainer = try GradCAM(run: run)
    let found = try explainer.maps(of: [], for: inputs, count: 2)
    #expect(found.map { $0.maps.map(\.emotion) } == found.map { [$0.distribution.top.emotion] })
    let all = try explainer.maps(of: LabelSet.fer2013.emotions, for: inputs, count: 2)
    for face in all {
      #expect(face.maps.count == 7 && face.maps.contains { $0.values.max() == 1 })
      #expect(Set(face.maps.map(\.values)).count > 3, "emotions have maps of their own")
    }
    // A face does not feel its batch.
    let alone = try explainer.maps(of: [], for: Array(inputs.prefix(inputs.count / 2)), count: 1)
    #expect(zip(alone[0].maps[0].values, found[0].maps[0].values).allSatisfy { abs($0 - $1) < 1e-3 })
    // The model that is exported has no class activation maps, and says so.
    let classifier = try EmotionClassifier(model: ModelExport.model(of: run))
    #expect(classifier.mapMethods() == [.occlusion])
  }

  @Test func whatTheRunDoesNotHaveIsRefused() throws {
    let (run, folder) = try trained(["epochs=1"])
    defer { withExtendedLifetime(folder) {} }
    let error = #expect(throws: MienError.self) { try GradCAM(run: run, labels: "ckplus48") }
    #expect(error?.description.contains("ferplus, fer2013") == true)
    let explainer = try GradCAM(run: run, labels: "fer2013")
    #expect(throws: MienError.self) { try explainer.maps(of: [.contempt], for: [], count: 1) }
    #expect(try explainer.maps(of: [], for: [], count: 0).isEmpty)
  }
}
