import Foundation
import MienCore
import MienReports
import Testing

@Suite struct MapDrawingTests {
  @Test func drawingKeepsTheFaceWhereNothingSpeaks() throws {
    let map = try EmotionMap(emotion: .anger, coarse: [0, 1], rows: 1, columns: 2, width: 2, height: 1)
    let drawn = try map.drawn(over: [100, 100], channels: 1)
    #expect(drawn.count == 6 && drawn.prefix(3) == [100, 100, 100])
    #expect(drawn[3] > drawn[4] && drawn[4] > drawn[5], "yellow over grey")
    #expect(try map.drawn(over: [100, 100, 100, 100, 100, 100], channels: 3) == drawn)
    #expect(throws: MienError.self) { try map.drawn(over: [1], channels: 1) }
  }

  @Test func mapsOfOneFaceCanBeComparedOnOneScale() throws {
    let strong = try EmotionMap(emotion: .anger, coarse: [0, 8], rows: 1, columns: 2, width: 2, height: 1)
    let weak = try EmotionMap(emotion: .fear, coarse: [0, 2], rows: 1, columns: 2, width: 2, height: 1)
    let none = try EmotionMap(emotion: .fear, coarse: [-1, -2], rows: 1, columns: 2, width: 2, height: 1)
    #expect(strong.strength == 8 && weak.strength == 2 && none.strength == 0 && strong.values == weak.values)
    func drawn(_ map: EmotionMap, _ scale: Float?) throws -> [UInt8] {
      try map.drawn(over: [100, 100], channels: 1, scale: scale)
    }
    #expect(try drawn(strong, nil) == drawn(weak, nil) && drawn(strong, 8) == drawn(strong, nil))
    #expect(
      try drawn(weak, 8)
        == drawn(EmotionMap(emotion: .fear, coarse: [0, 1], rows: 1, columns: 2, width: 2, height: 1), 4))
    // A quarter of the scale is fainter than the whole of it, and nothing is nothing.
    let (faint, full) = (try drawn(weak, 8), try drawn(strong, 8))
    #expect(faint[3] < full[3] && faint != [100, 100, 100, 100, 100, 100])
    #expect(try drawn(none, 8) == [100, 100, 100, 100, 100, 100] && drawn(none, 0) == drawn(none, nil))
  }

  /// The bars of falls on a page, in units, and its notes.
  private func falls(_ falls: [Double]) throws -> (widths: [Double], notes: [String]) {
    let labels = LabelSet.ferplus
    var explanations = Explanations(labels: labels, method: "cam", model: "m")
    let map = try EmotionMap(
      emotion: labels.emotions[0], coarse: [0, 1, 1, 0], rows: 2, columns: 2, width: 48, height: 48)
    let distribution = try EmotionDistribution(
      labels: labels, probabilities: labels.emotions.indices.map { $0 == 0 ? 1 : 0 })
    try explanations.add(
      ExplainedFace(
        name: "f", pixels: [UInt8](repeating: 9, count: 48 * 48), channels: 1, distribution: distribution, maps: [map],
        falls: falls))
    let markup = try Markup(explanations.page(environment: []).html)
    let bars = markup.all("rect", class: "e-\(labels.emotions[0].rawValue)")
    // Six bars of shares and six of falls, for pages, then for phones.
    #expect(bars.count == 24)
    let widths = bars[12..<18].compactMap { Double($0.attributes["width"] ?? "") }
    return (widths, markup.all("p", class: "note").map(\.text))
  }

  @Test func fallsOfNothingDoNotLookLikeAnEffect() throws {
    let small = try falls([0.001, -0.0001, 0, 0.0005, 0, 0])
    #expect((small.widths.max() ?? 99) < 6, "a hundredth of the axis, which has at least 10 points")
    #expect(small.notes.contains { $0.contains("less than 1 point") })
    let large = try falls([0.4, -0.02, 0, 0.2, 0, 0])
    #expect(large.widths.count == 6 && large.widths[0] > 300 && abs(large.widths[0] - 2 * large.widths[3]) < 0.1)
    #expect(!large.notes.contains { $0.contains("less than 1 point") })
  }

  @Test func methodsAreSpelledOut() throws {
    let labels = LabelSet.ferplus
    let distribution = try EmotionDistribution(
      labels: labels, probabilities: labels.emotions.indices.map { $0 == 0 ? 1 : 0 })
    let without = try EmotionMap(
      emotion: labels.emotions[1], coarse: [0, 0, 0, 0], rows: 2, columns: 2, width: 48, height: 48)
    for (method, name) in [
      ("cam", "class activation map (cam)"), ("occlusion", "occlusion map"), ("gradcam", "Grad-CAM map"),
    ] {
      var explanations = Explanations(labels: labels, method: method, model: "m")
      let map = try EmotionMap(
        emotion: labels.emotions[0], coarse: [0, 1, 1, 0], rows: 2, columns: 2, width: 48, height: 48)
      try explanations.add(
        ExplainedFace(
          name: "f", pixels: [UInt8](repeating: 9, count: 48 * 48), channels: 1, distribution: distribution,
          maps: [map, without]))
      let captions = try Markup(explanations.page(environment: []).html).texts("li")
      #expect(captions.contains { $0.hasSuffix("0\u{A0}%, no support") }, "\(captions)")
      #expect(explanations.lines[2].hasPrefix("share of the \(name) in each region; "))
      #expect(explanations.page(environment: []).subtitle.contains(name.replacing("map", with: "maps")))
    }
  }

  @Test func aPictureIsTheEnlargedFaceUnderItsMap() throws {
    let map = try EmotionMap(emotion: .anger, coarse: [0, 1, 1, 0], rows: 2, columns: 2, width: 2, height: 2)
    let png = try map.picture(over: [0, 100, 200, 50], channels: 1, enlarged: 3)
    let enlarged = try map.resized(width: 6, height: 6)
    // The corners' pixels are those of the face.
    let drawn = try enlarged.drawn(over: [UInt8](repeating: 0, count: 36), channels: 1)
    #expect(png.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]) && png[19] == 6 && png[23] == 6 && drawn.count == 108)
    #expect(throws: MienError.self) { try map.picture(over: [0], channels: 1) }
  }
}
