import Foundation
import MienCore
import MienInference
import MienTestSupport
import Testing

/// The built-in models are the files in `models/`, and do what their cards say.
@Suite struct BuiltInModelsTests {
  @Test(arguments: BuiltInModels.names) func cardNamesWhatIsNeededToUseAndToDoubtIt(_ name: String) throws {
    let card = try BuiltInModels.model(named: name).card()
    #expect(card.name == name)
    #expect(card.outputs.map(\.name) == ["ferplus", "fer2013"])
    #expect(try card.labelSets() == [.ferplus, .fer2013])
    #expect(card.preprocessing == Preprocessing(width: 48, height: 48, channels: 1, equalize: false))
    #expect(card.training.contains { $0.source == "fer2013" && $0.split == "train" && $0.count == 28_709 })
    #expect(card.measurements.map(\.count) == [3199, 3589])
  }

  @Test(.enabled(if: Shared.has("data/fer2013/fer2013.csv.xz"), "needs FER2013 beside the checkout"))
  func evaluateMeasuresWhatTheCardSays() throws {
    let folder = try TemporaryFolder()
    let faces = folder.file("fer2013.safetensors").path
    let imported = try Command.run(
      "/bin/bash",
      [
        "-c", "set -o pipefail; xz -dc \"$1\" | \"$2\" dataset import fer2013 - --votes \"$3\" -o \"$4\"", "import",
        Shared.url("data/fer2013/fer2013.csv.xz").path, Command.mien.path,
        Shared.url("data/fer2013/fer2013new.csv").path, faces,
      ])
    #expect(imported.status == 0, "\(imported.errors)")
    let cards = try BuiltInModels.names.map { try BuiltInModels.model(named: $0).card() }
    for (card, measurement) in cards.flatMap({ card in card.measurements.map { (card, $0) } }) {
      let evaluated = try Command.mien(
        "evaluate", "--model", card.name, "--data", faces, "--split", measurement.split, "--labels", measurement.labels,
        "--json", "-")
      #expect(evaluated.status == 0, "\(evaluated.errors)")
      let report = try #require(
        JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) as? [String: Any])
      #expect(report["count"] as? Int == measurement.count)
      #expect(report["weightsSHA256"] as? String == card.weightsSHA256)
      // One face in 3,199 may fall the other way between libtorch and OpenVINO.
      let accuracy = try #require(report["accuracy"] as? Double)
      #expect(abs(accuracy - measurement.accuracy) < 0.0007)
    }
  }
}
