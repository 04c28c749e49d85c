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

  /// The way back draws the mask anew: it must be the same one, whatever layout the gradient comes in.
  @Test(arguments: [false, true]) func dropoutLetsGradientsThroughWhereItLetValuesThrough(reordered: Bool) throws {
    let input = try Tensor.full([2, 16, 6, 6], 1)
    try input.requireGradientInPlace()
    let output = try Dropout(0.25)(input.channelsLast(), .training(seed: 7))
    let kept = try output.floats()
    #expect(Set(kept) == [0, 1 / 0.75])
    let twos = try Tensor.full([2, 16, 6, 6], 2)
    try output.multiplied(by: reordered ? twos : twos.channelsLast()).sum().backward()
    #expect(try input.gradient?.floats() == kept.map { $0 * 2 })
    let neighbours = zip(kept, kept.dropFirst()).count { $0 == 0 && $1 == 0 }
    #expect((35...115).contains(neighbours), "a sixteenth of pairs when draws are independent, found \(neighbours)")
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

  @Test func depthwiseConvolutionLeavesChannelsAlone() throws {
    var random = SeededRandom(seed: 4)
    let layer = try Conv2d.depthwise(3, kernel: 3, stride: 2, random: &random)
    #expect(try layer.weight.value.shape == [3, 1, 3, 3])
    let pixels = random.normal(count: 3 * 6 * 6, standardDeviation: 1)
    let result = try layer(Tensor(pixels, shape: [1, 3, 6, 6]).channelsLast(), .inference)
    #expect(try result.shape == [1, 3, 3, 3])
    let weights = try layer.weight.value.floats()
    for channel in 0..<3 {
      let single = try Conv2d(1, 1, kernel: 3, stride: 2, random: &random)
      try single.weight.value.copyInPlace(Tensor(Array(weights[(channel * 9)...].prefix(9)), shape: [1, 1, 3, 3]))
      let alone = try single(Tensor(Array(pixels[(channel * 36)...].prefix(36)), shape: [1, 1, 6, 6]), .inference)
      #expect(try close(Array(result.floats()[(channel * 9)...].prefix(9)), alone.floats(), within: 1e-5))
    }
  }

  @Test(arguments: [(0, 4, 3, 1), (4, 0, 3, 1), (4, 4, 0, 1), (4, 6, 3, 4), (6, 4, 3, 4), (4, 4, 3, 0)])
  func aConvolutionOfImpossibleSizesIsRefused(_ input: Int, _ output: Int, _ kernel: Int, _ groups: Int) {
    var random = SeededRandom(seed: 1)
    let error = #expect(throws: MienError.self) {
      try Conv2d(input, output, kernel: kernel, groups: groups, random: &random)
    }
    #expect(error?.kind == .argument)
  }

  @Test func penaltiesBelongToTheWeightsThatAskForThem() throws {
    var random = SeededRandom(seed: 1)
    let layer = Sequential([
      try Conv2d(1, 2, kernel: 3, l2: 0.01, random: &random), try Conv2d(2, 2, kernel: 3, random: &random),
      try Linear(2, 3, l2: 0.5, random: &random), try Conv2d.depthwise(3, kernel: 3, l2: 2, random: &random),
    ])
    let penalties = Parameters.state(of: layer).compactMap {
      if case .parameter(let parameter) = $0.item { parameter.l2 } else { nil }
    }
    #expect(penalties == [0.01, 0, 0, 0, 0.5, 0, 2, 0])
  }

  /// A branch that gives its input unchanged.
  private func identity() throws -> Sequential {
    var random = SeededRandom(seed: 1)
    let layer = try Conv2d(1, 1, kernel: 1, bias: false, random: &random)
    try layer.weight.value.copyInPlace(.full([1, 1, 1, 1], 1))
    return Sequential([layer])
  }

  @Test func stochasticDepthDropsTheBranchOfWholeSamplesAndKeepsTheMean() throws {
    let layer = Residual(try identity(), dropProbability: 0.2)
    let input = try Tensor.full([4000, 1, 1, 2], 1)
    let trained = try layer(input, .training(seed: 5)).floats()
    // Kept: 1 + 1 / 0.8. Dropped: the shortcut alone.
    #expect(Set(trained) == [1, 2.25])
    #expect(stride(from: 0, to: 8000, by: 2).allSatisfy { trained[$0] == trained[$0 + 1] })
    #expect((600...1000).contains(trained.filter { $0 == 1 }.count / 2))
    #expect(try layer(input, .training(seed: 5)).floats() == trained)
    #expect(try layer(input, .training(seed: 6)).floats() != trained)
    #expect(try Set(layer(input, .inference).floats()) == [2])
    #expect(try Set(Residual(identity())(input, .training(seed: 5)).floats()) == [2])
  }

  @Test func aDroppedBranchGetsNoGradient() throws {
    let body = try identity()
    let layer = Residual(body, dropProbability: 0.2)
    let input = try Tensor.full([100, 1, 1, 1], 1)
    let output = try layer(input, .training(seed: 5))
    try output.sum().backward()
    let kept = try output.floats().filter { $0 > 1 }.count
    let weight = try #require(Parameters.state(of: body).first?.item.value)
    #expect(try close(weight.gradient?.floats() ?? [], [Float(kept) / 0.8], within: 1e-3))
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

  @Test func warpToAnotherSideSamplesTheSamePlaces() throws {
    let input = try Tensor([1, 2, 3, 4], shape: [1, 1, 2, 2])
    let same = try Tensor([1, 0, 0, 0, 1, 0], shape: [1, 2, 3])
    let single = try input.warped(same, fill: .nearest, side: 1)
    #expect(try single.shape == [1, 1, 1, 1] && close(single.floats(), [2.5]))
    let rows = try input.warped(same, fill: .nearest, side: 4).floats()
    #expect(close(Array(rows.prefix(4)), [1, 1.25, 1.75, 2]) && close(Array(rows.suffix(4)), [3, 3.25, 3.75, 4]))
    #expect(throws: MienError.self) { try Tensor.full([4], 1).warped(same, fill: .nearest) }
  }

  @Test func normalNumbersAreThoseOfTheirSeed() throws {
    let shape = try Tensor.full([100, 1, 10, 10], 0)
    let values = try shape.normalNumbers(seed: 3).floats()
    let mean = values.reduce(0, +) / Float(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)
    #expect(abs(mean) < 0.05 && abs(variance - 1) < 0.05)
    #expect(try values == shape.normalNumbers(seed: 3).floats())
    #expect(try values != shape.normalNumbers(seed: 4).floats())
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
