import Foundation
public import MienCore
public import MienTorch

/// Random changes to faces while training, as batched tensor operations: one affine warp per image, loss of resolution,
/// brightness and contrast, erasing, noise.
public struct Augmentation: Codable, Sendable, Equatable {
  /// Largest rotation either way, in degrees.
  public var rotationDegrees = 0.0
  /// Largest shift either way, as a share of width and height.
  public var shift = 0.0
  /// Largest shear either way: the tangent of its angle.
  public var shear = 0.0
  /// Least and greatest scale; above 1 enlarges.
  public var zoom = [1.0, 1.0]
  /// Whether half of the faces are mirrored.
  public var horizontalFlip = false
  /// Whether half of the faces are turned upside down.
  public var verticalFlip = false
  /// Least and greatest share of its side that a face is shrunk to and then enlarged again, as a small face in a photo
  /// is: each face draws its own, evenly. `[1, 1]` keeps all detail.
  public var resolution = [1.0, 1.0]
  /// What stands outside a warped face.
  public var fill = Tensor.Fill.nearest
  /// Largest addition to all values either way, on the scale 0…1.
  public var brightness = 0.0
  /// Largest relative change of differences from the middle grey either way.
  public var contrast = 0.0
  /// Probability that a rectangle is replaced (Zhong et al. 2020).
  public var erasingProbability = 0.0
  /// Least and greatest share of the area that is replaced.
  public var erasingArea = [0.02, 0.2]
  /// Greatest standard deviation of the normal noise that is added, on the scale 0…1: each face draws its own, evenly,
  /// from 0 on.
  public var noise = 0.0
  /// Of the Beta distribution that mixes pairs of faces (Zhang et al. 2018); 0 for none.
  public var mixupAlpha = 0.0
  /// Of the Beta distribution that sizes the rectangle a face takes from another (Yun et al. 2019); 0 for none. With
  /// ``mixupAlpha`` too, each batch is mixed in one of the two ways.
  public var cutmixAlpha = 0.0

  /// No augmentation.
  public init() {}

  private var warps: Bool {
    rotationDegrees > 0 || shift > 0 || shear > 0 || zoom != [1, 1] || horizontalFlip || verticalFlip || losesDetail
  }

  private var losesDetail: Bool { resolution != [1, 1] }

  /// Changes a batch.
  ///
  /// - Parameters:
  ///   - faces: `[N, C, H, W]` in 0…1.
  ///   - random: all draws come from it, image by image.
  /// - Returns: `[N, C, H, W]` in 0…1.
  @TorchActor public func apply(_ faces: Tensor, random: inout SeededRandom) throws -> Tensor {
    var randoms = [random]
    defer { random = randoms[0] }
    return try apply(faces, randoms: &randoms)
  }

  /// Changes several batches of one size at once, just as one after another.
  ///
  /// - Parameters:
  ///   - faces: `[N, C, H, W]` in 0…1, one batch after the other.
  ///   - randoms: a batch's draws come from its own, image by image.
  ///   - side: height and width of the result; those of the faces if `nil`.
  /// - Returns: `[N, C, H, W]` in 0…1.
  @TorchActor func apply(_ faces: Tensor, randoms: inout [SeededRandom], side: Int? = nil) throws -> Tensor {
    let shape = try faces.shape
    let (count, height, width) = (shape[0], side ?? shape[2], side ?? shape[3])
    guard !randoms.isEmpty, count % randoms.count == 0 else {
      throw MienError(.mismatch, nil, "\(count) faces are not \(randoms.count) batches of one size")
    }
    let size = count / randoms.count
    var result = faces
    if warps || side != nil {
      let aspect = Float(shape[3]) / Float(shape[2])
      var (matrices, enlargements): ([Float], [Float]) = ([], [])
      for image in 0..<count {
        var matrix = matrix(random: &randoms[image / size], aspect: aspect)
        if losesDetail {
          // The same warp onto the middle of the picture, from where the second one takes it.
          let share = randoms[image / size].uniform(in: Float(resolution[0])...Float(resolution[1]))
          for place in [0, 1, 3, 4] { matrix[place] /= share }
          enlargements += [share, 0, 0, 0, share, 0]
        }
        matrices += matrix
      }
      result = try result.warped(
        Tensor(matrices, shape: [count, 2, 3]), fill: fill, side: losesDetail ? nil : side)
      if losesDetail {
        result = try result.warped(Tensor(enlargements, shape: [count, 2, 3]), fill: .nearest, side: side)
      }
    }
    if brightness > 0 || contrast > 0 {
      var scales: [Float] = []
      var offsets: [Float] = []
      for image in 0..<count {
        let scale = 1 + randoms[image / size].uniform(within: contrast)
        scales.append(scale)
        offsets.append(0.5 - 0.5 * scale + randoms[image / size].uniform(within: brightness))
      }
      result = try result.multiplied(by: Tensor(scales, shape: [count, 1, 1, 1]))
        .adding(Tensor(offsets, shape: [count, 1, 1, 1])).clamped(to: 0...1)
    }
    if erasingProbability > 0 {
      var keep = [UInt8](repeating: 1, count: count * height * width)
      var paint = [UInt8](repeating: 0, count: count * height * width)
      for image in 0..<count {
        erase(
          &keep, &paint, offset: image * height * width, height: height, width: width, random: &randoms[image / size])
      }
      let maskShape = [count, 1, height, width]
      result = try result.multiplied(by: Tensor(bytes: keep, shape: maskShape))
        .adding(Tensor(bytes: paint, shape: maskShape).cast(to: .f32).scaled(by: 1 / 255))
    }
    return result
  }

