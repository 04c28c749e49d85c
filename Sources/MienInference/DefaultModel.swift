import CMienDefaultModel
import Foundation
public import MienONNX

/// The model inside the program, used where none is named.
public enum DefaultModel {
  /// Reads it. Its weights are not compared with its card each time, which takes as long as all else; a test does that.
  public static func model() throws -> ONNXModel {
    var model = try ONNXModel(data: Data(embedded: mien_default_model_bytes(), count: mien_default_model_count()))
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

extension Data {
  /// Bytes inside the program, which are not copied.
  init(embedded bytes: UnsafePointer<UInt8>, count: Int) {
    self.init(bytesNoCopy: UnsafeMutableRawPointer(mutating: bytes), count: count, deallocator: .none)
  }
}
