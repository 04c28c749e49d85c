import Foundation
import MienCore
import MienTorch
import MienTraining
import Testing

@Suite @TorchActor struct AugmentationTests {
  private func faces(_ count: Int) throws -> Tensor {
    var random = SeededRandom(seed: 4)
    return try Tensor((0..<(count * 48 * 48)).map { _ in random.uniform() }, shape: [count, 1, 48, 48])
  }

  private func apply(_ augmentation: Augmentation, to faces: Tensor, seed: UInt64 = 1) throws -> [Float] {
    var random = SeededRandom(seed: seed)
    return try augmentation.apply(faces, random: &random).floats()
  }

  @Test func noneChangesNothing() throws {
    let input = try faces(2)
    #expect(try apply(Augmentation(), to: input) == input.floats())
  }

  @Test func flipMirrorsAboutHalfOfTheFacesExactly() throws {
    var augmentation = Augmentation()
    augmentation.horizontalFlip = true
    let count = 200
    let input = try faces(count).floats()
    let output = try apply(augmentation, to: Tensor(input, shape: [count, 1, 48, 48]))
    var mirrored = 0
    for face in 0..<count {
      let (a, b) = (Array(input[(face * 2304)..<((face + 1) * 2304)]), output[(face * 2304)..<((face + 1) * 2304)])
      let flipped = stride(from: 0, to: 2304, by: 48).flatMap { a[$0..<($0 + 48)].reversed() }
      let isFlipped = zip(b, flipped).allSatisfy { abs($0 - $1) < 1e-4 }
      #expect(isFlipped || zip(b, a).allSatisfy { abs($0 - $1) < 1e-4 })
      mirrored += isFlipped ? 1 : 0
    }
    #expect((70...130).contains(mirrored))
  }

  @Test func verticalFlipTurnsUpsideDown() throws {
    var augmentation = Augmentation()
    augmentation.verticalFlip = true
    let input = try faces(1).floats()
    let turned = stride(from: 47 * 48, through: 0, by: -48).flatMap { input[$0..<($0 + 48)] }
    let outputs = try (0..<20).map {
      try apply(augmentation, to: Tensor(input, shape: [1, 1, 48, 48]), seed: UInt64($0))
    }
    func count(_ wanted: [Float]) -> Int {
      outputs.count { zip($0, wanted).allSatisfy { abs($0 - $1) < 1e-4 } }
    }
    #expect(count(turned) > 0 && count(input) > 0 && count(turned) + count(input) == 20)
  }

  @Test func mixupBlendsPairsAndTheirTargets() throws {
    var augmentation = Augmentation()
    augmentation.mixupAlpha = 0.4
    let (pixels, targets) = (try ones(8), try identity(8))
    for seed in 0..<10 {
      var random = SeededRandom(seed: UInt64(seed))
      let mixed = try augmentation.mix(pixels, targets: [targets], random: &random)
      let (faces, shares) = (try mixed.faces.floats(), try mixed.targets[0].floats())
      for face in 0..<8 {
        // A face's value is its number, so the blend of values is that of the numbers by the targets' shares.
        let wanted = (0..<8).reduce(Float(0)) { $0 + Float($1) * shares[face * 8 + $1] }
        #expect(abs(shares[(face * 8)..<(face * 8 + 8)].reduce(0, +) - 1) < 1e-5)
        #expect(faces[(face * 2304)..<((face + 1) * 2304)].allSatisfy { abs($0 - wanted) < 1e-4 })
      }
    }
  }

  @Test func cutmixTakesARectangleAndItsShareOfTheTarget() throws {
    var augmentation = Augmentation()
    augmentation.cutmixAlpha = 1
    let (pixels, targets) = (try ones(8), try identity(8))
    var cut = 0
    for seed in 0..<10 {
      var random = SeededRandom(seed: UInt64(seed))
      let mixed = try augmentation.mix(pixels, targets: [targets], random: &random)
      let (faces, shares) = (try mixed.faces.floats(), try mixed.targets[0].floats())
      for face in 0..<8 {
        let values = faces[(face * 2304)..<((face + 1) * 2304)]
        let own = values.count { abs($0 - Float(face)) < 1e-5 }
        #expect(Set(values.map { $0.rounded() }).count <= 2)
        #expect(abs(Float(own) / 2304 - shares[face * 8 + face]) < 1e-5)
        cut += own < 2304 ? 1 : 0
      }
    }
    #expect(cut > 40)
  }

  /// Faces whose every value is their number.
  private func ones(_ count: Int) throws -> Tensor {
    try Tensor((0..<(count * 2304)).map { Float($0 / 2304) }, shape: [count, 1, 48, 48])
  }

  /// One-hot targets, a class a face.
  private func identity(_ count: Int) throws -> Tensor {
    try Tensor((0..<(count * count)).map { $0 / count == $0 % count ? 1 : 0 }, shape: [count, count])
  }