  /// The 2x3 matrix of one image, which maps output to input coordinates in -1…1.
  private func matrix(random: inout SeededRandom, aspect: Float) -> [Float] {
    let angle = random.uniform(within: rotationDegrees) * .pi / 180
    let slant = random.uniform(within: shear)
    let scale = 1 / random.uniform(in: Float(zoom[0])...Float(zoom[1]))
    let mirror: Float = horizontalFlip && random.uniform() < 0.5 ? -1 : 1
    let turn: Float = verticalFlip && random.uniform() < 0.5 ? -1 : 1
    let (shiftX, shiftY) = (random.uniform(within: shift) * 2, random.uniform(within: shift) * 2)
    let (sine, cosine) = (sin(angle), cos(angle))
    return [
      mirror * scale * cosine, mirror * scale * (slant * cosine - sine / aspect), shiftX,
      turn * scale * sine * aspect, turn * scale * (slant * sine * aspect + cosine), shiftY,
    ]
  }

  /// Replaces a rectangle of one face, in the given planes, by random greys.
  private func erase(
    _ keep: inout [UInt8], _ paint: inout [UInt8], offset: Int, height: Int, width: Int, random: inout SeededRandom
  ) {
    guard random.uniform() < Float(erasingProbability) else { return }
    let area = random.uniform(in: Float(erasingArea[0])...Float(erasingArea[1])) * Float(height * width)
    let ratio = exp(random.uniform(in: -1...1))
    let boxHeight = min(height, max(1, Int((area * ratio).squareRoot())))
    let boxWidth = min(width, max(1, Int((area / ratio).squareRoot())))
    let top = Int.random(in: 0...(height - boxHeight), using: &random)
    let left = Int.random(in: 0...(width - boxWidth), using: &random)
    for y in top..<(top + boxHeight) {
      for x in left..<(left + boxWidth) {
        keep[offset + y * width + x] = 0
        paint[offset + y * width + x] = UInt8(truncatingIfNeeded: random.next())
      }
    }
  }

  /// Adds each face's noise to a batch.
  ///
  /// - Parameters:
  ///   - faces: `[N, C, H, W]` in 0…1.
  ///   - random: all draws come from it.
  /// - Returns: the same shape, in 0…1.
  @TorchActor public func addNoise(to faces: Tensor, random: inout SeededRandom) throws -> Tensor {
    guard noise > 0 else { return faces }
    let count = try faces.shape[0]
    let deviations = (0..<count).map { _ in random.uniform(in: 0...Float(noise)) }
    return try faces.normalNumbers(seed: random.next()).multiplied(by: Tensor(deviations, shape: [count, 1, 1, 1]))
      .adding(faces).clamped(to: 0...1)
  }

  func validate(_ places: RecipePlaces) throws {
    func require(_ holds: Bool, _ key: String, _ expected: String) throws {
      try places.require(holds, "augmentation.\(key)", expected)
    }
    try require((0...180).contains(rotationDegrees), "rotationDegrees", "0 to 180")
    try require((0..<1).contains(shift), "shift", "at least 0 and below 1")
    try require((0...2).contains(shear), "shear", "0 to 2")
    try require(
      zoom.count == 2 && zoom[0] >= 0.01 && zoom[0] <= zoom[1] && zoom[1] <= 100, "zoom",
      "[least, greatest], 0.01 to 100")
    try require(
      resolution.count == 2 && resolution[0] >= 0.05 && resolution[0] <= resolution[1] && resolution[1] <= 1,
      "resolution", "[least, greatest], 0.05 to 1")
    try require((0...1).contains(noise), "noise", "0 to 1")
    try require((0...1).contains(brightness), "brightness", "0 to 1")
    try require((0...1).contains(contrast), "contrast", "0 to 1")
    try require((0...1).contains(erasingProbability), "erasingProbability", "0 to 1")
    try require(
      erasingArea.count == 2 && erasingArea[0] >= 0 && erasingArea[0] <= erasingArea[1] && erasingArea[1] <= 1,
      "erasingArea", "[least, greatest], 0 to 1")
    try require((0...100).contains(mixupAlpha), "mixupAlpha", "0 to 100")
    try require((0...100).contains(cutmixAlpha), "cutmixAlpha", "0 to 100")
  }
}

extension SeededRandom {
  /// A float in -limit…limit.
  fileprivate mutating func uniform(within limit: Double) -> Float { uniform(in: -Float(limit)...Float(limit)) }
}
