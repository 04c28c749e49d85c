import Foundation
public import MienONNX
import MienResources

/// The model inside the program, used where none is named.
public enum DefaultModel {
  /// Its name, by which `--model` takes it.
  package static let name = URL(fileURLWithPath: Resource.defaultModel).deletingPathExtension().lastPathComponent

  /// Reads it. Its weights are not compared with its card each time, which takes as long as all else; a test does that.
  public static func model() throws -> ONNXModel {
    var model = try ONNXModel(data: Resource.data(Resource.defaultModel))
    model.isVerified = true
    return model
  }
}

extension EmotionClassifier {
  /// The classifier of the model inside the program.
  ///
  /// - Parameter threads: how many threads one run may use; nil for as many as there are cores.
  public static func `default`(threads: Int? = nil) throws -> EmotionClassifier {
    try EmotionClassifier(model: DefaultModel.model(), threads: threads)
  }
}
