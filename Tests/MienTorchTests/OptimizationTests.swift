import Foundation
import MienCore
import MienTorch
import Testing

@Suite @TorchActor struct OptimizationTests {
  @Test func nesterovFollowsItsFormulaAndSparesBiases() throws {
    let weight = try Parameter(.full([1], 1), decays: true)
    let bias = try Parameter(.full([1], 1), decays: false)
    let sgd = try SGD([weight, bias], momentum: 0.9, weightDecay: 0.5, nesterov: true)
    var (p, v) = ([1.0, 1.0], [0.0, 0.0])
    for _ in 0..<4 {
      try Tensor.clearGradientsInPlace([weight.value, bias.value])
      try weight.value.multiplied(by: weight.value).adding(bias.value.multiplied(by: bias.value)).sum().backward()
      try sgd.step(learningRate: 0.1)
      for (index, decay) in [0.5, 0].enumerated() {
        let gradient = 2 * p[index] + decay * p[index]
        v[index] = 0.9 * v[index] + gradient
        p[index] -= 0.1 * (gradient + 0.9 * v[index])
      }
      #expect(try close(weight.value.floats() + bias.value.floats(), p.map(Float.init), within: 1e-5))
    }
  }

  @Test func clippingScalesToTheLimitAndOnlyAboveIt() throws {
    let parameter = try Parameter(.full([2], 0), decays: true)
    try parameter.value.multiplied(by: Tensor([3, 4], shape: [2])).sum().backward()
    #expect(try Tensor.clipGradientsInPlace([parameter.value], maximumNorm: 10) == 5)
    #expect(try parameter.value.gradient?.floats() == [3, 4])
    #expect(try Tensor.clipGradientsInPlace([parameter.value], maximumNorm: 1) == 5)
    #expect(try close(parameter.value.gradient?.floats() ?? [], [0.6, 0.8]))
  }

  @Test func averageMovesByItsWeight() throws {
    let target = try Tensor.full([2], 0)
    try Tensor.interpolateInPlace([target], towards: [.full([2], 8)], weight: 0.25)
    #expect(try target.floats() == [2, 2])
  }

  @Test func crossEntropyEqualsItsDefinition() throws {
    let logits: [Float] = [1, 2, 3, 0, 0, 0]
    let targets: [Float] = [0, 0, 1, 0.5, 0.5, 0]
    let sum = log(exp(1.0) + exp(2.0) + exp(3.0))
    let (x, t) = (try Tensor(logits, shape: [2, 3]), try Tensor(targets, shape: [2, 3]))
    #expect(try close(CrossEntropy().perRow(logits: x, targets: t).floats(), [Float(sum - 3), Float(log(3.0))]))
    let smooth = Float((sum - 3) * (0.7 + 0.1) + (sum - 2) * 0.1 + (sum - 1) * 0.1)
    #expect(
      try close(CrossEntropy(labelSmoothing: 0.3).perRow(logits: x, targets: t).floats(), [smooth, Float(log(3.0))]))
    let masked = try CrossEntropy()(logits: x, targets: t, weights: Tensor([0, 1], shape: [2]), normalizer: 1)
    #expect(try close(masked.floats(), [Float(log(3.0))]))
  }

  @Test func cosineWarmsUpPeaksAndEnds() {
    let schedule = Schedule.cosine(warmup: 0.1, final: 0.2, restarts: [])
    #expect(schedule.factor(progress: 0.05) == 0.5)
    #expect(schedule.factor(progress: 0.1) == 1)
    #expect(abs(schedule.factor(progress: 0.55) - 0.6) < 1e-12)
    #expect(abs(schedule.factor(progress: 1) - 0.2) < 1e-12)
    let restarting = Schedule.cosine(warmup: 0.1, final: 0, restarts: [.init(start: 0.5, peak: 0.4)])
    #expect(abs(restarting.factor(progress: 0.3) - 0.5) < 1e-12)
    #expect(abs(restarting.factor(progress: 0.5)) < 1e-12)
    #expect(abs(restarting.factor(progress: 0.500001) - 0.4) < 1e-6)
    #expect(abs(restarting.factor(progress: 0.75) - 0.2) < 1e-12)
    #expect(Schedule.constant.factor(progress: 0.7) == 1)
  }
}
