import Foundation
import MienCore
import MienServer
import Testing

/// The web page's colours are stated elsewhere: those of the emotions in `EmotionPalette`, those of maps beside them.
@Suite struct PageColourTests {
  private func text(_ path: String) throws -> String {
    let file = try #require(WebPage.files().first { $0.path == path })
    return String(decoding: file.data, as: UTF8.self)
  }

  @Test func emotionsHaveThePalettesColours() throws {
    let style = try text("/page/style.css").replacing(try Regex(#"/\*(?s:.*?)\*/"#), with: "")
    // The first block of variables is for light, that of the first media query for dark.
    let blocks = style.components(separatedBy: ":root {").dropFirst().prefix(2).map {
      $0.components(separatedBy: "}")[0]
    }
    try #require(blocks.count == 2)
    for (block, theme) in zip(blocks, [EmotionPalette.Theme.light, .dark]) {
      for emotion in Emotion.allCases {
        let color = EmotionPalette.color(of: emotion, on: theme).hexadecimal
        #expect(block.contains("--\(emotion.rawValue): \(color);"), "\(emotion.rawValue) in the \(theme) theme")
      }
    }
  }

  @Test func mapsHaveTheSameRamp() throws {
    let ramp = EmotionPalette.heat.map { "[\($0.red), \($0.green), \($0.blue)]" }.joined(separator: ", ")
    #expect(try text("/page/explain.js").contains("[\(ramp)]"))
  }
}
