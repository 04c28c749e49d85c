/// A part of a framed face, by fixed fractions of the frame: the features themselves are not searched for. The fractions
/// are read off the mean of FER2013's faces, whose frame is the one that models of this project are trained on.
public enum FaceRegion: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable {
  case brows, eyes, nose, mouth
  /// Cheeks, jaw and chin: the face below the eyes but nose and mouth.
  case cheeks = "cheeks and chin"
  /// Forehead, hair, ears, and what is behind the face.
  case background

  /// The boxes of the regions in 48ths of the frame; a pixel belongs to the first that holds it.
  private static let boxes: [(region: FaceRegion, x: Range<Float>, y: Range<Float>)] = [
    (.brows, 6..<42, 9..<15), (.eyes, 6..<42, 15..<22), (.nose, 17..<31, 22..<32), (.mouth, 12..<36, 32..<43),
    (.cheeks, 6..<42, 22..<48),
  ]

  /// The region of a place.
  ///
  /// - Parameters:
  ///   - x: from the frame's left edge, 0…1.
  ///   - y: from its upper edge, 0…1.
  public static func at(x: Float, y: Float) -> FaceRegion {
    boxes.first { $0.x.contains(x * 48) && $0.y.contains(y * 48) }?.region ?? .background
  }

  /// The region of each pixel of a face, [height, width], by the pixel's centre.
  public static func pixels(width: Int, height: Int) -> [FaceRegion] {
    (0..<(width * height)).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: max(1, width))
      return at(x: (Float(column) + 0.5) / Float(width), y: (Float(row) + 0.5) / Float(height))
    }
  }

  /// Each region's share of the frame, in the order of cases; together 1.
  public static let areas: [Double] = {
    let frame = pixels(width: 48, height: 48)
    return allCases.map { region in Double(frame.count { $0 == region }) / Double(frame.count) }
  }()
}

extension EmotionMap {
  /// The share of the map's sum in each region, in the order of ``FaceRegion``'s cases; together 1, or all 0 where no
  /// place speaks for the emotion.
  public var regionShares: [Double] {
    var sums = [Double](repeating: 0, count: FaceRegion.allCases.count)
    for (region, value) in zip(FaceRegion.pixels(width: width, height: height), values) {
      sums[FaceRegion.allCases.firstIndex(of: region) ?? 0] += Double(value)
    }
    let total = sums.reduce(0, +)
    return total > 0 ? sums.map { $0 / total } : sums
  }
}
