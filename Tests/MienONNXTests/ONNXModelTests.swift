import Foundation
import MienCore
import MienONNX
import MienTestSupport
import Testing

@Suite struct ONNXModelTests {
  @Test func writtenModelReadsBackWithItsCard() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("mien-\(UUID()).onnx")
    defer { try? FileManager.default.removeItem(at: url) }
    let model = try TinyGraph.model()
    try model.write(to: url)
    let back = try ONNXModel(contentsOf: url)
    #expect(back.data == model.data)
    var expected = TinyGraph.card
    expected.weightsSHA256 = model.weightsSHA256
    #expect(try back.card() == expected)
    #expect(back.inputs.map(\.name) == ["faces"])
    #expect(back.inputs[0].shape == [.dynamic("N"), .fixed(1), .fixed(48), .fixed(48)])
    #expect(back.outputs.map(\.name) == ["ferplus", "embedding"])
  }

  @Test func hashFollowsWeightsAndNotTheCard() throws {
    let model = try TinyGraph.model()
    #expect(model.weightsSHA256.count == 64)
    #expect(try TinyGraph.model().weightsSHA256 == model.weightsSHA256)
    #expect(try TinyGraph.model(seed: 2).weightsSHA256 != model.weightsSHA256)
    var card = try model.card()
    card.summary = "Another summary."
    let renamed = try model.replacingCard(card)
    #expect(renamed.weightsSHA256 == model.weightsSHA256)
    #expect(renamed.data != model.data)
    #expect(try renamed.card().summary == "Another summary.")
  }

  /// Field 99 of the model, which the subset does not know, with two bytes of content.
  static let unknownField = Data([0x9A, 0x06, 0x02, 0xAB, 0xCD])

  @Test func unknownFieldsSurvive() throws {
    let model = try ONNXModel(data: TinyGraph.model().data + Self.unknownField)
    let rewritten = try model.replacingCard(TinyGraph.card)
    #expect(rewritten.data.range(of: Self.unknownField) != nil)
    #expect(rewritten.weightsSHA256 != (try TinyGraph.model().weightsSHA256))
  }

  @Test func changedWeightIsNoticed() throws {
    let model = try TinyGraph.model()
    let other = try TinyGraph.model(seed: 2)
    var bytes = model.data
    let weight = try #require(Self.firstWeights(model))
    let replacement = try #require(Self.firstWeights(other))
    let range = try #require(bytes.range(of: weight))
    bytes.replaceSubrange(range, with: replacement)
    let changed = try ONNXModel(data: bytes)
    let error = #expect(throws: MienError.self) { try changed.card() }
    #expect(error?.kind == .mismatch)
    #expect(error?.message.contains(model.weightsSHA256) == true)
  }

  /// The bytes of the head's bias, the last values drawn.
  private static func firstWeights(_ model: ONNXModel) -> Data? {
    guard let name = model.data.range(of: Data("stem.weight".utf8), in: model.data.startIndex..<model.data.endIndex),
      let initializer = model.data.range(of: Data("stem.weight".utf8), in: name.upperBound..<model.data.endIndex)
    else { return nil }
    // Tag and length of raw_data stand between name and values: 0x4A, 144 as two bytes.
    let start = initializer.upperBound + 3
    return model.data[start..<(start + 144)]
  }

  @Test(arguments: [
    ("empty", Data()), ("text", Data("These are not the weights you are looking for.\n".utf8)),
    ("picture", Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])), ("zeros", Data(count: 64)),
  ])
  func otherBytesAreRefused(_ name: String, _ bytes: Data) {
    let error = #expect(throws: MienError.self) { try ONNXModel(data: bytes) }
    #expect(error?.kind == .format)
  }

  @Test func everyTruncationIsRefused() throws {
    let model = try TinyGraph.model()
    for length in stride(from: 0, to: model.data.count, by: 7) {
      #expect(throws: MienError.self, "\(length) bytes") {
        try ONNXModel(data: model.data.prefix(length)).card()
      }
    }
  }

  @Test func missingFileAndFolderAreNamed() {
    let missing = URL(fileURLWithPath: "/nowhere/model.onnx")
    let error = #expect(throws: MienError.self) { try ONNXModel(contentsOf: missing) }
    #expect(error == MienError(.missing, "/nowhere/model.onnx", "no such file"))
    let folder = #expect(throws: MienError.self) { try ONNXModel(contentsOf: URL(fileURLWithPath: "/tmp")) }
    #expect(folder?.message == "is a folder, expected a file")
  }

  @Test func modelOfSomeoneElseIsNoMienModel() throws {
    // A model of one Identity node, written by hand in the wire format.
    func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] { [UInt8(number << 3 | 2), UInt8(bytes.count)] + bytes }
    let node = field(1, Array("a".utf8)) + field(2, Array("b".utf8)) + field(4, Array("Identity".utf8))
    let foreign = Data([0x08, 8] + field(7, field(1, node)) + field(8, [0x10, 17]))
    let error = #expect(throws: MienError.self) { try ONNXModel(data: foreign).card() }
    #expect(error?.message.hasPrefix("not a Mien model") == true)
  }
}
