/// A chart that can be laid out for a page, for a file of its own, and for a phone's screen.
public protocol Chart: Sendable {
  /// What the chart shows.
  var title: String { get }
  /// The chart, laid out for `layout`.
  func drawing(_ layout: ChartLayout) -> Drawing
}

extension Chart {
  /// The chart as it stands on a page or in a file.
  public var drawing: Drawing { drawing(.wide) }
}

/// How much room a chart has. Letters have the same size in both layouts, so that neither needs to be scaled much.
public enum ChartLayout: String, Sendable, CaseIterable {
  /// A page or a file: legends may stand beside the plot, and shapes have texts for the pointer.
  case wide
  /// A phone: legends stand above or below the plot.
  case narrow

  /// The picture's width in its units, with its margins.
  var width: Double { self == .wide ? 720 : 340 }
}
