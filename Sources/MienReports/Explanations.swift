public import Foundation
public import MienCore

/// A face and the maps that explain how it is read.
public struct ExplainedFace: Sendable {
  /// What tells it from others, as a file's name or `face 12`.
  public let name: String
  /// [height, width, channels] of the maps' size, 0…255.
  public let pixels: [UInt8]
  /// 1 or 3.
  public let channels: Int
  /// What it is read as.
  public let distribution: EmotionDistribution
  /// A map an emotion, that of the emotion read among them.
  public let maps: [EmotionMap]
  /// The fall of the probability of the emotion read when each region is hidden, in the order of `FaceRegion`'s cases;
  /// nil where it was not measured.
  public let falls: [Double]?

  /// Describes a face.
  public init(
    name: String, pixels: [UInt8], channels: Int, distribution: EmotionDistribution, maps: [EmotionMap],
    falls: [Double]? = nil
  ) {
    (self.name, self.pixels, self.channels) = (name, pixels, channels)
    (self.distribution, self.maps, self.falls) = (distribution, maps, falls)
  }

  /// The face, enlarged, with the map of the emotion that it is read as, as a PNG file.
  ///
  /// - Throws: ``MienError`` where there is no such map, or the sizes differ.
  public func picture() throws -> Data {
    guard let map else { throw MienError(.argument, name, "has no map of the emotion it is read as") }
    return try map.picture(over: pixels, channels: channels, scale: scale)
  }

  /// The face in its full resolution with the map of the emotion that it is read as, as a PNG file.
  ///
  /// - Parameters:
  ///   - crop: [side, side, channels] what the map covers, 0…255.
  ///   - side: its width and height.
  /// - Throws: ``MienError`` if there is no such map, or the sizes differ.
  public func picture(over crop: [UInt8], side: Int, channels: Int) throws -> Data {
    guard let map else { throw MienError(.argument, name, "has no map of the emotion it is read as") }
    return try map.resized(width: side, height: side)
      .picture(over: crop, channels: channels, enlarged: 1, scale: scale)
  }

  /// The evidence that gets the last colour in all of the face's maps, so that they can be compared.
  var scale: Float { maps.map(\.strength).max() ?? 0 }

  /// The map of the emotion that the face is read as.
  public var map: EmotionMap? { maps.first { $0.emotion == distribution.top.emotion } }
}

/// Collects explained faces: table, JSON and page of `mien explain`.
public struct Explanations: Sendable {
  private let labels: LabelSet
  private let method: String
  private let model: String
  private var faces: [RegionReport.Face] = []
  private var entries: [Entry] = []
  private var failures: [Failure] = []
  private var cards: [MapsCard] = []
  private var shown: [Emotion: Int] = [:]
  /// Faces of each emotion that the page shows.
  private static let mostShown = 3

  /// A face in the JSON.
  private struct Entry: Encodable {
    let name: String
    let emotion: Emotion
    let probability: Float
    let regions: [FaceRegion: Double]
    let falls: [FaceRegion: Double]?
  }

  /// A photo in the JSON that could not be explained.
  private struct Failure: Encodable {
    let file: String
    let error: String
  }

  /// Collects faces that are read as `labels`.
  public init(labels: LabelSet, method: String, model: String) {
    (self.labels, self.method, self.model) = (labels, method, model)
  }

  /// How many faces there are.
  public var count: Int { faces.count }

  /// Whether some photo could not be explained.
  public var hasFailures: Bool { !failures.isEmpty }

  /// Adds a photo, by the name that the user gave, that could not be explained.
  public mutating func add(_ error: MienError, name: String) {
    failures.append(Failure(file: name, error: error.message))
  }

  /// Adds a face. Its pictures are kept for the first few of each emotion only.
  ///
  /// - Throws: ``MienError`` where the map of the emotion read is missing, or the sizes differ.
  public mutating func add(_ face: ExplainedFace) throws {
    guard let map = face.map else { throw MienError(.argument, face.name, "has no map of the emotion it is read as") }
    func named(_ values: [Double]) -> [FaceRegion: Double] {
      Dictionary(uniqueKeysWithValues: zip(FaceRegion.allCases, values))
    }
    faces.append(.init(map: map, falls: face.falls))
    entries.append(
      Entry(
        name: face.name, emotion: map.emotion, probability: face.distribution.top.probability,
        regions: named(map.regionShares), falls: face.falls.map(named)))
    guard shown[map.emotion, default: 0] < Self.mostShown else { return }
    shown[map.emotion, default: 0] += 1
    cards.append(try MapsCard(face))
  }

  /// How much each region decides each emotion.
  public var report: RegionReport { RegionReport(faces, labels: labels, method: method, model: model) }

