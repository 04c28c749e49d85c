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
}
