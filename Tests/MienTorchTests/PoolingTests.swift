import MienCore
import MienTorch
import Testing

@Suite @TorchActor struct PoolingTests {
  @Test func poolsTakeMaximumAndMean() throws {
    let input = try Tensor([1, 2, 3, 6], shape: [1, 1, 2, 2])
    #expect(try Pool2d(.max, kernel: 2)(input, .inference).floats() == [6])
    #expect(try Pool2d(.average, kernel: 2)(input, .inference).floats() == [3])
    #expect(try Pool2d(.average, kernel: 3, stride: 1, padding: 1)(input, .inference).floats() == [3, 3, 3, 3])
    #expect(try GlobalAveragePool()(input, .inference).shape == [1, 1])
  }

  @Test func globalMaximumIsOneAChannelAndSharesItsGradientAmongEquals() throws {
    let input = try Parameter(Tensor([1, 4, 4, -1, -5, -2, -3, -4], shape: [1, 2, 2, 2]), decays: false).value
    let output = try GlobalMaxPool()(input, .inference)
    #expect(try output.shape == [1, 2] && output.floats() == [4, -2])
    try output.sum().backward()
    #expect(try input.gradient?.floats() == [0, 0.5, 0.5, 0, 0, 1, 0, 0])
  }

  /// Graham's windows and their maxima, slowly; `samples` is [N, C, 2]: columns, rows.
  /// Odd sides lose their last row and column; layouts and numbers of channels take different ways inside.
  @Test(arguments: [(1, 4, 6), (3, 5, 7), (16, 6, 4), (6, 9, 9)], [false, true])
  func maximaOf2x2AndTheirGradientsEqualTheDefinition(_ size: (Int, Int, Int), channelsLast: Bool) throws {
    let (channels, height, width) = size
    var random = SeededRandom(seed: 5)
    let count = 2 * channels * height * width
    // Few values, so that windows have ties: the first of them wins.
    let values = (0..<count).map { _ in Float(Int.random(in: -3...3, using: &random)) }
    let shape = [2, channels, height, width]
    let plain = try Tensor(values, shape: shape)
    try plain.requireGradientInPlace()
    let (rows, columns) = (height / 2, width / 2)
    let factors = (0..<(2 * channels * rows * columns)).map { Float($0 + 1) }
    var expected: [Float] = []
    var gradient = [Float](repeating: 0, count: count)
    for map in 0..<(2 * channels) {
      for (row, column) in (0..<rows).flatMap({ row in (0..<columns).map { (row, $0) } }) {
        let corner = (map * height + 2 * row) * width + 2 * column
        let places = [corner, corner + 1, corner + width, corner + width + 1]
        let best = places.reduce(corner) { values[$1] > values[$0] ? $1 : $0 }
        gradient[best] += factors[expected.count]
        expected.append(values[best])
      }
    }
    let input = channelsLast ? try plain.channelsLast() : plain
    let output = try Pool2d(.max, kernel: 2)(input, .inference)
    #expect(try output.shape == [2, channels, rows, columns])
    #expect(try output.floats() == expected)
    try output.multiplied(by: Tensor(factors, shape: [2, channels, rows, columns])).sum().backward()
    #expect(try plain.gradient?.floats() == gradient)
  }

  private func slowlyPooled(
    _ pixels: [Float], maps: Int, from input: Int, to output: Int, kernel: Int, samples: [Float]
  ) -> (values: [Float], winners: [Int]) {
    func starts(_ sample: Float) -> [Int] {
      let step = Float(input - kernel) / Float(output - 1)
      return (0..<output).map {
        $0 == output - 1 ? input - kernel : Int((Float($0) + sample) * step) - Int(sample * step)
      }
    }
    var values: [Float] = []
    var winners: [Int] = []
    for map in 0..<maps {
      for row in starts(samples[map * 2 + 1]) {
        for column in starts(samples[map * 2]) {
          let window = (0..<(kernel * kernel)).map {
            (map * input + row + $0 / kernel) * input + column + $0 % kernel
          }
          let winner = window.max { pixels[$0] < pixels[$1] } ?? 0
          values.append(pixels[winner])
          winners.append(winner)
        }
      }
    }
    return (values, winners)
  }

