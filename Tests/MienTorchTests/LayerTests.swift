import MienCore
import MienTorch
import Testing

func close(_ a: [Float], _ b: [Float], within tolerance: Float = 1e-5) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
}

@Suite @TorchActor struct LayerTests {
  @Test func convolutionEqualsTheSumItIs() throws {
    var random = SeededRandom(seed: 3)
    let layer = try Conv2d(2, 3, kernel: 3, stride: 2, random: &random)
    let pixels = random.normal(count: 2 * 5 * 5, standardDeviation: 1)
    let weights = try layer.weight.value.floats()
    var expected: [Float] = []
    for o in 0..<3 {
      for y in 0..<3 {
        for x in 0..<3 {
          var sum: Float = 0
          for c in 0..<2 {
            for ky in 0..<3 {
              for kx in 0..<3 {
                let (row, column) = (y * 2 + ky - 1, x * 2 + kx - 1)
                guard (0..<5).contains(row), (0..<5).contains(column) else { continue }
                sum += weights[((o * 2 + c) * 3 + ky) * 3 + kx] * pixels[(c * 5 + row) * 5 + column]
              }
            }
          }
          expected.append(sum)
        }
      }
    }
    let result = try layer(Tensor(pixels, shape: [1, 2, 5, 5]), .inference)
    #expect(try result.shape == [1, 3, 3, 3])
    #expect(try close(result.floats(), expected, within: 1e-4))
  }

  @Test func batchNormNormalisesWhileTrainingAndFollowsItsStatisticsAfter() throws {
    let layer = try BatchNorm(1, momentum: 1, epsilon: 0)
    let input = try Tensor([1, 3], shape: [2, 1, 1, 1])
    #expect(try close(layer(input, .training(seed: 0)).floats(), [-1, 1]))
    // Running variance is the unbiased one: 2.
    #expect(try layer.runningMean.value.floats() == [2] && layer.runningVariance.value.floats() == [2])
    #expect(try close(layer(input, .inference).floats(), [-0.70710678, 0.70710678]))
  }

  @Test func poolsTakeMaximumAndMean() throws {
    let input = try Tensor([1, 2, 3, 6], shape: [1, 1, 2, 2])
    #expect(try Pool2d(.max, kernel: 2)(input, .inference).floats() == [6])
    #expect(try Pool2d(.average, kernel: 2)(input, .inference).floats() == [3])
    #expect(try Pool2d(.average, kernel: 3, stride: 1, padding: 1)(input, .inference).floats() == [3, 3, 3, 3])
    #expect(try GlobalAveragePool()(input, .inference).shape == [1, 1])
  }

  @Test func dropoutIsItsSeedsAndOnlyWhileTraining() throws {
    let layer = Dropout(0.25)
    let input = try Tensor.full([4000], 1)
    let first = try layer(input, .training(seed: 7)).floats()
    #expect(try layer(input, .training(seed: 7)).floats() == first)
    #expect(try layer(input, .training(seed: 8)).floats() != first)
    #expect(try layer(input, .inference).floats() == [Float](repeating: 1, count: 4000))
    #expect(Set(first) == [0, 1 / 0.75])
    #expect((800...1200).contains(first.filter { $0 == 0 }.count))
  }

  @Test func residualAddsItsShortcut() throws {
    // A body whose last scale is 0 leaves the shortcut alone, rectified.
    var random = SeededRandom(seed: 1)
    let body = Sequential([try Conv2d(1, 1, kernel: 3, bias: false, random: &random), try BatchNorm(1, scale: 0)])
    let input = try Tensor([-1, 2, 3, -4], shape: [1, 1, 2, 2])
    #expect(try Residual(body)(input, .inference).floats() == [0, 2, 3, 0])
  }

  @Test func squeezeExciteScalesWholeChannels() throws {
    var random = SeededRandom(seed: 1)
    let layer = try SqueezeExcite(8, random: &random)
    let values = (0..<32).map { Float($0 + 1) }
    let result = try layer(Tensor(values, shape: [1, 8, 2, 2]), .inference).floats()
    for channel in 0..<8 {
      let ratios = (0..<4).map { result[channel * 4 + $0] / values[channel * 4 + $0] }
      #expect(ratios.allSatisfy { $0 > 0 && $0 < 1 && abs($0 - ratios[0]) < 1e-6 })
    }
  }

  @Test func stateIsNamedByPropertyPaths() throws {
    var random = SeededRandom(seed: 1)
    let layer = Sequential([try Linear(2, 3, random: &random), try BatchNorm(3)])
    #expect(
      Parameters.state(of: layer).map(\.name) == [
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "layers.1.runningMean",
        "layers.1.runningVariance",
      ])
  }
}

@Suite @TorchActor struct TensorTests {
  @Test func warpByTheIdentityChangesNothingAndByAFlipMirrors() throws {
    let input = try Tensor([1, 2, 3, 4, 5, 6], shape: [1, 1, 2, 3])
    let same = try Tensor([1, 0, 0, 0, 1, 0], shape: [1, 2, 3])
    let mirrored = try Tensor([-1, 0, 0, 0, 1, 0], shape: [1, 2, 3])
    #expect(try close(input.warped(same, fill: .nearest).floats(), [1, 2, 3, 4, 5, 6]))
    #expect(try close(input.warped(mirrored, fill: .nearest).floats(), [3, 2, 1, 6, 5, 4]))
  }

  @Test func fillDecidesWhatIsOutside() throws {
    let input = try Tensor([1, 2, 3, 4], shape: [1, 1, 1, 4])
    let shifted = try Tensor([1, 0, 1, 0, 1, 0], shape: [1, 2, 3])
    #expect(try close(input.warped(shifted, fill: .nearest).floats(), [3, 4, 4, 4]))
    #expect(try close(input.warped(shifted, fill: .constant).floats(), [3, 4, 0, 0]))
    #expect(try close(input.warped(shifted, fill: .reflect).floats(), [3, 4, 4, 3]))
  }

  @Test func gradientModeIsRestoredAfterAnError() throws {
    let parameter = try Parameter(.full([1], 2), decays: false)
    #expect(throws: MienError.self) {
      try Tensor.withGradients(false) { _ = try parameter.value.reshaped([3]) }
    }
    try parameter.value.multiplied(by: parameter.value).sum().backward()
    #expect(try parameter.value.gradient?.floats() == [4])
  }

  @Test func aMismatchNamesLibtorch() throws {
    let error = #expect(throws: MienError.self) { try Tensor.full([2], 0).adding(.full([3], 0)) }
    #expect(error?.kind == .native && error?.subject == "libtorch")
  }
}
