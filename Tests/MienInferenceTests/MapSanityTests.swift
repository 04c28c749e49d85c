import Foundation
import MienCore
import MienInference
import MienTestSupport
import Testing

/// Whether maps show what the model looks at: hiding the places they rank first must lower the probability of the
/// emotion shown more than hiding as many others (deletion, after Petsiuk et al., BMVC 2018).
@Suite(.enabled(if: Shared.has("data/fer2013/fer2013.csv.xz"), "needs the development data")) struct MapSanityTests {
  /// The first `count` faces of FER2013's PublicTest, in 0…1.
  private static func faces(_ count: Int) throws -> [[Float]] {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c", "xz -dc \"$0\" | grep -m \(count) PublicTest", Shared.url("data/fer2013/fer2013.csv.xz").path,
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: "\n").map { row in
      row.split(separator: ",")[1].split(separator: " ").map { (Float($0) ?? 0) / 255 }
    }
  }

  /// The mean of `values` and three of its standard errors.
  private static func mean(_ values: [Double]) -> (value: Double, threeErrors: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
    return (mean, 3 * (variance / Double(values.count)).squareRoot())
  }

  @Test(arguments: [(EmotionClassifier.MapMethod.cam, 500), (.occlusion, 100)])
  func whatIsRankedFirstMattersMost(method: EmotionClassifier.MapMethod, count: Int) throws {
    let classifier = try EmotionClassifier(model: BuiltInModels.model())
    let faces = try Self.faces(count)
    try #require(faces.count == count && faces.allSatisfy { $0.count == 2304 })
    let labels = classifier.widestLabels
    let centred = (0..<2304).sorted { a, b in
      func distance(_ pixel: Int) -> Int {
        let (y, x) = (2 * (pixel / 48) - 47, 2 * (pixel % 48) - 47)
        return x * x + y * y
      }
      return (distance(a), a) < (distance(b), b)
    }
    let names = ["own map", "random", "centred Gaussian", "another class's map"]
    let shares = [0.1, 0.2]
    var falls = shares.map { _ in names.map { _ in [Double]() } }
    for (index, face) in faces.enumerated() {
      var random = SeededRandom(seed: 500, stream: UInt64(index))
      let found = try classifier.maps(of: labels.emotions, for: face, count: 1, method: method)[0]
      let shown = found.distribution.top
      let own = labels.index(of: shown.emotion) ?? 0
      let other = (own + Int.random(in: 1..<labels.count, using: &random)) % labels.count
      let rankings = [
        found.maps[own].ranking, (0..<2304).shuffled(using: &random), centred, found.maps[other].ranking,
      ]
      for (place, share) in shares.enumerated() {
        let masks = rankings.map { ranking -> [Bool] in
          var mask = [Bool](repeating: false, count: 2304)
          for pixel in ranking.prefix(Int(share * 2304)) { mask[pixel] = true }
          return mask
        }
        for (name, seen) in try classifier.distributions(hiding: masks, of: face).enumerated() {
          falls[place][name].append(Double(shown.probability - (seen[shown.emotion] ?? 0)))
        }
      }
    }
    for (share, falls) in zip(shares, falls) {
      let means = zip(names, falls).map { "\($0): \((Self.mean($1).value * 1000).rounded() / 1000)" }
      print("\(method.rawValue), \(count) faces, \(share) hidden, mean fall: \(means.joined(separator: ", "))")
      for place in 1..<names.count {
        let gain = Self.mean(zip(falls[0], falls[place]).map { $0 - $1 })
        #expect(gain.value > gain.threeErrors, "\(method.rawValue) against \(names[place]) at \(share)")
      }
    }
  }
}
