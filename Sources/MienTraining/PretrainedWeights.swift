import Foundation
import MienCore

/// The weights of dlib's face identity network in a file that `scripts/pretrained.sh` writes, under the names that the architecture
/// `dlib-resnet` has for them. Each affine layer is folded into the convolution before it, as in an exported model.
///
/// The network was trained on RGB in 0…255 less the mean colour; ours reads 0…1, grey or RGB. Grey is the same in each channel.
struct PretrainedWeights {
  /// Where the weights come from.
  let source: String
  /// Shape and values by name.
  let tensors: [String: (shape: [Int], values: [Float])]

  /// The architecture that takes the weights.
  private static let architecture = "dlib-resnet"
  /// What dlib takes off red, green and blue, in 0…255, and by what it divides them then.
  private static let (means, scale): ([Float], Float) = ([122.782, 117.001, 104.298], 256)
  private static let blocks = 14
  /// The first block's place in the trunk, after the stem.
  private static let firstBlock = 5

  /// Whether the file at `path` is of this kind.
  static func isFile(_ path: String) -> Bool {
    path.hasSuffix(".safetensors") && FileManager.default.fileExists(atPath: path)
  }

  /// Reads a file.
  ///
  /// - Parameter model: the network that begins with them, of 1 (grey) or 3 (RGB) channels.
  /// - Throws: ``MienError`` that names the file if it is not one of these, or if the network is another one.
  init(_ path: String, for model: Recipe.Model) throws {
    let file = try SafeTensors(contentsOf: URL(fileURLWithPath: path))
    guard file.tensors["stem.conv.weight"] != nil else {
      throw MienError(
        .format, path,
        "holds no weights to begin with: expected a run folder, a model (.onnx), or the file that `scripts/pretrained.sh` writes"
      )
    }
    guard model.architecture == Self.architecture else {
      throw MienError(
        .mismatch, path,
        "its weights are for the architecture \(Self.architecture), the recipe's is \(model.architecture)")
    }
    source = file.metadata["source"] ?? URL(fileURLWithPath: path).lastPathComponent
    func tensor(_ name: String) throws -> (shape: [Int], values: [Float]) {
      guard let found = file.tensors[name] else {
        throw MienError(
          .format, path, "has no tensor \(name), expected the weights that `scripts/pretrained.sh` writes")
      }
      return (found.shape, try found.values(Float.self))
    }
    func folded(
      _ convolution: String, _ affine: String
    ) throws -> (weight: (shape: [Int], values: [Float]), bias: [Float]) {
      var (weight, bias) = (try tensor("\(convolution).weight"), try tensor("\(convolution).bias").values)
      let (gamma, beta) = (try tensor("\(affine)gamma").values, try tensor("\(affine)beta").values)
      let outputs = weight.shape.first ?? 0
      guard weight.shape.count == 4, outputs > 0, [bias.count, gamma.count, beta.count].allSatisfy({ $0 == outputs })
      else { throw MienError(.format, path, "its tensors \(convolution) and \(affine)gamma do not fit each other") }
      let perOutput = weight.values.count / outputs
      for index in weight.values.indices { weight.values[index] *= gamma[index / perOutput] }
      for index in bias.indices { bias[index] = bias[index] * gamma[index] + beta[index] }
      return (weight, bias)
    }
    var tensors: [String: (shape: [Int], values: [Float])] = [:]
    func add(_ name: String, _ layer: (weight: (shape: [Int], values: [Float]), bias: [Float])) {
      tensors["\(name).weight"] = layer.weight
      tensors["\(name).bias"] = ([layer.bias.count], layer.bias)
    }
    var stem = try folded("stem.conv", "stem.")
    guard stem.weight.shape.dropFirst().first == 3 else {
      throw MienError(
        .format, path, "its tensor stem.conv.weight is \(stem.weight.shape), expected three input channels")
    }
    let place = stem.weight.shape[2] * stem.weight.shape[3]
    for (index, value) in stem.weight.values.enumerated() {
      stem.bias[index / (3 * place)] -= value * Self.means[index / place % 3] / Self.scale
    }
    stem.weight.values = stem.weight.values.map { $0 * 255 / Self.scale }
    if model.channels == 1 {
      let values = stem.weight.values
      stem.weight.values = (0..<(values.count / 3)).map { index in
        let first = index / place * 3 * place + index % place
        return values[first] + values[first + place] + values[first + 2 * place]
      }
      stem.weight.shape[1] = 1
    }
    add("trunk.layers.1", stem)
    for block in 0..<Self.blocks {
      let name = "trunk.layers.\(Self.firstBlock + block).body.layers"
      add("\(name).0", try folded("blocks.\(block).first.conv", "blocks.\(block).first."))
      add("\(name).3", try folded("blocks.\(block).second.conv", "blocks.\(block).second."))
    }
    self.tensors = tensors
  }
}
