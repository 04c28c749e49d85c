import Foundation
import MienCore
import MienVision

/// A picture and what its data set says about it.
struct LabelledPicture: Sendable, Equatable {
  /// Where it lies.
  var url: URL
  /// What it shows; nil if only votes tell.
  var label: Emotion?
  /// The name of its class, as the data set spells it.
  var className: String
  /// The part of the data set it belongs to.
  var split = Split.train
  /// The name of the part, as the data set spells it; empty if it has none.
  var partName = ""
  /// FER+'s ten raw counts.
  var votes: [UInt8]?
  /// Who it is.
  var subject: String?
  /// Which sequence of pictures it is from.
  var sequence: String?
  /// Where its face is, in pixels; nil for the largest centred square.
  var box: Box?
}

/// What an importer found in a folder, before any picture is decoded.
struct PictureCollection {
  /// The pictures, in the order of their paths or of their list.
  var pictures: [LabelledPicture]
  /// Whether the names of their files may tell people and sequences, which the data set does not tell otherwise.
  var asksNames = false
  /// How they got their labels, for ``ImportSummary/labelling``.
  var labelling: String
  /// Files that cannot be used.
  var rejected = Rejections()
  /// What else a user should know.
  var notes: [String] = []
  /// What a user should look at again.
  var warnings: [String] = []
}
