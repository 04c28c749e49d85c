import Foundation
import MienCore
import MienTorch
import Testing

@Suite @TorchActor struct ActivationTests {
  nonisolated private static let points: [Float] = [-6, -2.5, -1, -0.3, 0.2, 1, 3, 7]

  /// `layer`'s values at the points, and its derivatives there.
  private func measure(_ layer: any Layer) throws -> (values: [Float], derivatives: [Float]) {
    let input = try Parameter(Tensor(Self.points, shape: [1, 2, 2, 2]), decays: false).value
    // A product in between, since a layer may overwrite its input.
    let output = try layer(input.scaled(by: 1), .training(seed: 0))
    try output.sum().backward()
    let gradient = try #require(try input.gradient)
    return (try output.floats(), try gradient.floats())
  }

  /// The formula of `activation` in double precision; channel 0 is the first half of the points.
  nonisolated private static func formula(_ activation: Activation, _ x: Double, isFirst: Bool) -> Double {
    switch activation {
    case .relu: max(0, x)
    case .leakyReLU: x > 0 ? x : 0.01 * x
    case .parametricReLU: x > 0 ? x : (isFirst ? 0.25 : -0.5) * x
    case .silu: x / (1 + exp(-x))
    case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
    }
  }

  @Test(arguments: Activation.allCases) func valuesAndDerivativesAreThoseOfTheFormula(_ activation: Activation) throws {
    let layer = try activation.layer(2, ofMaps: true)
    if let layer = layer as? ParametricReLU {
      try layer.slopes.value.copyInPlace(Tensor([0.25, -0.5], shape: [2, 1, 1]))
    }
    let (values, derivatives) = try measure(layer)
    for (index, point) in Self.points.enumerated() {
      func f(_ x: Double) -> Double { Self.formula(activation, x, isFirst: index < 4) }
      let x = Double(point)
      #expect(abs(Double(values[index]) - f(x)) < 1e-5, "at \(x)")
      #expect(abs(Double(derivatives[index]) - (f(x + 1e-5) - f(x - 1e-5)) / 2e-5) < 1e-4, "at \(x)")
    }
  }

  @Test func slopesAreLearnedAChannelInMapsAndVectors() throws {
    for ofMaps in [true, false] {
      let layer = try ParametricReLU(2, ofMaps: ofMaps, slope: 0.1)
      let shape = ofMaps ? [1, 2, 2, 1] : [2, 2]
      // By rows of a map, or by columns of vectors.
      let input = try Tensor(ofMaps ? [-1, 2, -3, -4] : [-1, -3, 2, -4], shape: shape)
      let output = try layer(input, .training(seed: 0))
      #expect(try close(output.floats(), ofMaps ? [-0.1, 2, -0.3, -0.4] : [-0.1, -0.3, 2, -0.4]))
      try output.sum().backward()
      #expect(try layer.slopes.value.gradient?.floats() == [-1, -7])
      #expect(!layer.slopes.decays)
    }
  }

  @Test func onlyActivationsThatNeverFallChangePlacesWithAMaximum() throws {
    let rising = Activation.allCases.filter { $0.isNonDecreasing }
    #expect(rising == [.relu, .leakyReLU])
    let input = try Tensor(Self.points, shape: [8, 1])
    for activation in rising {
      let layer = try activation.layer(1, ofMaps: false)
      let values = try layer(input.scaled(by: 1), .inference).floats()
      #expect(values == values.sorted())
    }
  }
}
