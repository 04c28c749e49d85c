import Foundation
import MienCore

/// A face with its maps in a ``Report``.
public struct MapsCard: Sendable {
  private let title: String
  private let pictures: [(png: Data, caption: [String])]

  /// Draws the maps over the face.
  ///
  /// - Throws: ``MienError`` where the sizes differ.
  public init(_ face: ExplainedFace) throws {
    let top = face.distribution.top
    title = "\(face.name): \(top.emotion.rawValue) \(FaceCard.text(top.probability))"
    let size = face.maps.first.map { ($0.width, $0.height) } ?? (0, 0)
    let plain = try PNG.encoded(width: size.0, height: size.1, channels: face.channels, pixels: face.pixels)
    pictures =
      [(plain, ["face"])]
      + (try face.maps.map { map in
        let drawn = try map.drawn(over: face.pixels, channels: face.channels, scale: face.scale)
        let png = try PNG.encoded(width: map.width, height: map.height, channels: 3, pixels: drawn)
        let share = FaceCard.text(face.distribution[map.emotion] ?? 0)
        return (png, [map.emotion.rawValue, share + (map.strength > 0 ? "" : ", no support")])
      })
  }

  /// The card's elements.
  var html: String {
    let items = pictures.map { picture in
      let caption = picture.caption.map(SVGCanvas.escaped)
      return "<li><img src=\"data:image/png;base64,\(picture.png.base64EncodedString())\" "
        + "alt=\"\(caption.joined(separator: " "))\"/>\(caption.joined(separator: "<br/>"))</li>"
    }
    return
      "<figure class=\"maps\"><figcaption>\(SVGCanvas.escaped(title))</figcaption><ul>\(items.joined())</ul></figure>"
  }
}
