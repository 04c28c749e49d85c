import Foundation
import MienCore
import MienDatasets

/// Faces drawn by numbers: an oval with eyes, brows and a mouth on a textured ground, another one for each seed.
struct DrawnFaces {
  static let side = 48
  private(set) var rows: [FaceSet.Row] = []
  private(set) var pixels = Data()

  /// Draws the face of `seed`.
  static func face(_ seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    func draw(_ low: Float, _ high: Float) -> Float { random.uniform(in: low...high) }
    let (x, y) = (draw(20, 28), draw(20, 28))
    let (width, height) = (draw(12, 20), draw(15, 22))
    let (skin, ground, tilt) = (draw(100, 220), draw(10, 90), draw(-1.5, 1.5))
    let (eyeGap, eyeHeight, eyeSize) = (draw(4, 9), draw(2, 9), draw(1.2, 3.5))
    let (mouthHeight, mouthWidth, mouthBend, mouthSize) = (draw(4, 11), draw(3, 10), draw(-0.15, 0.15), draw(1, 3.5))
    let (waveX, waveY, phase) = (draw(0.1, 0.7), draw(0.1, 0.7), draw(0, 6))
    let (lightX, lightY) = (draw(-2, 2), draw(-2, 2))
    return (0..<(side * side)).map { index in
      let (column, row) = (Float(index % side), Float(index / side))
      var value = ground + 40 * sin(waveX * column + waveY * row + phase)
      let (dx, dy) = (column - x, row - y)
      if dx * dx / (width * width) + dy * dy / (height * height) < 1 {
        value = skin + lightX * dx + lightY * dy
        for sign in [Float(-1), 1] {
          let (ex, ey) = (dx - sign * eyeGap, dy + eyeHeight + sign * tilt)
          if ex * ex / 2 + ey * ey < eyeSize * eyeSize { value = 25 }
        }
        if abs(dy - mouthHeight + mouthBend * dx * dx) < mouthSize, abs(dx) < mouthWidth { value = 45 }
      }
      return UInt8(max(0, min(255, value)))
    }
  }

  /// Adds a picture.
  mutating func add(_ face: [UInt8], _ label: Emotion?, _ split: Split = .train, subject: String? = nil) {
    rows.append(.init(label: label, split: split, subject: subject, sourceRow: 100 + rows.count))
    pixels.append(contentsOf: face)
  }

  /// The faces added.
  func set() throws -> FaceSet {
    try FaceSet(
      source: "drawn", labelSet: .fer2013, height: Self.side, width: Self.side, channels: 1, rows: rows, pixels: pixels)
  }

  /// `face` brighter and of another contrast.
  static func brighter(_ face: [UInt8]) -> [UInt8] { face.map { UInt8(min(255, 30 + Float($0) * 0.8)) } }

  /// `face` moved right and down, its border repeated.
  static func moved(_ face: [UInt8], right: Int, down: Int) -> [UInt8] {
    (0..<(side * side)).map { index in
      let column = max(0, min(side - 1, index % side - right))
      let row = max(0, min(side - 1, index / side - down))
      return face[row * side + column]
    }
  }
}
