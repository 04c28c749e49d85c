import Foundation
import MienCore
import MienModels
import MienTorch
import MienTraining
import Testing

/// What must hold for every architecture in the registry.
@Suite @TorchActor struct ModelTests {
  nonisolated static let names = ModelRegistry.architectures.keys.sorted()

  private func network(_ name: String, seed: UInt64 = 1) throws -> FaceNetwork {
    var random = SeededRandom(seed: seed)
    return try ModelRegistry.architecture(named: name).init()
      .network(channels: 1, labels: [.ferplus, .fer2013], random: &random)
  }

  private func faces(_ count: Int) throws -> Tensor {
    var random = SeededRandom(seed: 9)
    return try Tensor((0..<(count * 48 * 48)).map { _ in random.uniform() }, shape: [count, 1, 48, 48])
  }

  @Test(arguments: names) func forwardIsFiniteAndOfTheHeadsShape(_ name: String) throws {
    let logits = try network(name).logits(faces(3), .inference)
    #expect(try logits.map { try $0.shape } == [[3, 8], [3, 7]])
    #expect(try logits.allSatisfy { try $0.floats().allSatisfy(\.isFinite) })
  }

  @Test(arguments: names) func aGradientReachesEveryParameter(_ name: String) throws {
    let network = try network(name)
    let logits = try network.logits(faces(8), .training(seed: 1))
    var random = SeededRandom(seed: 2)
    let losses = try logits.map { logits in
      let weights = try Tensor(
        random.normal(count: logits.shape.reduce(1, *), standardDeviation: 1), shape: logits.shape)
      return try logits.multiplied(by: weights).sum()
    }
    try losses[0].adding(losses[1]).backward()
    for (path, item) in Parameters.state(of: network) {
      guard case .parameter(let parameter) = item else { continue }
      let gradient = try #require(try parameter.value.gradient?.floats(), "\(path) has no gradient")
      #expect(gradient.allSatisfy(\.isFinite) && gradient.contains { $0 != 0 }, "\(path)")
    }
  }

  @Test(arguments: names) func aSeedGivesItsWeights(_ name: String) throws {
    let faces = try faces(2)
    let first = try network(name).logits(faces, .inference)[0].floats()
    #expect(try network(name).logits(faces, .inference)[0].floats() == first)
    #expect(try network(name, seed: 2).logits(faces, .inference)[0].floats() != first)
  }

  @Test(arguments: names) func aBatchIsItsFacesOneByOne(_ name: String) throws {
    let network = try network(name)
    let pixels = try faces(3)
    let together = try network.logits(pixels, .inference)[1].floats()
    let single = try (0..<3).flatMap { try network.logits(pixels.rows(Tensor(indices: [$0])), .inference)[1].floats() }
    #expect(zip(together, single).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func anUnknownArchitectureIsNamedWithTheKnown() {
    let error = #expect(throws: MienError.self) { try ModelRegistry.architecture(named: "vgg") }
    #expect(error?.description.contains("mien-s") == true)
  }
}
