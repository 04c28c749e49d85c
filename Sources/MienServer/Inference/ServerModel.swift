import MienCore
import MienInference
package import MienONNX
import MienVision

/// A model that a server reads with.
package struct ServerModel: Sendable {
  /// What requests call it.
  package let name: String
  /// Its file.
  package let file: ONNXModel

  /// Names a model as its card does.
  package init(_ file: ONNXModel) throws {
    self.init(name: try file.card().name, file)
  }

  init(name: String, _ file: ONNXModel) {
    self.name = name
    self.file = file
  }

  /// Names `files` by their cards, and by what they were called on the command line where cards agree.
  ///
  /// - Parameter files: each file with what it was called; `nil` for the built-in model.
  /// - Throws: ``MienError`` if two have one name, or a file has no card.
  package static func named(_ files: [(called: String?, file: ONNXModel)]) throws -> [ServerModel] {
    var models: [ServerModel] = []
    for (called, file) in files {
      var model = try ServerModel(file)
      if models.contains(where: { $0.name == model.name }), let called {
        let base = called.split(separator: "/").last.map(String.init) ?? called
        model = ServerModel(name: base.hasSuffix(".onnx") ? String(base.dropLast(5)) : base, file)
      }
      guard !models.contains(where: { $0.name == model.name }) else {
        throw MienError(
          .argument, "--model \(called ?? model.name)",
          "another model of this server has the name \(model.name) too; rename the file")
      }
      models.append(model)
    }
    return models
  }
}

/// A model as requests use it: as it is, or with the last layer of a profile.
final class ModelReader: Sendable {
  /// The model's name.
  let name: String
  /// The profile; `nil` for the model as it is.
  let profile: ProfileName?
  /// The network and its labels.
  let recognizer: Recognizer
  /// Where faces wait for the network.
  let batcher: FaceBatcher

  /// The network.
  var classifier: EmotionClassifier { recognizer.classifier }
  /// The label set of its readings.
  var labels: LabelSet { recognizer.labels }
  /// The model's card.
  var card: ModelCard { classifier.card }

  /// Compiles a model.
  ///
  /// - Throws: ``MienError`` if it cannot be used.
  init(_ model: ServerModel, queue: NativeQueue, metrics: Metrics) throws {
    (name, profile) = (model.name, nil)
    do {
      recognizer = try Self.recognizer(EmotionClassifier(model: model.file, threads: 1))
    } catch let error as MienError where error.subject == nil {
      throw error.about(model.name)
    }
    batcher = FaceBatcher(recognizer: recognizer, queue: queue, metrics: metrics)
  }

  /// A model, whose network is not compiled once more, with the last layer of a profile.
  ///
  /// - Throws: ``MienError`` if `head` was fitted to another model.
  init(_ model: ModelReader, profile: ProfileName, head: AdaptedHead, queue: NativeQueue, metrics: Metrics) throws {
    (name, self.profile) = (model.name, profile)
    recognizer = try Self.recognizer(EmotionClassifier(model.classifier, adaptedHead: head))
    batcher = FaceBatcher(recognizer: recognizer, queue: queue, metrics: metrics)
  }

  /// Faces are found by the detectors of requests, and each request has a threshold of its own.
  private static func recognizer(_ classifier: EmotionClassifier) throws -> Recognizer {
    try Recognizer(classifier: classifier, detector: WholePicture(), minConfidence: 0)
  }

  /// The model by itself, as videos are read with it.
  ///
  /// - Parameter prior: the mix of emotions to expect.
  func classifier(prior: ClassPrior) throws -> EmotionClassifier {
    if prior.changesNothing { return classifier }
    return try EmotionClassifier(classifier, adaptedHead: classifier.adaptedHead, prior: prior)
  }
}
