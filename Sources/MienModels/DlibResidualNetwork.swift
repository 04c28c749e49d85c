public import MienCore
import MienTorch

/// `dlib-resnet`: the residual network of dlib's face identity model, with heads for emotions, to begin with that model's weights.
///
/// | part | output at 104 px | |
/// |---|---|---|
/// | resize | 104 x 104 | a face of 48x48, bilinear |
/// | stem | 32 x 24 x 24 | conv 7x7 at stride 2, batch norm, ReLU, max-pool 3x3 at stride 2 |
/// | stages | 32, 64, 128, 256, 256 x 1 x 1 | 3, 4, 3, 3 and 1 residual blocks; the first of each but the first stage halves |
/// | neck | 256 | mean over places, dropout |
///
/// Source: D. King, dlib 19, `dnn_face_recognition_ex.cpp`. A block is two 3x3 convolutions with batch norm; where it halves, the first has stride 2
/// and no padding, its shortcut is a 2x2 mean, and zeros make their shapes alike.
public struct DlibResidualNetwork: Architecture {
  /// The side to which faces are enlarged, in pixels: 150 is what the identity model was trained at, 104 costs half of it.
  public var side = 104
  /// Probability that a number of the embedding is dropped while training.
  public var dropout = 0.3

  /// Channels and blocks of each stage.
  private static let stages = [(32, 3), (64, 4), (128, 3), (256, 3), (256, 1)]

  /// The default size.
  public init() {}

  /// Builds the network; see ``Architecture/network(channels:labels:random:)``.
  public func network(channels: Int, labels: [LabelSet], random: inout SeededRandom) throws -> FaceNetwork {
    guard (64...256).contains(side) else {
      throw MienError(.argument, "model.options.side", "must be 64 to 256, found \(side)")
    }
    guard (0..<1).contains(dropout) else {
      throw MienError(.argument, "model.options.dropout", "must be at least 0 and below 1, found \(dropout)")
    }
    var width = Self.stages[0].0
    var layers: [any Layer] = [
      try Resize(from: 48, to: side),
      try Conv2d(channels, width, kernel: 7, stride: 2, padding: 0, bias: false, random: &random), try BatchNorm(width),
      ReLU(inPlace: true), Pool2d(.max, kernel: 3, stride: 2),
    ]
    var mapSide = ((side - 7) / 2 + 1 - 3) / 2 + 1
    for (stage, (stageWidth, count)) in Self.stages.enumerated() {
      for index in 0..<count {
        let halves = stage > 0 && index == 0
        layers.append(try block(width, stageWidth, side: mapSide, halves: halves, random: &random))
        if halves { mapSide /= 2 }
        width = stageWidth
      }
    }
    return try FaceNetwork(
      trunk: Sequential(layers), neck: Sequential([GlobalAveragePool(), Dropout(dropout)]), embedding: width,
      labels: labels, random: &random)
  }

  @TorchActor private func block(
    _ input: Int, _ output: Int, side: Int, halves: Bool, random: inout SeededRandom
  ) throws -> Residual {
    var body: [any Layer] = [
      try Conv2d(
        input, output, kernel: 3, stride: halves ? 2 : 1, padding: halves ? 0 : 1, bias: false, random: &random),
      try BatchNorm(output), ReLU(inPlace: true),
      try Conv2d(output, output, kernel: 3, bias: false, random: &random), try BatchNorm(output),
    ]
    guard halves else { return Residual(Sequential(body)) }
    // Of an even side the mean has one more place than the convolution.
    if side.isMultiple(of: 2) { body.append(ZeroPad(border: 1)) }
    var shortcut: [any Layer] = [Pool2d(.average, kernel: 2)]
    if output > input { shortcut.append(ZeroPad(channels: output - input)) }
    return Residual(Sequential(body), shortcut: Sequential(shortcut))
  }
}
