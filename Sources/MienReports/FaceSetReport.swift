public import MienCore

/// What a data set holds: counts a class and split, as tables and as a chart.
public struct FaceSetReport: Sendable {
  /// The counts under one label source.
  private struct Counts {
    let source: LabelSource
    let title: String
    let labels: LabelSet
    /// Faces by class, then by split; the last entry counts faces without a label.
    let cells: [[Int]]
  }

  private let faces: FaceSet
  private let name: String
  private let splits: [Split]
  private let counts: [Counts]

  /// Counts the faces of `faces` by their own labels and, where there are votes, by FER+ majority.
  ///
  /// - Parameters:
  ///   - name: stands in the charts' titles, as that of the set's file; nil for the set's source.
  ///   - parts: the faces of each part, by their places in the set, as often as they are used; nil for the set's
  ///     own splits.
  public init(_ faces: FaceSet, name: String? = nil, parts: [Split: [Int]]? = nil) {
    self.faces = faces
    self.name = name ?? faces.info.source
    let parts = parts ?? Dictionary(grouping: 0..<faces.count) { faces.split(at: $0) }
    let splits = Split.allCases.filter { parts[$0]?.isEmpty == false }
    self.splits = splits
    let sources: [(LabelSource, String)] =
      [(.own, "Own labels (\(faces.labelSet.name))")] + (faces.hasVotes ? [(.ferplus, "FER+ majority")] : [])
    counts = sources.map { source, title in
      let labels = faces.labelSet(source)
      var cells = [[Int]](repeating: [Int](repeating: 0, count: splits.count), count: labels.count + 1)
      for (column, split) in splits.enumerated() {
        for index in parts[split] ?? [] {
          cells[faces.label(at: index, source).flatMap(labels.index(of:)) ?? labels.count][column] += 1
        }
      }
      return Counts(source: source, title: title, labels: labels, cells: cells)
    }
  }

  /// A line on the whole: how many faces of what, and from where.
  public var summary: String {
    var facts = [
      "\(Spelling.counted(faces.count, "face")) of \(faces.width)x\(faces.height)",
      faces.channels == 1 ? "grey" : "colour",
    ]
    facts.append("source \(faces.info.source)")
    if faces.hasSubjects { facts.append(Spelling.counted(faces.info.subjects.count, "subject")) }
    if !faces.info.sequences.isEmpty { facts.append(Spelling.counted(faces.info.sequences.count, "sequence")) }
    return facts.joined(separator: ", ")
  }

  /// The summary, then a table a label source.
  public var text: String { ([summary] + counts.map(table)).joined(separator: "\n\n") }

  /// The same counts as an SVG chart.
  public var svg: String { BarChart.svg(charts()) }

  /// A chart a label source.
  ///
  /// - Parameters:
  ///   - source: the one wanted; nil for all.
  ///   - order: the order of classes, and then the chart need not name the set; nil for that of ``Emotion``.
  func charts(_ source: LabelSource? = nil, order: [Emotion]? = nil) -> [BarChart] {
    let places = order.map { Dictionary($0.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first }) }
    func comesFirst(_ a: Emotion, _ b: Emotion) -> Bool {
      let (first, second) = (places?[a] ?? .max, places?[b] ?? .max)
      return first == second ? a < b : first < second
    }
    return counts.filter { source == nil || $0.source == source }.map { counts in
      let hasUnlabelled = counts.cells[counts.labels.count].contains { $0 > 0 }
      let rows = counts.labels.emotions.indices.sorted {
        comesFirst(counts.labels.emotions[$0], counts.labels.emotions[$1])
      }
      let cells = rows.map { counts.cells[$0] } + (hasUnlabelled ? [counts.cells[counts.labels.count]] : [])
      return BarChart(
        title: order == nil
          ? "\(name): faces by \(counts.source == .own ? "own label (\(counts.labels.name))" : counts.title)"
          : "\(counts.title), faces by split",
        categories: rows.map { counts.labels.emotions[$0].rawValue } + (hasUnlabelled ? ["no label"] : []),
        series: splits.indices.map { split in
          .init(name: splits[split].rawValue, values: cells.map { Double($0[split]) })
        })
    }
  }

  private func table(_ counts: Counts) -> String {
    func cells(_ values: [Int]) -> [String] { (values + [values.reduce(0, +)]).map(\.grouped) }
    func sum(_ rows: some Sequence<[Int]>) -> [Int] {
      rows.reduce([Int](repeating: 0, count: splits.count)) { zip($0, $1).map(+) }
    }
    var table = TextTable(header: [counts.title] + splits.map(\.rawValue) + ["total"])
    for emotion in counts.labels.emotions.sorted() {
      guard let row = counts.labels.index(of: emotion) else { continue }
      table.add([emotion.rawValue] + cells(counts.cells[row]))
    }
    table.add(["labelled"] + cells(sum(counts.cells.dropLast())))
    let unlabelled = counts.cells[counts.labels.count]
    if unlabelled.contains(where: { $0 > 0 }) { table.add(["no label"] + cells(unlabelled)) }
    return table.text
  }
}