  @Test(arguments: [(12, 8, 2), (48, 33, 2), (7, 6, 2), (9, 4, 3), (11, 7, 3), (3, 2, 2)])
  func fractionalPoolingEqualsItsDefinition(_ input: Int, _ output: Int, _ kernel: Int) throws {
    let layer = try FractionalMaxPool2d(from: input, to: output, kernel: kernel)
    var random = SeededRandom(seed: 2)
    let pixels = random.normal(count: 2 * 3 * input * input, standardDeviation: 1)
    func slow(_ samples: [Float]) -> (values: [Float], winners: [Int]) {
      slowlyPooled(pixels, maps: 6, from: input, to: output, kernel: kernel, samples: samples)
    }

    let faces = try Parameter(Tensor(pixels, shape: [2, 3, input, input]), decays: false).value
    let pooled = try layer(faces.channelsLast(), .inference)
    #expect(try pooled.shape == [2, 3, output, output])
    #expect(try pooled.floats() == slow([Float](repeating: 0.5, count: 12)).values)

    var draws = SeededRandom(seed: 31)
    let samples = (0..<12).map { _ in draws.uniform() }
    let trained = try layer(faces.channelsLast(), .training(seed: 31))
    let expected = slow(samples)
    #expect(try trained.floats() == expected.values)
    // Each output's gradient goes to the pixel that won; windows overlap, so one may win several times.
    try trained.sum().backward()
    var wins = [Float](repeating: 0, count: pixels.count)
    for winner in expected.winners { wins[winner] += 1 }
    #expect(try faces.gradient?.floats() == wins)
  }

  @Test func fractionalPoolingIsRandomOnlyWhileTraining() throws {
    let layer = try FractionalMaxPool2d(from: 24, to: 17)
    var random = SeededRandom(seed: 2)
    let input = try Tensor(random.normal(count: 8 * 24 * 24, standardDeviation: 1), shape: [1, 8, 24, 24])
    let first = try layer(input, .training(seed: 1)).floats()
    #expect(try layer(input, .training(seed: 1)).floats() == first)
    #expect(try layer(input, .training(seed: 2)).floats() != first)
    #expect(try layer(input, .inference).floats() == layer(input, .inference).floats())
    let starts = layer.inferenceStarts
    #expect(starts.first == 0 && starts.last == 22 && zip(starts, starts.dropFirst()).allSatisfy { (1...2) ~= $1 - $0 })
  }

  @Test func fractionalPoolingRefusesSidesThatDoNotFit() throws {
    for (input, output, kernel) in [(4, 4, 2), (4, 0, 2), (4, 3, 0)] {
      #expect(throws: MienError.self) { try FractionalMaxPool2d(from: input, to: output, kernel: kernel) }
    }
    let layer = try FractionalMaxPool2d(from: 4, to: 3)
    let error = #expect(throws: MienError.self) { try layer(.full([1, 1, 5, 5], 0), .inference) }
    #expect(error?.kind == .mismatch)
    #expect(try FractionalMaxPool2d(from: 2, to: 1)(.full([1, 1, 2, 2], 7), .inference).floats() == [7])
  }

  @Test func picturesAreEnlargedBetweenThePlacesOfTheirPixels() throws {
    let picture = try Tensor([0, 4, 8, 12], shape: [1, 1, 2, 2])
    let found = try Resize(from: 2, to: 4)(picture, .inference)
    #expect(try found.shape == [1, 1, 4, 4])
    // A quarter of the way between two pixels, and beyond the last ones these go on.
    #expect(try found.floats() == [0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12])
    #expect(try Resize(from: 2, to: 2)(picture, .inference).floats() == [0, 4, 8, 12])
    #expect(throws: MienError.self) { try Resize(from: 3, to: 4)(picture, .inference) }
    #expect(throws: MienError.self) { try Resize(from: 2, to: 0) }
  }

  @Test(arguments: [false, true]) func zerosStandAfterWhatThereIs(channelsLast: Bool) throws {
    let plain = try Tensor([1, 2, 3, 4, 5, 6, 7, 8], shape: [1, 2, 2, 2])
    try plain.requireGradientInPlace()
    let output = try ZeroPad(channels: 1, border: 1)(channelsLast ? plain.channelsLast() : plain, .inference)
    #expect(try output.shape == [1, 3, 3, 3])
    let maps: [Float] = [1, 2, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 7, 8, 0, 0, 0, 0]
    #expect(try output.floats() == maps + [Float](repeating: 0, count: 9))
    try output.multiplied(by: Tensor((0..<27).map(Float.init), shape: [1, 3, 3, 3])).sum().backward()
    #expect(try plain.gradient?.floats() == [0, 1, 3, 4, 9, 10, 12, 13])
  }
}
