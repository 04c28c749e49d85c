import Foundation
import MienCore
import MienTorch
import Testing

@Suite @TorchActor struct OptimizationTests {
  /// Minimises `w^2 + b^2` from 1 for some steps; weight decay applies to `w` only.
  private func minimized(
    steps: Int, by make: ([Parameter]) throws -> any Optimizer
  ) throws -> [Float] {
    let weight = try Parameter(.full([1], 1), decays: true)
    let bias = try Parameter(.full([1], 1), decays: false)
    let optimizer = try make([weight, bias])
    for step in 1...steps {
      try Tensor.clearGradientsInPlace([weight.value, bias.value])
      try weight.value.multiplied(by: weight.value).adding(bias.value.multiplied(by: bias.value)).sum().backward()
      try optimizer.step(step, learningRate: 0.1)
    }
    return try weight.value.floats() + bias.value.floats()
  }

  /// The same by a rule on plain numbers: `update` gets the step, the value and its gradient.
  private func expected(
    steps: Int, decays: [Double], _ update: (_ step: Int, _ index: Int, _ p: inout Double, _ g: Double) -> Void
  ) -> [Float] {
    decays.indices.map { index in
      var p = 1.0
      for step in 1...steps { update(step, index, &p, 2 * p + decays[index] * p) }
      return Float(p)
    }
  }

  @Test(arguments: [true, false]) func sgdFollowsItsFormula(nesterov: Bool) throws {
    var v = [0.0, 0.0]
    let wanted = expected(steps: 4, decays: [0.5, 0]) { _, index, p, g in
      v[index] = 0.9 * v[index] + g
      p -= 0.1 * (nesterov ? g + 0.9 * v[index] : v[index])
    }
    let found = try minimized(steps: 4) { try SGD($0, momentum: 0.9, weightDecay: 0.5, nesterov: nesterov) }
    #expect(close(found, wanted, within: 1e-5))
  }

  @Test(arguments: [true, false]) func adamFollowsItsFormula(isDecoupled: Bool) throws {
    var (m, v) = ([0.0, 0.0], [0.0, 0.0])
    let wanted = expected(steps: 5, decays: isDecoupled ? [0, 0] : [0.5, 0]) { step, index, p, g in
      if isDecoupled && index == 0 { p -= 0.1 * 0.5 * p }
      m[index] = 0.8 * m[index] + 0.2 * g
      v[index] = 0.9 * v[index] + 0.1 * g * g
      let (mean, square) = (m[index] / (1 - pow(0.8, Double(step))), v[index] / (1 - pow(0.9, Double(step))))
      p -= 0.1 * mean / (square.squareRoot() + 0.01)
    }
    let found = try minimized(steps: 5) {
      try Adam($0, beta1: 0.8, beta2: 0.9, epsilon: 0.01, weightDecay: 0.5, isDecoupled: isDecoupled)
    }
    #expect(close(found, wanted, within: 1e-5))
  }

  @Test(arguments: [0, 0.9]) func rmspropFollowsItsFormula(momentum: Double) throws {
    var (s, v) = ([0.0, 0.0], [0.0, 0.0])
    let wanted = expected(steps: 5, decays: [0.5, 0]) { _, index, p, g in
      s[index] = 0.9 * s[index] + 0.1 * g * g
      v[index] = momentum * v[index] + g / (s[index].squareRoot() + 0.01)
      p -= 0.1 * v[index]
    }
    let found = try minimized(steps: 5) {
      try RMSprop($0, rho: 0.9, momentum: momentum, epsilon: 0.01, weightDecay: 0.5)
    }
    #expect(close(found, wanted, within: 1e-5))
  }

  @Test func gradientsTakeAShareOfTheirParameters() throws {
    let parameter = try Parameter(.full([2], 3), decays: true)
    try parameter.value.sum().backward()
    try Tensor.addToGradientsInPlace([parameter.value], scales: [0.5])
    #expect(try parameter.value.gradient?.floats() == [2.5, 2.5])
  }

  @Test func clippingScalesToTheLimitAndOnlyAboveIt() throws {
    let parameter = try Parameter(.full([2], 0), decays: true)
    try parameter.value.multiplied(by: Tensor([3, 4], shape: [2])).sum().backward()
    try Tensor.clipGradientsInPlace([parameter.value], maximumNorm: 10)
    #expect(try parameter.value.gradient?.floats() == [3, 4])
    try Tensor.clipGradientsInPlace([parameter.value], maximumNorm: 1)
    #expect(try close(parameter.value.gradient?.floats() ?? [], [0.6, 0.8]))
  }

  @Test func averageMovesByItsWeight() throws {
    let target = try Tensor.full([2], 0)
    try Tensor.interpolateInPlace([target], towards: [.full([2], 8)], weight: 0.25)
    #expect(try target.floats() == [2, 2])
  }

