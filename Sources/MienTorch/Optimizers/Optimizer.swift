/// A rule that moves parameters along their gradients.
@TorchActor public protocol Optimizer: AnyObject {
  /// What the rule remembers, by name: one tensor a parameter, in their order. Restoring these restores the optimiser.
  var state: [(name: String, tensors: [Tensor])] { get }

  /// Moves every parameter that has a gradient.
  ///
  /// - Parameters:
  ///   - step: the number of this step in the run, from 1.
  ///   - learningRate: above 0.
  func step(_ step: Int, learningRate: Double) throws
}

/// Parameters with one state tensor each, in two groups: those that weight decay applies to, and the rest.
@TorchActor struct ParameterGroups {
  private let parameters: [Parameter]

  init(_ parameters: [Parameter]) { self.parameters = parameters }

  /// A zero for each parameter, laid out as it is.
  func zeros() throws -> [Tensor] { try parameters.map { try $0.value.detached().scaled(by: 0) } }

  /// Calls `body` for each group that is not empty, with handles of the parameters and of each of `states`.
  func forEach(
    decay: Double, states: [[Tensor]],
    _ body: (
      _ parameters: UnsafePointer<OpaquePointer?>, _ states: [UnsafePointer<OpaquePointer?>], _ count: Int32,
      _ decay: Double
    ) throws -> Void
  ) throws {
    for decays in [true, false] {
      let members = parameters.indices.filter { parameters[$0].decays == decays }
      guard !members.isEmpty else { continue }
      try Tensor.withHandles(members.map { parameters[$0].value }) { handles, count in
        try Tensor.withHandles(states.flatMap { state in members.map { state[$0] } }) { all, _ in
          let pointers = states.indices.map { all + $0 * members.count }
          try body(handles, pointers, count, decays ? decay : 0)
        }
      }
    }
  }
}
