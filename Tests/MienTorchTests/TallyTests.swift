import MienTorch
import Testing

@Suite @TorchActor struct TallyTests {
  @Test func rightAnswersAreCountedAmongRowsWithATarget() throws {
    let first = try Tensor([3, 1, 2, 0, 5, 1, 9, 0, 0, 1, 2, 3], shape: [4, 3])
    // Right; wrong, by a soft target; no target; right, by a soft one.
    let targets = try Tensor([1, 0, 0, 0.6, 0.4, 0, 0, 0, 0, 0.2, 0.3, 0.5], shape: [4, 3])
    let second = try Tensor([0, 1, 0, 1, 1, 0, 0, 1], shape: [4, 2])
    let none = try Tensor.full([4, 2], 0)
    let (loss, heads) = try Tensor.tally(
      loss: .full([1], 2.5).sum(), logits: [first, second], targets: [targets, none])
    #expect(loss == 2.5)
    #expect(heads.map(\.counted) == [3, 0] && heads.map(\.right) == [2, 0])
  }
}
