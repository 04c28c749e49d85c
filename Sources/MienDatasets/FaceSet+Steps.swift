import Foundation
public import MienCore

extension FaceSet {
  /// The faces at `indices`, in that order, with `step` added to the set's history.
  func selecting(_ indices: [Int], step: String) throws -> FaceSet {
    var selected = Data(capacity: indices.count * faceBytes)
    for index in indices {
      let start = pixels.startIndex + index * faceBytes
      selected.append(pixels[start..<(start + faceBytes)])
    }
    return try FaceSet(
      source: info.source, labelSet: labelSet, height: height, width: width, channels: channels,
      rows: indices.map { self[$0] }, pixels: selected, history: (info.history ?? []) + [step])
  }

  /// The set split anew by `rule`, which is added to its history, with the shares that came out if they are far from the rule's.
  ///
  /// - Throws: ``MienError`` as ``SplitRule/parts(of:)`` does.
  public func split(by rule: SplitRule) throws -> FaceSet {
    let faces = splitFaces
    let parts = try rule.parts(of: faces)
    var rows = (0..<count).map { self[$0] }
    for (split, part) in [(Split.train, parts.train), (.validation, parts.validation), (.test, parts.test)] {
      for index in part { rows[index].split = split }
    }
    return try FaceSet(
      source: info.source, labelSet: labelSet, height: height, width: width, channels: channels, rows: rows,
      pixels: pixels, history: (info.history ?? []) + [rule.description(of: parts, before: FaceParts(own: faces))])
  }

  /// The set with `copies` after its own faces, and `step` added to its history.
  func appending(_ copies: [(row: Row, pixels: [UInt8])], step: String) throws -> FaceSet {
    var all = pixels
    all.reserveCapacity(pixels.count + copies.count * faceBytes)
    for copy in copies { all.append(contentsOf: copy.pixels) }
    return try FaceSet(
      source: info.source, labelSet: labelSet, height: height, width: width, channels: channels,
      rows: (0..<count).map { self[$0] } + copies.map(\.row), pixels: all,
      history: (info.history ?? []) + [step])
  }
}