  @Test func aQuarterTurnMovesCornersRound() throws {
    // The draw of a symmetric range has either sign; both are a quarter turn of a picture with one bright corner.
    var corner = [Float](repeating: 0, count: 2304)
    corner[0] = 1
    let input = try Tensor(corner, shape: [1, 1, 48, 48])
    var found: Set<Int> = []
    for seed in 0..<40 {
      var augmentation = Augmentation()
      augmentation.rotationDegrees = 180
      let output = try apply(augmentation, to: input, seed: UInt64(seed))
      if let bright = output.firstIndex(where: { $0 > 0.99 }) { found.insert(bright) }
    }
    #expect(found.isSubset(of: [0, 47, 47 * 48, 48 * 48 - 1]))
  }

  @Test func zoomAboveOneEnlarges() throws {
    var square = [Float](repeating: 0, count: 2304)
    for y in 18..<30 { for x in 18..<30 { square[y * 48 + x] = 1 } }
    var augmentation = Augmentation()
    augmentation.zoom = [2, 2]
    let output = try apply(augmentation, to: Tensor(square, shape: [1, 1, 48, 48]))
    let growth: Float = output.reduce(0, +) / square.reduce(0, +)
    #expect((3.8...4.2).contains(growth))
  }

  @Test func erasingReplacesTheAreaItNames() throws {
    var augmentation = Augmentation()
    augmentation.erasingProbability = 1
    augmentation.erasingArea = [0.1, 0.1]
    let input = try Tensor.full([50, 1, 48, 48], 2)
    let output = try apply(augmentation, to: input)
    for face in 0..<50 {
      let changed = output[(face * 2304)..<((face + 1) * 2304)].filter { $0 != 2 }
      #expect((150...260).contains(changed.count) && changed.allSatisfy { (0...1).contains($0) })
    }
  }

