public import Foundation

/// How much each region of the face decides each emotion, over many faces: what `mien explain --json` writes of a set.
public struct RegionReport: Codable, Sendable, Equatable {
  /// One region for one emotion.
  public struct Region: Codable, Sendable, Equatable {
    /// The region.
    public var region: FaceRegion
    /// Its share of the frame, 0…1.
    public var area: Double
    /// The mean share of the maps' sums in it, 0…1.
    public var share: Double
    /// `share / area`: 1 where the region speaks as much as any other place of its size.
    public var density: Double
    /// The mean fall of the emotion's probability when the region is hidden; nil where that was not measured.
    public var fall: Double?
  }

  /// One emotion.
  public struct Entry: Codable, Sendable, Equatable {
    /// The emotion that the faces are read as.
    public var emotion: Emotion
    /// How many faces.
    public var count: Int
    /// The regions, in the order of ``FaceRegion``'s cases.
    public var regions: [Region]
  }

  /// How the maps were made: `cam`, `gradcam` or `occlusion`.
  public var method: String
  /// The model's or run's name.
  public var model: String
  /// The label set of the readings.
  public var labels: String
  /// How many faces.
  public var count: Int
  /// The emotions that any face is read as, in the label set's order.
  public var emotions: [Entry]

  /// One face's contribution.
  public struct Face: Sendable {
    /// The map of the emotion that the face is read as.
    public var map: EmotionMap
    /// The fall of its probability when each region is hidden, in the order of ``FaceRegion``'s cases; nil where it was
    /// not measured.
    public var falls: [Double]?

    /// Describes a face.
    public init(map: EmotionMap, falls: [Double]? = nil) {
      self.map = map
      self.falls = falls
    }
  }

  /// Sums `faces` up.
  public init(_ faces: [Face], labels: LabelSet, method: String, model: String) {
    (self.method, self.model, self.labels, count) = (method, model, labels.name, faces.count)
    emotions = labels.emotions.compactMap { emotion in
      let own = faces.filter { $0.map.emotion == emotion }
      guard !own.isEmpty else { return nil }
      let shares = own.map(\.map.regionShares)
      let falls = own.compactMap(\.falls)
      let regions = FaceRegion.allCases.enumerated().map { index, region in
        func mean(_ rows: [[Double]]) -> Double { rows.reduce(0) { $0 + $1[index] } / Double(rows.count) }
        let share = mean(shares)
        return Region(
          region: region, area: FaceRegion.areas[index], share: share, density: share / FaceRegion.areas[index],
          fall: falls.count == own.count ? mean(falls) : nil)
      }
      return Entry(emotion: emotion, count: own.count, regions: regions)
    }
  }

  /// The report as indented JSON with sorted keys.
  public func json() throws -> Data { try JSONText.document(self) }
}
