/// Published networks. Convolutions start from He's normal weights, where Keras has Glorot's uniform ones; batch norm
/// forgets by 0.1 per step with epsilon 1e-5, where Keras has 0.01 and 1e-3. The recipe of each says what its paper
/// leaves open, and what else was tried.
extension PlainNetwork {
  /// `chen`: J. Chen, "CNN-Based Facial Emotion Recognition: Modeling and Evaluation". RGB.
  ///
  /// The paper leaves open the padding (none, as in LeNet-5, whose filters the first two are, and as Keras has it), the
  /// activation (ReLU) and the rate of dropout (0.5).
  public static let chen = variant {
    ($0.filters, $0.kernels, $0.samePadding) = ([6, 16, 64], [5, 5, 3], false)
    ($0.dense, $0.denseDropout) = ([128], 0.5)
    $0.formerOptions["dropout"] = "denseDropout"
  }

  /// `javier`: J. Javier, "Facial Expression Detection Using CNN Model". Grey.
  ///
  /// The paper says only that convolution, max-pooling and dropout blocks are followed by dense layers. Sizes, rates of
  /// dropout, "same" padding and ReLU are choices.
  public static let javier = variant {
    ($0.filters, $0.blockDropout) = ([[32, 32], [64, 64], [128, 128], 256], 0.1)
    ($0.dense, $0.denseDropout) = ([512], 0.4)
  }

  /// `gao`: Z. Gao et al., "Emotion Recognition from Facial Expressions Using CNNs". Grey.
  ///
  /// The paper says that convolution and max-pooling blocks have batch norm and dropout between them and that some
  /// convolutions have an L2 penalty. Sizes, rates of dropout, the place of batch norm (before the activation), "same"
  /// padding, ReLU, which convolutions are penalised (all but the first block's) and the penalty are choices.
  public static let gao = variant {
    ($0.filters, $0.batchNorm, $0.l2, $0.blockDropout) = ([32, 64, 128, 256], true, 0.00002, 0.1)
    ($0.dense, $0.denseDropout) = ([256], 0.3)
  }

  /// `le-shallow`: Le, Pham and Hoang, "CNNs for Facial Emotion Recognition", the shallow network. Grey.
  ///
  /// More blocks are named as future work in the paper, as is colour; it tried fractional max-pooling (`pooling`). Left
  /// open: "same" padding after the first convolution (yes), batch norm and dropout after dense layers (as after
  /// convolutions).
  public static let leShallow = variant {
    ($0.filters, $0.kernels, $0.batchNorm, $0.blockDropout) = ([64, 128], [3, 5], true, 0.25)
    ($0.dense, $0.denseBatchNorm, $0.denseDropout) = ([256], true, 0.25)
  }

  /// `le-deep`: the deep network of the paper of ``leShallow``. Grey.
  public static let leDeep = variant {
    ($0.filters, $0.kernels, $0.batchNorm, $0.blockDropout) = ([64, 128, 512, 512], [3, 5, 3, 3], true, 0.25)
    ($0.dense, $0.denseBatchNorm, $0.denseDropout) = ([256, 512], true, 0.25)
  }

  /// `yousaf`: S. Yousaf et al., "Modified CNNs for Facial Emotion Classification", IJIST 6(4), 2024. Grey, equalised.
  ///
  /// Left open by the paper: filters, kernels, padding ("same"), sizes of the two fully connected layers (taken to stand
  /// before the softmax) and the rate of dropout.
  public static let yousaf = variant {
    ($0.filters, $0.blockDropout, $0.dense) = ([32, 64, 128, 256], 0.25, [256, 128])
  }

  private static func variant(_ change: (inout PlainNetwork) -> Void) -> PlainNetwork {
    var network = PlainNetwork()
    change(&network)
    return network
  }
}
