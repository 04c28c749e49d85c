import Foundation
import MienCore
import Testing

@Suite struct EmotionMapTests {
  private func map(_ coarse: [Float], _ rows: Int, _ columns: Int, to size: Int) throws -> EmotionMap {
    try EmotionMap(emotion: .fear, coarse: coarse, rows: rows, columns: columns, width: size, height: size)
  }

  @Test func itIsEnlargedBilinearlyWithoutWhatIsNegative() throws {
    // Centres of the two places lie at 1 and 3 of four pixels.
    #expect(
      try map([-2, 4], 1, 2, to: 4).values
        == [Float](
          [0, 0, 0.625, 1] + [0, 0, 0.625, 1] + [0, 0, 0.625, 1] + [
            0, 0, 0.625, 1,
          ]))
    #expect(try map([0, 0, 0, 5], 2, 2, to: 2).values == [0, 0, 0, 1])
    #expect(try map([-1, -2], 1, 2, to: 3).values == [Float](repeating: 0, count: 9))
    let wide = try EmotionMap(emotion: .fear, coarse: [1, 2, 4], rows: 1, columns: 3, width: 3, height: 2)
    #expect(wide.values == [0.25, 0.5, 1, 0.25, 0.5, 1] && wide.ranking == [2, 5, 1, 4, 0, 3])
    #expect(try wide.resized(width: 3, height: 2) == wide)
    #expect(try wide.resized(width: 9, height: 4).strength == 4)
    #expect(throws: MienError.self) { try map([1, 2, 3], 2, 2, to: 4) }
    #expect(throws: MienError.self) { try map([1, .nan], 1, 2, to: 4) }
  }

  @Test func regionsCoverTheFrameOnce() throws {
    #expect(abs(FaceRegion.areas.reduce(0, +) - 1) < 1e-12 && FaceRegion.areas.allSatisfy { $0 > 0.03 })
    // What FER2013's mean face has there.
    for (x, y, region) in [
      (0.33, 0.25, FaceRegion.brows), (0.31, 0.37, .eyes), (0.5, 0.55, .nose), (0.5, 0.78, .mouth),
      (0.25, 0.6, .cheeks), (0.5, 0.97, .cheeks), (0.5, 0.1, .background), (0.02, 0.5, .background),
    ] { #expect(FaceRegion.at(x: Float(x), y: Float(y)) == region, "\(x) \(y)") }
    let even = try map([1], 1, 1, to: 48)
    #expect(zip(even.regionShares, FaceRegion.areas).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(try map([0], 1, 1, to: 48).regionShares.allSatisfy { $0 == 0 })
    // The same fractions at any size.
    #expect(zip(try map([1], 1, 1, to: 96).regionShares, FaceRegion.areas).allSatisfy { abs($0 - $1) < 1e-9 })
  }

  @Test func aReportIsTheMeanOverTheFacesOfEachEmotion() throws {
    func face(_ emotion: Emotion, _ region: FaceRegion, falls: [Double]?) throws -> RegionReport.Face {
      let coarse = FaceRegion.pixels(width: 48, height: 48).map { $0 == region ? Float(1) : 0 }
      let map = try EmotionMap(emotion: emotion, coarse: coarse, rows: 48, columns: 48, width: 48, height: 48)
      return .init(map: map, falls: falls)
    }
    let falls = [0, 0, 0, 0.5, 0, 0.1]
    let faces = [
      try face(.happiness, .mouth, falls: falls), try face(.happiness, .eyes, falls: [0, 0, 0, 0.1, 0, 0]),
      try face(.anger, .brows, falls: nil),
    ]
    let report = RegionReport(faces, labels: .fer2013, method: "cam", model: "m")
    #expect(report.count == 3 && report.emotions.map(\.emotion) == [.anger, .happiness])
    let happy = report.emotions[1].regions
    #expect(happy.map(\.share) == [0, 0.5, 0, 0.5, 0, 0])
    #expect(happy.map(\.fall) == [0, 0, 0, 0.3, 0, 0.05])
    #expect(happy[3].density == 0.5 / FaceRegion.areas[3])
    #expect(report.emotions[0].regions.map(\.fall) == [Double?](repeating: nil, count: 6))
    #expect(try JSONDecoder().decode(RegionReport.self, from: report.json()) == report)
  }
}
