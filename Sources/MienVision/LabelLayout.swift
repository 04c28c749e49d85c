/// Places the labels of marks on a picture.
///
/// A label has its longest form that covers neither another mark's box nor a label: above its box, below it, right or left
/// of it, or in a corner of it if it hides little of it.
package struct LabelLayout {
  /// The size of a label with its margins, in pixels.
  package struct Size: Sendable, Equatable {
    package let width: Int
    package let height: Int

    /// Makes a size.
    package init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
  }

  /// A label's form, as an index of the sizes offered, and its place.
  package struct Placement: Sendable, Equatable {
    package let form: Int
    package let panel: Box
  }

  private let area: Box
  private let boxes: [Box]

  /// A label may hide this share of its own box, no more as long as there is a shorter form.
  private static let largestShare = 0.3

  /// Lays out labels for a picture of this size.
  ///
  /// - Parameter boxes: the boxes of all marks, in pixels of the picture; may reach over its edge.
  package init(width: Int, height: Int, boxes: [Box]) {
    area = Box(x: 0, y: 0, width: width, height: height)
    self.boxes = boxes
  }

  /// Places the labels of all marks.
  ///
  /// First each has its shortest form, then a longer one if that is free; so no long label takes the place of a short one.
  ///
  /// - Parameter sizes: the forms of each box's label, the longest first; none for a box without a label.
  /// - Returns: the form and its place inside the picture; if no place is free, the one of the last form that covers least.
  package func placements(_ sizes: [[Size]]) -> [Placement?] {
    var placements = [Placement?](repeating: nil, count: boxes.count)
    for (index, forms) in sizes.enumerated() where !forms.isEmpty {
      let last = forms.count - 1
      placements[index] =
        free(forms[last], form: last, at: index, placements) ?? leastCovering(forms[last], last, at: index, placements)
    }
    for (index, forms) in sizes.enumerated() {
      let longer = forms.dropLast().enumerated().lazy.compactMap { form, size in
        free(size, form: form, at: index, placements)
      }
      placements[index] = longer.first ?? placements[index]
    }
    return placements
  }

  private func free(_ size: Size, form: Int, at index: Int, _ placements: [Placement?]) -> Placement? {
    let box = boxes[index]
    let corners = inside(box, size).filter {
      Double($0.intersectionArea(box)) <= Self.largestShare * Double(box.area)
    }
    return (beside(box, size) + corners).first { covered(by: $0, at: index, placements) == 0 }
      .map { Placement(form: form, panel: $0) }
  }

  private func leastCovering(_ size: Size, _ form: Int, at index: Int, _ placements: [Placement?]) -> Placement {
    let candidates = beside(boxes[index], size) + inside(boxes[index], size)
    let costs = candidates.map { covered(by: $0, at: index, placements) }
    // Of equal ones the first.
    let best = candidates.indices.reduce(0) { costs[$1] < costs[$0] ? $1 : $0 }
    return Placement(form: form, panel: candidates[best])
  }

  /// Pixels of other marks' boxes and labels that a panel hides.
  private func covered(by panel: Box, at index: Int, _ placements: [Placement?]) -> Int {
    boxes.indices.reduce(0) { sum, other in
      guard other != index else { return sum }
      return sum + panel.intersectionArea(boxes[other])
        + (placements[other].map { panel.intersectionArea($0.panel) } ?? 0)
    }
  }

  /// Places beside a box, the best first, as far as they lie in the picture.
  private func beside(_ box: Box, _ size: Size) -> [Box] {
    let (right, bottom) = (box.x + box.width, box.y + box.height)
    let across = [box.x, right - size.width].map { within($0, size.width, area.width) }
    let along = [box.y, bottom - size.height].map { within($0, size.height, area.height) }
    let places =
      [box.y - size.height, bottom].flatMap { y in across.map { ($0, y) } }
      + [right, box.x - size.width].flatMap { x in along.map { (x, $0) } }
    return places.map { Box(x: $0.0, y: $0.1, width: size.width, height: size.height) }
      .filter { $0.intersectionArea(area) == $0.area }
  }

  /// Places in the left corners of a box, the upper first, moved into the picture.
  private func inside(_ box: Box, _ size: Size) -> [Box] {
    [box.y, box.y + box.height - size.height].map { y in
      Box(
        x: within(box.x, size.width, area.width), y: within(y, size.height, area.height), width: size.width,
        height: size.height)
    }
  }

  /// The start nearest to `start` of something of this length inside `whole`; 0 if it is longer.
  private func within(_ start: Int, _ length: Int, _ whole: Int) -> Int { max(0, min(start, whole - length)) }
}
