import Foundation
import MienCore
import Testing

/// What ``EmotionPalette`` promises, computed from the colours.
@Suite struct EmotionPaletteTests {
  /// Linear red, green and blue, 0…1.
  private func linear(_ color: EmotionPalette.Color) -> [Double] {
    [color.red, color.green, color.blue].map { channel in
      let value = Double(channel) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
  }

  private func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
    matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
  }

  /// WCAG 2.1's contrast ratio.
  private func contrast(_ a: EmotionPalette.Color, _ b: EmotionPalette.Color) -> Double {
    let luminances = [a, b].map { color in
      zip([0.2126, 0.7152, 0.0722], linear(color)).reduce(0) { $0 + $1.0 * $1.1 }
    }.sorted()
    return (luminances[1] + 0.05) / (luminances[0] + 0.05)
  }

  /// OKLab of linear red, green and blue (Ottosson 2020).
  private func oklab(_ rgb: [Double]) -> [Double] {
    let cones = product(
      [
        [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
      ], rgb.map { min(max($0, 0), 1) }
    ).map(cbrt)
    return product(
      [
        [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
      ], cones)
  }

  /// How linear colours look to whom (Machado, Oliveira and Fernandes 2009, severity 1).
  private let sights: [String: [[Double]]] = [
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [
      [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
      [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
      [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900],
    ],
  ]

  @Test(arguments: EmotionPalette.Theme.allCases)
  func noTwoEmotionsLookAlikeToAnyone(theme: EmotionPalette.Theme) {
    for (sight, matrix) in sights {
      let places = Emotion.allCases.map { emotion in
        (emotion, oklab(product(matrix, linear(EmotionPalette.color(of: emotion, on: theme)))))
      }
      for (index, first) in places.enumerated() {
        for second in places.dropFirst(index + 1) {
          let distance = zip(first.1, second.1).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
          #expect(distance >= 0.08, "\(first.0.rawValue) and \(second.0.rawValue) under \(sight): \(distance)")
        }
      }
    }
  }

  /// The grounds of reports and of the web page.
  @Test(arguments: [
    (EmotionPalette.Theme.light, [UInt32(0xFFFFFF), 0xF6F8FA, 0xF6F5F2, 0xEFEEEA]),
    (.dark, [0x0D1117, 0x151B23, 0x12151A, 0x1B1F26, 0x262B34]),
  ])
  func coloursStandOutFromTheirGrounds(theme: EmotionPalette.Theme, grounds: [UInt32]) {
    for emotion in Emotion.allCases {
      for ground in grounds {
        let ratio = contrast(EmotionPalette.color(of: emotion, on: theme), EmotionPalette.Color(ground))
        #expect(ratio >= 3, "\(emotion.rawValue) on \(String(ground, radix: 16)): \(ratio)")
      }
    }
  }

  @Test func coloursAreWrittenForStyleSheets() {
    #expect(EmotionPalette.Color(0x0A0BFF).hexadecimal == "#0a0bff")
    #expect(EmotionPalette.color(of: .anger, on: .light).hexadecimal == "#8e1511")
  }

  @Test func theRampOfMapsGetsLighterThroughout() {
    let lightness = EmotionPalette.heat.map { oklab(linear($0))[0] }
    #expect(lightness == lightness.sorted() && Set(lightness).count == lightness.count)
  }
}
