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
    #expect(throws: MienError.self) { try map([1, 2, 3], 2, 2, to: 4) }
    #expect(throws: MienError.self) { try map([1, .nan], 1, 2, to: 4) }
  }

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
    #expect(try weak.resized(width: 9, height: 4).strength == 2)
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

  @Test func aPictureIsTheEnlargedFaceUnderItsMap() throws {
    let map = try EmotionMap(emotion: .anger, coarse: [0, 1, 1, 0], rows: 2, columns: 2, width: 2, height: 2)
    let png = try map.picture(over: [0, 100, 200, 50], channels: 1, enlarged: 3)
    let enlarged = try map.resized(width: 6, height: 6)
    // The corners' pixels are those of the face.
    let drawn = try enlarged.drawn(over: [UInt8](repeating: 0, count: 36), channels: 1)
    #expect(png.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]) && png[19] == 6 && png[23] == 6 && drawn.count == 108)
    #expect(throws: MienError.self) { try map.picture(over: [0], channels: 1) }
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
