import MienInference

/// What `--version` says of recognition.
package enum ModelVersions {
  /// OpenVINO's version, and the default model with the start of its weights' hash.
  package static func lines() throws -> [String] {
    let card = try BuiltInModels.model().unverifiedCard()
    return [
      "OpenVINO \(try InferenceRuntime.version())", "model \(card.name), weights \(card.weightsSHA256.prefix(16))",
    ]
  }
}
