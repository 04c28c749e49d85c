import Foundation
import MienCore
import MienInference
import MienVision
import Testing

/// The documented JSON: what readings are written as, to the byte, and what is read back from it.
@Suite struct ReadingJSONTests {
  private func golden(_ name: String) throws -> String {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)")
    return try String(contentsOf: file, encoding: .utf8)
  }

  private func text(_ value: some Encodable, landmarks: LandmarkDetail? = nil) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.landmarks = landmarks
    return try String(decoding: encoder.encode(value), as: UTF8.self) + "\n"
  }

  private func value<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }

  private func distribution(_ happiness: Float) throws -> EmotionDistribution {
    // The order of FER+: neutral, happiness, …
    try EmotionDistribution(labels: .ferplus, probabilities: [1 - happiness, happiness, 0, 0, 0, 0, 0, 0])
  }

  private func face(points: FacePoints? = nil, landmarks: FaceLandmarks? = nil) -> DetectedFace {
    DetectedFace(box: Box(x: 10, y: 20, width: 30, height: 40), score: 0.875, points: points, landmarks: landmarks)
  }

  @Test(arguments: ["picture.json", "picture-failed.json"]) func picturesKeepTheirText(name: String) throws {
    let text = try golden(name)
    let picture = try value(PictureReadings.self, text)
    #expect(try self.text(picture) == text)
    #expect(try value(PictureReadings.self, self.text(picture)) == picture)
  }

  @Test func pictureIsReadWhole() throws {
    let picture = try value(PictureReadings.self, golden("picture.json"))
    #expect(picture.file == "photos/a.jpg" && picture.width == 100 && picture.height == 200 && picture.error == nil)
    #expect(picture.warning == "the last 3 of 200 rows are missing")
    let turned = try #require(picture.faces.first)
    #expect(turned.box == Box(x: 10, y: 20, width: 30, height: 40) && turned.score == 0.875)
    #expect(turned.pose == FacePose(yaw: 30.3, pitch: -2.5, roll: 12))
    #expect(turned.doubt == .turned && !turned.isConfident)
    #expect(try turned.distribution == distribution(0.75))
    #expect(turned.emotion == .happiness && turned.probability == 0.75)
    let whole = try #require(picture.faces.last)
    #expect(whole.score == nil && whole.pose == nil && whole.isConfident)
  }

  @Test func readingIsWrittenAsDocumented() throws {
    let reading = FaceReading(face: face(), distribution: try distribution(0.75))
    let written = try text(PictureReadings(file: nil, width: 1, height: 2, faces: [reading]))
    #expect(
      written == """
        {"error":null,"faces":[{"box":{"height":40,"width":30,"x":10,"y":20},"emotion":"happiness","pose":null,\
        "probability":0.75,"score":0.875,"scores":\(try golden("distribution.json").dropLast())}],"file":null,\
        "height":2,"width":1}

        """)
    #expect(try value(FaceReading.self, text(reading)) == reading)
  }

  @Test func pointsAreWrittenOnDemand() throws {
    let points = FacePoints(
      leftEye: Point(x: 12.5, y: 30), rightEye: Point(x: 22.5, y: 31), nose: Point(x: 18, y: 40),
      mouth: Point(x: 18, y: 50.25))
    let reading = FaceReading(face: face(points: points), distribution: try distribution(0.75))
    #expect(try !text(reading).contains("landmarks"))
    #expect(try text(reading, landmarks: .six) == golden("face-landmarks.json"))
    #expect(try value(FaceReading.self, golden("face-landmarks.json")) == reading)
  }

  @Test func the468PointsComeBack() throws {
    var points: [FaceLandmarks.Point3] = []
    for index in 0..<FaceLandmarks.count {
      let (x, y, z): (Int, Int, Int) = (index % 31, index % 17, index % 7)
      points.append(FaceLandmarks.Point3(x: Double(x), y: Double(y), z: Double(z)))
    }
    let mesh = try #require(FaceLandmarks(points: points, probability: 1))
    let reading = FaceReading(
      face: face(points: mesh.sixPoints, landmarks: mesh), distribution: try distribution(0.75))
    let read = try value(FaceReading.self, text(reading, landmarks: .all))
    #expect(read.face == reading.face && read.distribution == reading.distribution && read.doubt == reading.doubt)
    // The pose comes back to a tenth of a degree, and then stays as it is.
    let (pose, exact) = (try #require(read.pose), mesh.pose)
    #expect(abs(pose.yaw - exact.yaw) < 0.051 && abs(pose.pitch - exact.pitch) < 0.051)
    #expect(abs(pose.roll - exact.roll) < 0.051 && reading.pose == exact)
    #expect(try value(FaceReading.self, text(read, landmarks: .all)) == read)
  }

  @Test func aFacesNumbersAreWrittenWithoutIdleDigits() throws {
    let reading = try value(
      FaceReading.self,
      #"""
      {"box":{"x":1,"y":2,"width":3,"height":4},"score":0.8796126966509666,"scores":{"anger":0.25,"happiness":0.75},
      "pose":{"yaw":-0.04,"pitch":20.44665520748365,"roll":-179.96},"landmarks":{"leftEye":{"x":844.8512025635421,
      "y":125.81646462112508},"rightEye":{"x":906.46379,"y":139},"nose":{"x":1,"y":2},"mouth":{"x":3,"y":4.004}}}
      """#)
    let written = try text(reading, landmarks: .six)
    // -0.04 degrees are 0, not the -0 that some programs write as 0 and others as -0.
    #expect(written.contains(#""pose":{"pitch":20.4,"roll":-180,"yaw":0},"#) && written.contains(#""score":0.8796,"#))
    #expect(written.contains(#""leftEye":{"x":844.85,"y":125.82},"mouth":{"x":3,"y":4},"#), "\(written)")
    // What is written once stays as it is.
    let read = try value(FaceReading.self, written)
    #expect(try text(read, landmarks: .six) == written)
    #expect(read.score == 0.8796 && read.pose == FacePose(yaw: 0, pitch: 20.4, roll: -180))
    // The values themselves keep their digits.
    #expect(reading.score == 0.8796126966509666 && reading.pose?.pitch == 20.44665520748365)
    let tracked = TrackedReading(track: 1, reading: reading, smoothed: reading.distribution, emotion: .happiness)
    let frame = FrameReadings(index: 0, seconds: 0, width: 9, height: 9, faces: [tracked])
    #expect(try text(frame.rows).contains(#""pose":{"pitch":20.4,"roll":-180,"yaw":0},"#))
    #expect(try text(frame.rows).contains(#""score":0.8796,"#))
    // CSV has the same numbers.
    let picture = PictureReadings(file: "a", width: 9, height: 9, faces: [reading])
    #expect(PictureCSV(labels: reading.distribution.labels).rows(picture).hasSuffix(",0.8796,0.0,20.4,-180.0,,\r\n"))
    #expect(frame.rows[0].csv([.anger, .happiness]).hasSuffix(",0.8796,0.0,20.4,-180.0\r\n"))
  }

  @Test func measuresAndTheMeshAreWrittenWithoutIdleDigits() throws {
    var random = SeededRandom(seed: 5)
    func place() -> Double { Double(random.uniform()) * 90 }
    let points = (0..<FaceLandmarks.count).map { _ in FaceLandmarks.Point3(x: place(), y: place(), z: place()) }
    let mesh = try #require(FaceLandmarks(points: points, probability: 1))
    let reading = FaceReading(face: face(landmarks: mesh), distribution: try distribution(0.75))
    let written = try text(reading, landmarks: .all)
    let object = try #require(JSONSerialization.jsonObject(with: Data(written.utf8)) as? [String: Any])
    let measures = try #require(object["measures"] as? [String: Double])
    #expect(abs((measures["mouthWidth"] ?? 0) - mesh.measures.mouthWidth) <= 0.00051)
    #expect(measures.count == 5 && measures.values.allSatisfy { "\($0)".count <= 7 }, "\(measures)")
    let places = try #require(object["landmarks"] as? [[Double]])
    #expect(places.joined().allSatisfy { "\($0)".count <= 6 } && abs(places[7][1] - points[7].y) <= 0.0051)
    let row = PictureCSV(labels: .ferplus, landmarks: .all).rows(
      PictureReadings(file: "a", width: 9, height: 9, faces: [reading]))
    for (name, value) in measures { #expect(row.contains(",\(value),"), "\(name)") }
  }

  @Test func framesAndRowsKeepTheirText() throws {
    let text = try golden("frame.json")
    let frame = try value(FrameReadings.self, text)
    #expect(try self.text(frame) == text)
    #expect(frame.index == 7 && frame.width == 100 && frame.height == 200 && frame.image == nil)
    #expect(frame.faces.map(\.track) == [3, 4] && frame.faces.map(\.emotion) == [.happiness, nil])
    #expect(try frame.faces[0].smoothed == distribution(0.5) && frame.faces[1].probability == 0.5)

    let empty = FrameReadings(index: 8, seconds: 0.32, width: 100, height: 200, faces: [])
    let rows = frame.rows + empty.rows
    #expect(try rows.map { try self.text($0) }.joined() == golden("rows.jsonl"))
    let lines = try golden("rows.jsonl").split(separator: "\n")
    #expect(try lines.map { try value(VideoRow.self, String($0)) } == rows)
  }

  @Test func distributionsAreReadByTheirEmotions() throws {
    let text = try golden("distribution.json")
    let distribution = try value(EmotionDistribution.self, text)
    #expect(distribution.labels == .ferplus && distribution[.neutral] == 0.25)
    #expect(try self.text(distribution) == text)
    let two = try value(EmotionDistribution.self, #"{"sadness": 0.25, "anger": 0.75}"#)
    #expect(two.labels.emotions == [.anger, .sadness] && two.top.emotion == .anger)
    for wrong in [#"{"anger": 0.5}"#, #"{"anger": -1, "fear": 2}"#, #"{"anger": 1, "hunger": 0}"#, "{}", "[1]"] {
      #expect(throws: (any Error).self, "\(wrong)") { try value(EmotionDistribution.self, wrong) }
    }
  }
}
