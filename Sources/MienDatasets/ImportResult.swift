public import MienCore

/// What an import made of its source.
public struct ImportResult: Sendable {
  /// The faces that could be used, in the source's order.
  public let faces: FaceSet
  /// What was left out.
  public let rejected: Rejections
}

/// The rows or files that `--skip-bad` left out: how many, and what was wrong with the first.
public struct Rejections: Sendable, Equatable {
  /// How many problems are kept in words.
  public static let shown = 5
  /// How many rows or files were left out.
  public private(set) var count = 0
  /// The first ``shown`` problems.
  public private(set) var first: [MienError] = []

  /// Counts `error`.
  mutating func add(_ error: MienError) {
    count += 1
    if first.count < Self.shown { first.append(error) }
  }
}
