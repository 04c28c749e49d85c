import Foundation
import MienCore
import MienInference
import MienONNX
import MienTestSupport
import MienVision
import Testing

@Suite struct ModelStoreTests {
  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mien-models-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try TinyGraph.model().write(to: folder.appendingPathComponent("tiny.onnx"))
    try Data("no model".utf8).write(to: folder.appendingPathComponent("broken.onnx"))
    try Data("no model".utf8).write(to: folder.appendingPathComponent("notes.txt"))
    return folder
  }

  @Test func modelsAreFoundByNameAndPath() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = ModelStore(folders: [folder])
    let hash = try TinyGraph.model().weightsSHA256
    #expect(try store.model(named: "tiny").weightsSHA256 == hash)
    #expect(try store.model(named: folder.appendingPathComponent("tiny.onnx").path).weightsSHA256 == hash)
    #expect(try store.model(named: nil).data == BuiltInModels.model().data)
    let name = try BuiltInModels.model().card().name
    #expect(try store.model(named: name).data == BuiltInModels.model().data)
  }

  @Test func entriesSayWhatCannotBeUsed() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let entries = ModelStore(folders: [folder, folder.appendingPathComponent("missing")]).entries()
    #expect(entries.dropFirst().map(\.name) == ["broken", "tiny"])
    #expect(throws: MienError.self) { try entries[1].card.get() }
    #expect(try entries[2].card.get().name == "tiny")
  }

  @Test func unknownNamesAreAnsweredWithTheKnown() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let error = #expect(throws: MienError.self) { try ModelStore(folders: [folder]).model(named: "mood") }
    #expect(error?.kind == .argument && error?.message.contains("tiny") == true)
    let missing = #expect(throws: MienError.self) { try ModelStore(folders: []).model(named: "no/such.onnx") }
    #expect(missing?.kind == .missing)
    try Data("name: mine\n".utf8).write(to: folder.appendingPathComponent("recipe.yaml"))
    let run = #expect(throws: MienError.self) { try ModelStore(folders: []).model(named: folder.path) }
    let best = folder.appendingPathComponent("checkpoints/best.safetensors").path
    let checkpoint = #expect(throws: MienError.self) { try ModelStore(folders: []).model(named: best) }
    #expect(
      checkpoint?.subject == best && checkpoint?.message.hasPrefix("is a checkpoint of a run, expected") == true
        && checkpoint?.message.contains("`mien export \(folder.path) -o") == true, "\(checkpoint as Any)")
    let photo = folder.appendingPathComponent("photo.jpg")
    try Data([0xFF, 0xD8, 0xFF, 0xE0]).write(to: photo)
    let picture = #expect(throws: MienError.self) { try ModelStore(folders: []).model(named: photo.path) }
    #expect(picture?.message == "is a JPEG picture, expected an ONNX model")
    #expect(run?.subject == folder.path && run?.message.contains("`mien export \(folder.path) -o") == true)
  }

  @Test func cacheFolderComesFromTheEnvironment() {
    #expect(ModelStore(environment: ["MIEN_CACHE": "/somewhere"]).folders.map(\.path) == ["/somewhere/models"])
    #expect(ModelStore(environment: [:]).folders.first?.path.hasSuffix("/.cache/mien/models") == true)
  }
}

/// The models that ship inside the program.
@Suite struct BuiltInModelsTests {
  @Test(arguments: BuiltInModels.names) func cardFitsTheContract(_ name: String) throws {
    let model = try BuiltInModels.model(named: name)
    let card = try EmotionClassifier(model: model).card
    #expect(card.name == name)
    #expect(card.weightsSHA256 == model.weightsSHA256)
    #expect(try card.labelSets() == [.ferplus, .fer2013])
    #expect(card.preprocessing == Preprocessing())
    #expect(model.data.count <= 8_000_000)
    #expect(model.outputs.map(\.name).contains("embedding") && model.outputs.map(\.name).contains("features"))
  }

  @Test(.enabled(if: Shared.has("media/obama.jpg"), "needs ../shared/media"))
  func smilingPhotoIsHappiness() async throws {
    let recognizer = try Recognizer(classifier: .default(), detector: NetworkDetector())
    let image = try Image(contentsOf: Shared.url("media/obama.jpg"))
    let readings = try await recognizer.readings(in: image)
    #expect(readings.map(\.emotion) == [.happiness])
  }
}
