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

  @Test func everythingTogetherStaysInRangeAndIsItsSeeds() throws {
    let recipe = try RecipeFile.parse(
      "augmentation: {rotationDegrees: 25, shift: 0.1, shear: 0.2, zoom: [0.8, 1.2], horizontalFlip: true, "
        + "brightness: 0.3, contrast: 0.5, erasingProbability: 0.5}", file: "r")
    let input = try faces(16)
    let output = try apply(recipe.augmentation, to: input)
    #expect(output.allSatisfy { (0...1).contains($0) })
    #expect(try apply(recipe.augmentation, to: input) == output)
    #expect(try apply(recipe.augmentation, to: input, seed: 2) != output)
  }

  /// Batches are made several at once: a run resumed in between gets the same ones.
  @Test func aBatchDependsOnItsStepAlone() throws {
    let recipe = try DrawnFaces.recipe(
      epochs: 2,
      settings: [
        "batchSize=4", "augmentation.rotationDegrees=20", "augmentation.brightness=0.2",
        "augmentation.erasingProbability=0.5", "augmentation.mixupAlpha=0.4",
      ])
    let data = try TrainingData([DrawnFaces.set(count: 35, split: { $0 < 21 ? .train : .validation })], recipe: recipe)
    let running = TrainingBatches(data, recipe: recipe)
    for step in 0..<12 {
      let (expected, resumed) = (try running.batch(step), try TrainingBatches(data, recipe: recipe).batch(step))
      #expect(try resumed.faces.floats() == expected.faces.floats())
      #expect(try resumed.targets.map { try $0.floats() } == expected.targets.map { try $0.floats() })
      #expect(resumed.seed == expected.seed)
      #expect(try expected.faces.shape == [4, 1, 48, 48])
    }
    #expect(try running.batch(0).faces.floats() != running.batch(1).faces.floats())
  }
}
