import MienCore
import MienVision
import Testing

@Suite
struct LabelLayoutTests {
  private let whole = LabelLayout.Size(width: 150, height: 20)
  private let short = LabelLayout.Size(width: 24, height: 20)

  /// Places whole and short labels at all boxes.
  private func placed(_ boxes: [Box], width: Int = 800, height: Int = 600) -> [LabelLayout.Placement] {
    LabelLayout(width: width, height: height, boxes: boxes)
      .placements(boxes.map { _ in [whole, short] }).compactMap { $0 }
  }

  /// Which boxes and panels a face's panel hides, besides its own box.
  private func hidden(_ index: Int, _ placements: [LabelLayout.Placement], _ boxes: [Box]) -> [Int] {
    boxes.indices.filter { other in
      other != index
        && (placements[index].panel.intersectionArea(boxes[other]) > 0
          || placements[index].panel.intersectionArea(placements[other].panel) > 0)
    }
  }

  private func isInside(_ panel: Box, width: Int = 800, height: Int = 600) -> Bool {
    panel.x >= 0 && panel.y >= 0 && panel.x + panel.width <= width && panel.y + panel.height <= height
  }

  @Test func aSingleFaceHasItsWholeLabelAboveIt() {
    let box = Box(x: 300, y: 200, width: 80, height: 80)
    let placement = placed([box])[0]
    #expect(placement.form == 0 && placement.panel == Box(x: 300, y: 180, width: 150, height: 20))
  }

  @Test func aLabelGoesBelowRightOrLeftWhereAFaceIsAbove() {
    let box = Box(x: 300, y: 200, width: 80, height: 80)
    let above = Box(x: 250, y: 100, width: 250, height: 95)
    let below = Box(x: 250, y: 285, width: 250, height: 95)
    let right = Box(x: 385, y: 200, width: 80, height: 80)
    // Only the first box has a label.
    func panel(_ others: Box...) -> Box? {
      LabelLayout(width: 800, height: 600, boxes: [box] + others)
        .placements([[whole, short]] + others.map { _ in [] })[0]?.panel
    }
    #expect(panel(above) == Box(x: 300, y: 280, width: 150, height: 20))
    #expect(panel(above, below) == Box(x: 380, y: 200, width: 150, height: 20))
    #expect(panel(above, below, right) == Box(x: 150, y: 200, width: 150, height: 20))
  }

  /// Rows of faces with little between them, as in a photo of a class.
  @Test func rowsOfFacesHaveShortLabelsThatHideNoFace() {
    let boxes = (0..<4).flatMap { row in
      (0..<10).map { Box(x: 30 + 75 * $0, y: 60 + 80 * row, width: 50, height: 50) }
    }
    let placements = placed(boxes)
    for index in boxes.indices {
      #expect(hidden(index, placements, boxes) == [], "face \(index): \(placements[index])")
      #expect(isInside(placements[index].panel))
    }
    #expect(placements.contains { $0.form == 0 } && placements.contains { $0.form == 1 })
    #expect(placed(boxes) == placements)
  }

  /// Scattered faces: a label hides another face only if no place beside its own is free of it.
  @Test func scatteredFacesAreHiddenOnlyWhereNoPlaceIsFree() {
    var random = SeededRandom(seed: 5)
    for count in [2, 8, 20, 45] {
      for _ in 0..<20 {
        let boxes = (0..<count).map { _ in
          let side = Int.random(in: 20...120, using: &random)
          return Box(
            x: Int.random(in: -20...760, using: &random), y: Int.random(in: -20...560, using: &random), width: side,
            height: side)
        }
        let placements = placed(boxes)
        #expect(placed(boxes) == placements)
        for (index, box) in boxes.enumerated() {
          #expect(isInside(placements[index].panel))
          let others = boxes.indices.filter { $0 != index }
          guard others.contains(where: { placements[index].panel.intersectionArea(boxes[$0]) > 0 }) else { continue }
          // The short label above its box is among the choices.
          let above = Box(
            x: max(0, min(box.x, 800 - short.width)), y: box.y - short.height, width: short.width, height: short.height)
          let isFree =
            isInside(above)
            && others.allSatisfy { above.intersectionArea(boxes[$0]) == 0 }
            && others.allSatisfy { above.intersectionArea(placements[$0].panel) == 0 }
          #expect(!isFree, "face \(index) of \(count): \(placements[index])")
        }
      }
    }
  }

  @Test func aFaceThatFillsThePictureHasItsLabelInItsCorner() {
    let placement = placed([Box(x: -10, y: -5, width: 830, height: 640)])[0]
    #expect(placement.form == 0 && placement.panel == Box(x: 0, y: 0, width: 150, height: 20))
  }

  @Test func aSingleFormIsDrawnWhereItHidesLeast() {
    let boxes = [
      Box(x: 300, y: 200, width: 40, height: 40), Box(x: 0, y: 0, width: 800, height: 225),
      Box(x: 0, y: 241, width: 800, height: 359),
    ]
    let placements = LabelLayout(width: 800, height: 600, boxes: boxes).placements([[whole], [], []])
    // Above: all of it; right, at the lower end: all but the 16 rows between the other boxes.
    #expect(placements[0]?.panel == Box(x: 340, y: 220, width: 150, height: 20))
    #expect(placements[1] == nil && placements[2] == nil)
  }
}
