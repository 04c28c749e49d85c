/// How strongly each place of a framed face speaks for an emotion.
public struct EmotionMap: Sendable, Equatable {
  /// The emotion.
  public let emotion: Emotion
  /// The face's width in pixels.
  public let width: Int
  /// The face's height in pixels.
  public let height: Int
  /// [height, width] row by row, 0…1: the largest is 1, or all are 0 if no place speaks for the emotion.
  public let values: [Float]
  /// The evidence of the place whose value is 1, on the scale of the method: maps of one face by one method can be
  /// compared by it. 0 if no place speaks for the emotion.
  public let strength: Float

  /// Enlarges `coarse` to the face (bilinear between the places' centres, the border repeated), drops what is negative,
  /// and divides by the largest value.
  ///
  /// - Parameters:
  ///   - coarse: [rows, columns] evidence on any scale: positive where a place speaks for the emotion.
  /// - Throws: ``MienError`` where a size is not positive, the count does not fit, or a value is not finite.
  public init(emotion: Emotion, coarse: [Float], rows: Int, columns: Int, width: Int, height: Int) throws {
    guard rows > 0, columns > 0, width > 0, height > 0, coarse.count == rows * columns else {
      throw MienError(
        .mismatch, nil,
        "expected a map of \(rows)x\(columns) values for a face of \(width)x\(height), found "
          + "\(coarse.count)")
    }
    guard coarse.allSatisfy(\.isFinite) else { throw MienError(.format, nil, "a map's value is no number") }
    let values = Self.enlarged(coarse, rows: rows, columns: columns, width: width, height: height).map { max(0, $0) }
    let largest = values.max() ?? 0
    self.emotion = emotion
    (self.width, self.height) = (width, height)
    self.values = largest > 0 ? values.map { $0 / largest } : values
    strength = largest
  }

  private init(_ map: EmotionMap, values: [Float], width: Int, height: Int) {
    (emotion, strength) = (map.emotion, map.strength)
    (self.values, self.width, self.height) = (values, width, height)
  }

  /// The same map for a picture of the face of another size.
  ///
  /// - Throws: ``MienError`` if a side is not positive.
  public func resized(width: Int, height: Int) throws -> EmotionMap {
    guard width > 0, height > 0 else {
      throw MienError(.mismatch, nil, "expected positive sides for a map, found \(width)x\(height)")
    }
    guard (width, height) != (self.width, self.height) else { return self }
    let values = Self.enlarged(values, rows: self.height, columns: self.width, width: width, height: height)
    let largest = values.max() ?? 0
    return EmotionMap(
      self, values: largest > 0 ? values.map { min(1, $0 / largest) } : values, width: width, height: height)
  }

  /// Bilinear between the places' centres, the border repeated.
  package static func enlarged(_ coarse: [Float], rows: Int, columns: Int, width: Int, height: Int) -> [Float] {
    let across = places(columns, over: width)
    var values: [Float] = []
    values.reserveCapacity(width * height)
    for row in places(rows, over: height) {
      for column in across {
        func mix(_ row: Int) -> Float {
          let (first, second) = (coarse[row * columns + column.first], coarse[row * columns + column.second])
          return first + column.share * (second - first)
        }
        let (upper, lower) = (mix(row.first), mix(row.second))
        values.append(upper + row.share * (lower - upper))
      }
    }
    return values
  }

  /// For each of `size` pixels the two of `count` places it lies between, and how near it is to the second.
  private static func places(_ count: Int, over size: Int) -> [(first: Int, second: Int, share: Float)] {
    (0..<size).map { index in
      let place = (Float(index) + 0.5) * Float(count) / Float(size) - 0.5
      let inside = min(max(place, 0), Float(count - 1))
      let first = Int(inside)
      return (first, min(first + 1, count - 1), inside - Float(first))
    }
  }

  /// The pixels from the highest value down, of equals in reading order.
  package var ranking: [Int] { values.indices.sorted { (-values[$0], $0) < (-values[$1], $1) } }
}
