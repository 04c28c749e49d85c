public import MienONNX
import MienResources

/// The models inside the program.
public enum BuiltInModels {
  /// Their names, by which `--model` takes them; the default one, which is used where none is named, comes first.
  public static var names: [String] { Resource.models }

  /// Reads the one of that name, `nil` for the default one. Its weights are not compared with its card each time, which
  /// takes as long as all else; a test does that.
  ///
  /// - Throws: ``MienCore/MienError`` if there is none of that name.
  public static func model(named name: String? = nil) throws -> ONNXModel {
    var model = try ONNXModel(data: Resource.model(named: name ?? Resource.models[0]))
    model.isVerified = true
    return model
  }
}

extension EmotionClassifier {
  /// The classifier of the default model inside the program.
  ///
  /// - Parameter threads: how many threads one run may use; nil for as many as there are cores.
  public static func `default`(threads: Int? = nil) throws -> EmotionClassifier {
    try EmotionClassifier(model: BuiltInModels.model(), threads: threads)
  }
}