  /// Half the side: means of 2x2 pixels, enlarged by linear interpolation.
  @Test func lessResolutionShrinksAndEnlargesAgain() throws {
    var augmentation = Augmentation()
    augmentation.resolution = [0.5, 0.5]
    let input = try faces(1).floats()
    let output = try apply(augmentation, to: Tensor(input, shape: [1, 1, 48, 48]))
    func mean(_ y: Int, _ x: Int) -> Float {
      let corner = 2 * y * 48 + 2 * x
      return (input[corner] + input[corner + 1] + input[corner + 48] + input[corner + 49]) / 4
    }
    func expected(_ y: Int, _ x: Int) -> Float {
      let (row, column) = (Float(y) / 2 - 0.25, Float(x) / 2 - 0.25)
      let (top, left) = (Int(row), Int(column))
      let (down, right) = (row - Float(top), column - Float(left))
      return (mean(top, left) * (1 - right) + mean(top, left + 1) * right) * (1 - down)
        + (mean(top + 1, left) * (1 - right) + mean(top + 1, left + 1) * right) * down
    }
    // Border pixels reach beyond the face.
    for y in 1..<47 { for x in 1..<47 { #expect(abs(output[y * 48 + x] - expected(y, x)) < 1e-4, "at \(x), \(y)") } }
  }

  @Test func eachFaceLosesItsOwnShareOfDetail() throws {
    var augmentation = Augmentation()
    augmentation.resolution = [0.3, 1]
    let (count, size) = (60, 48 * 48)
    let one = try faces(1).floats()
    let output = try apply(augmentation, to: Tensor((0..<count).flatMap { _ in one }, shape: [count, 1, 48, 48]))
    func detail(_ face: ArraySlice<Float>) -> Float {
      zip(face, face.dropFirst()).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(size)
    }
    let details = (0..<count).map { detail(output[($0 * size)..<(($0 + 1) * size)]) }
    let whole = detail(one[...])
    #expect(details.allSatisfy { $0 < whole })
    #expect((details.max() ?? 0) > 2 * (details.min() ?? 1) && Set(details).count > count / 2)
  }

  @Test func resolutionGoesWithTheOtherWarps() throws {
    // A bright square that is enlarged twice keeps that size at half the resolution.
    var square = [Float](repeating: 0, count: 2304)
    for y in 18..<30 { for x in 18..<30 { square[y * 48 + x] = 1 } }
    var augmentation = Augmentation()
    (augmentation.zoom, augmentation.resolution) = ([2, 2], [0.5, 0.5])
    let output = try apply(augmentation, to: Tensor(square, shape: [1, 1, 48, 48]))
    let growth: Float = output.reduce(0, +) / square.reduce(0, +)
    #expect((3.7...4.3).contains(growth))
  }

  @Test func noiseHasADeviationOfEachFacesOwn() throws {
    var augmentation = Augmentation()
    augmentation.noise = 0.1
    let (count, size) = (200, 48 * 48)
    let grey = try Tensor.full([count, 1, 48, 48], 0.5)
    func noisy(_ seed: UInt64) throws -> [Float] {
      var random = SeededRandom(seed: seed)
      return try augmentation.addNoise(to: grey, random: &random).floats()
    }
    let output = try noisy(1)
    let deviations = (0..<count).map { face in
      let squares = output[(face * size)..<((face + 1) * size)].map { ($0 - 0.5) * ($0 - 0.5) }
      return (squares.reduce(0, +) / Float(size)).squareRoot()
    }
    #expect(deviations.allSatisfy { $0 < 0.107 } && (deviations.max() ?? 0) > 0.09 && (deviations.min() ?? 1) < 0.01)
    #expect((0.04...0.06).contains(deviations.reduce(0, +) / Float(count)))
    #expect(output.allSatisfy { (0...1).contains($0) })
    #expect(try noisy(1) == output && noisy(2) != output)
  }

  @Test func everythingTogetherStaysInRangeAndIsItsSeeds() throws {
    let recipe = try RecipeFile.parse(
      "augmentation: {rotationDegrees: 25, shift: 0.1, shear: 0.2, zoom: [0.8, 1.2], horizontalFlip: true, "
        + "resolution: [0.4, 1], brightness: 0.3, contrast: 0.5, erasingProbability: 0.5}", file: "r")
    let input = try faces(16)
    let output = try apply(recipe.augmentation, to: input)
    #expect(output.allSatisfy { (0...1).contains($0) })
    #expect(try apply(recipe.augmentation, to: input) == output)
    #expect(try apply(recipe.augmentation, to: input, seed: 2) != output)
  }

  /// Training and recognition feed a network the same numbers, to the last bit, for all 256 values of a byte.
  @Test(arguments: [1, 3]) func aBatchHasTheBytesOfThePreprocessing(_ channels: Int) throws {
    let recipe = try DrawnFaces.recipe(epochs: 1, settings: ["model.channels=\(channels)"])
    let pixels = (0..<(2 * 48 * 48 * channels)).map { UInt8($0 % 256) }
    let rows = [Split.train, .validation].map { split in
      FaceSet.Row(label: .happiness, split: split, votes: [UInt8](repeating: 1, count: 10), sourceRow: 0)
    }
    let set = try FaceSet(
      source: "bytes", labelSet: .fer2013, height: 48, width: 48, channels: channels, rows: rows, pixels: Data(pixels))
    let batch = try TrainingBatches(TrainingData([set], recipe: recipe), recipe: recipe).batch(0)
    let expected = try recipe.preprocessing.input(pixels: set.face(at: 0), sourceChannels: channels)
    #expect(Set(set.face(at: 0)).count == 256)
    #expect(try batch.faces.floats() == expected)
  }

  /// Each of several processes makes its own share of the same batch.
  @Test func sharesOfABatchAreItsFaces() throws {
    let recipe = try DrawnFaces.recipe(epochs: 2, settings: ["batchSize=6"])
    let data = try TrainingData([DrawnFaces.set(count: 35, split: { $0 < 21 ? .train : .validation })], recipe: recipe)
    let whole = try TrainingBatches(data, recipe: recipe)
    let shares = try (0..<3).map { try TrainingBatches(data, recipe: recipe, share: $0, of: 3) }
    for step in 0..<5 {
      let batches = try shares.map { try $0.batch(step) }
      #expect(try batches.flatMap { try $0.faces.floats() } == whole.batch(step).faces.floats())
      for head in 0..<2 {
        #expect(try batches.flatMap { try $0.targets[head].floats() } == whole.batch(step).targets[head].floats())
      }
      #expect(Set(batches.map(\.seed)).count == 3, "each has its own dropout")
    }
    let error = #expect(throws: MienError.self) { try TrainingBatches(data, recipe: recipe, share: 0, of: 4) }
    #expect(error?.description.contains("batchSize 6") == true)
  }

  /// Batches are made several at once: a run resumed in between gets the same ones.
  @Test func aBatchDependsOnItsStepAlone() throws {
    let recipe = try DrawnFaces.recipe(
      epochs: 2,
      settings: [
        "batchSize=4", "augmentation.rotationDegrees=20", "augmentation.brightness=0.2",
        "augmentation.erasingProbability=0.5", "augmentation.mixupAlpha=0.4", "augmentation.resolution=[0.5, 1]",
        "augmentation.noise=0.05", "progressive={side: 32, epochs: 0.5}",
      ])
    let data = try TrainingData([DrawnFaces.set(count: 35, split: { $0 < 21 ? .train : .validation })], recipe: recipe)
    let running = try TrainingBatches(data, recipe: recipe)
    for step in 0..<12 {
      let (expected, resumed) = (try running.batch(step), try TrainingBatches(data, recipe: recipe).batch(step))
      #expect(try resumed.faces.floats() == expected.faces.floats())
      #expect(try resumed.targets.map { try $0.floats() } == expected.targets.map { try $0.floats() })
      #expect(resumed.seed == expected.seed)
      // Five steps an epoch, the first epoch with smaller faces.
      let side = step < 5 ? 32 : 48
      #expect(try expected.faces.shape == [4, 1, side, side])
    }
    #expect(try running.batch(0).faces.floats() != running.batch(1).faces.floats())
  }
}