  /// The report, each face and each failure as indented JSON with sorted keys, and a line's end.
  public func json() throws -> Data {
    struct Document: Encodable {
      let report: RegionReport
      let faces: [Entry]
      let failed: [Failure]

      enum Keys: String, CodingKey { case faces, failed }

      func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(faces, forKey: .faces)
        try container.encode(failed, forKey: .failed)
      }
    }
    return try JSONText.document(Document(report: report, faces: entries, failed: failures)) + Data("\n".utf8)
  }

  /// A row an emotion, a column a region: the share of the map in it.
  public var shareTable: TextTable { table("area", FaceRegion.areas) { NumberText.percent($0.share, 1) } }

  /// A row an emotion, a column a region: the fall of the probability when it is hidden; nil where it was not measured.
  public var fallTable: TextTable? {
    guard !faces.isEmpty, faces.allSatisfy({ $0.falls != nil }) else { return nil }
    return table(nil, []) { $0.fall.map { NumberText.fixed($0 * 100, 1) } ?? "-" }
  }

  private func table(_ name: String?, _ first: [Double], _ text: (RegionReport.Region) -> String) -> TextTable {
    var table = TextTable(header: ["read as", "faces"] + FaceRegion.allCases.map(\.rawValue))
    for entry in report.emotions { table.add([entry.emotion.rawValue, entry.count.grouped] + entry.regions.map(text)) }
    if let name { table.add([name, ""] + first.map { NumberText.percent($0, 1) }) }
    return table
  }

  /// The least length of the axis of falls, so that falls of nearly nothing do not look like an effect.
  private static let shortestFallAxis = 0.1
  /// A fall that is worth speaking of.
  private static let leastFall = 0.01

  /// What the tables mean.
  public static let notes = [
    "Share: how much of the map lies in the region; beside it, the region's share of the frame's area.",
    "Fall: by how many percentage points the probability of the emotion falls when the region is hidden behind the face's mean colour.",
    "Regions are fixed fractions of the framed face; eyes, nose and mouth are not located.",
  ]

  /// What the maps are, spelled out with what `--method` calls them.
  private var mapName: String {
    switch method {
    case "cam": "class activation map (cam)"
    case "gradcam": "Grad-CAM map"
    default: "\(method) map"
    }
  }

  /// The tables with their notes, for a terminal; empty if no face was found.
  public var lines: [String] {
    guard !faces.isEmpty else { return [] }
    let falls = fallTable.map { ["", "fall of the probability with the region hidden, points", $0.text] } ?? []
    let shares = "share of the \(mapName) in each region; area: the region's share of the face's frame"
    return ["labels \(labels.name)", "", shares, shareTable.text] + falls + ["", Self.notes[2]]
  }

  /// The page.
  public func page(environment: [ReportBlock.Fact]) -> Report {
    Report(
      title: "What supports the readings of \(model)",
      subtitle:
        "\(Spelling.counted(faces.count, "face")), \(mapName.replacing("map", with: "maps")), labels \(labels.name)",
      sections: [
        faces.isEmpty ? ReportSection(title: "Result", blocks: [.text("No face was found.")]) : regions, maps,
        .environment(.current(), environment),
      ])
  }

  private var regions: ReportSection {
    let entries = report.emotions
    func chart(
      _ title: String, maximum: Double? = nil, _ value: (RegionReport.Region) -> Double,
      _ label: @escaping @Sendable (Double) -> String
    ) -> ReportBlock {
      .chart(
        BarChart(
          title: title, categories: FaceRegion.allCases.map(\.rawValue),
          series: entries.map {
            .init(
              name: "\($0.emotion.rawValue) (n = \($0.count.grouped))", values: $0.regions.map(value),
              emotion: $0.emotion)
          }, maximum: maximum, label: label), caption: nil)
    }
    let hasFalls = fallTable != nil
    let falls = entries.flatMap(\.regions).compactMap(\.fall)
    let isUnmoved = falls.allSatisfy { abs($0) < Self.leastFall }
    return ReportSection(
      title: "Regions",
      blocks: [
        chart("Share of the map divided by share of the area (1 = average)", \.density) { NumberText.fixed($0, 2) },
        .note(
          "2: a place in this region supports the emotion twice as much as an average place of the face; 0.5: half as "
            + "much."),
        .table(shareTable, caption: "Share of the map in each region"),
        hasFalls
          ? chart(
            "Fall of the probability with the region hidden, points",
            maximum: max(Self.shortestFallAxis, falls.max() ?? 0), { $0.fall ?? 0 }
          ) { NumberText.fixed($0 * 100, 1) } : nil,
        hasFalls && isUnmoved
          ? .note("Hiding any one of these regions changes the probability by less than 1 point.") : nil,
        fallTable.map { .table($0, caption: "Fall of the probability with the region hidden, points") },
      ] + (hasFalls ? Self.notes : [Self.notes[0], Self.notes[2]]).map { .note($0) })
  }

  private var maps: ReportSection? {
    guard !cards.isEmpty else { return nil }
    return ReportSection(
      title: "Maps",
      blocks: [
        .text(
          "Up to \(Self.mostShown) faces of each emotion read. From violet through red to yellow: the brighter, the more "
            + "that place supports the emotion. All maps of a face have one scale; where nothing supports an emotion, the "
            + "face stays grey."), .chart(HeatKey(), isTitled: false, caption: nil), .maps(cards),
      ])
  }
}