  @Test func crossEntropyEqualsItsDefinition() throws {
    let logits = try Tensor([1, 2, 3, 0, 0, 0, 9, 9, 9], shape: [3, 3])
    // A hard target, a soft one, and a face without one.
    let targets = try Tensor([0, 0, 1, 0.5, 0.5, 0, 0, 0, 0], shape: [3, 3])
    func loss(_ loss: CrossEntropy) throws -> Float { try loss(logits: logits, targets: targets).scalar() }
    let p = [1.0, 2, 3].map { exp($0) / (exp(1) + exp(2) + exp(3)) }
    let third = log(1.0 / 3)
    func isClose(_ a: Float, _ b: Double) -> Bool { abs(a - Float(b)) < 1e-5 }
    #expect(try isClose(loss(CrossEntropy()), -(log(p[2]) + third) / 2))
    let smooth = 0.8 * log(p[2]) + 0.1 * log(p[1]) + 0.1 * log(p[0])
    #expect(try isClose(loss(CrossEntropy(labelSmoothing: 0.3)), -(smooth + third) / 2))
    #expect(
      try isClose(loss(CrossEntropy(classWeights: [1, 2, 4])), -(4 * log(p[2]) + 0.5 * third + 2 * 0.5 * third) / 5.5))
    let focal = pow(1 - p[2], 2) * log(p[2]) + pow(2.0 / 3, 2) * third
    #expect(try isClose(loss(CrossEntropy(focalGamma: 2)), -focal / 2))
    let none = try CrossEntropy()(logits: logits, targets: .full([3, 3], 0)).scalar()
    #expect(none == 0)
  }

  @Test func balancedWeightsMakeClassesCountAlike() {
    #expect(CrossEntropy.balancedWeights(counts: [30, 10, 0]) == [40 / Float(90), 40 / Float(30), 0])
  }

  @Test func distillationEqualsItsDefinition() throws {
    let distillation = Distillation(temperature: 2)
    let opinion = try distillation.opinion(logits: Tensor([2, 0], shape: [1, 2]))
    let p = exp(1.0) / (exp(1.0) + 1)
    #expect(try close(opinion.floats(), [Float(p), Float(1 - p)]))
    let loss = try distillation(logits: Tensor([0, 4], shape: [1, 2]), opinion: opinion).scalar()
    let normalizer = log(1 + exp(2.0))
    #expect(abs(loss - Float(4 * (p * normalizer + (1 - p) * (normalizer - 2)))) < 1e-5)
  }

  @Test func cosineWarmsUpPeaksAndEnds() {
    let schedule = Schedule(.cosine(final: 0.2, restarts: []), warmup: 1, epochs: 10)
    #expect(schedule.factor(epoch: 0.5) == 0.5)
    #expect(schedule.factor(epoch: 1) == 1)
    #expect(abs(schedule.factor(epoch: 5.5) - 0.6) < 1e-12)
    #expect(abs(schedule.factor(epoch: 10) - 0.2) < 1e-12)
    let restarting = Schedule(.cosine(final: 0, restarts: [.init(epoch: 5, peak: 0.4)]), warmup: 1, epochs: 10)
    #expect(abs(restarting.factor(epoch: 3) - 0.5) < 1e-12)
    #expect(abs(restarting.factor(epoch: 5)) < 1e-12)
    #expect(abs(restarting.factor(epoch: 5.00001) - 0.4) < 1e-6)
    #expect(abs(restarting.factor(epoch: 7.5) - 0.2) < 1e-12)
  }

  @Test func theOtherSchedulesFollowTheirRules() {
    func factors(_ rule: Schedule.Rule, warmup: Double = 0, at epochs: [Double], scores: [Double] = []) -> [Double] {
      epochs.map {
        (Schedule(rule, warmup: warmup, epochs: 10).factor(epoch: $0, scores: scores) * 1e9).rounded() / 1e9
      }
    }
    #expect(factors(.constant, warmup: 2, at: [1, 2, 9]) == [0.5, 1, 1])
    #expect(factors(.step(epochs: 3, factor: 0.1), at: [0.1, 3, 3.1, 6, 9.5]) == [1, 1, 0.1, 0.1, 0.001])
    #expect(factors(.exponential(factor: 0.5), warmup: 1, at: [0.5, 1, 2, 4]) == [0.5, 1, 0.5, 0.125])
    #expect(
      factors(.oneCycle(rise: 4, initial: 0.2, final: 0), at: [0, 2, 4, 7, 10]) == [0.2, 0.6, 1, 0.5, 0])
    let plateau = Schedule.Rule.plateau(patience: 2, factor: 0.1)
    #expect(factors(plateau, at: [5], scores: [1, 2, 2]) == [1])
    #expect(factors(plateau, at: [5], scores: [1, 2, 2, 1]) == [0.1])
    #expect(factors(plateau, at: [9], scores: [1, 2, 2, 1, 3, 3, 2, 2]) == [0.01])
  }
}
