package import MienCore

extension EmotionClassifier {
  /// What the network says of some faces of a set, run off the cooperative pool.
  ///
  /// - Parameters:
  ///   - indices: the faces' places in the set.
  ///   - outputs: the outputs wanted; nil for all.
  /// - Throws: ``MienError`` where the faces' size is not the model's input, or there is no such output.
  package func output(
    of faces: FaceSet, at indices: [Int], outputs: Set<String>? = nil
  ) async throws
    -> ClassifierOutput
  {
    let preprocessing = card.preprocessing
    try preprocessing.checkSize(of: faces, for: card.name)
    return try await NativeQueue.shared.run {
      let inputs = try indices.flatMap {
        try preprocessing.input(pixels: faces.face(at: $0), sourceChannels: faces.channels)
      }
      return try self.predictions(for: inputs, count: indices.count, outputs: outputs)
    }
  }
}
