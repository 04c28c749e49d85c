import MienCore

/// A track's pictures in a row; the chosen one is shown large with its probabilities. The choice is the address's
/// fragment, so the page needs no script.
public struct MomentStrip: Sendable {
  private let track: TrackRecord

  /// The pictures of `track`.
  init(_ track: TrackRecord) { self.track = track }

  /// What a moment is called in the page's address.
  static func id(_ track: Int, _ moment: Int) -> String { "person-\(track)-\(moment)" }

  static let style = """
    .strip{display:flex;flex-wrap:wrap;gap:4px;margin:8px 0}.strip img{width:52px;height:52px;border-radius:4px;display:block}\
    .strip a:focus-visible img,.strip a:hover img{outline:2px solid var(--link)}\
    .moment{display:none;scroll-margin-top:340px}.moment:target{display:grid;max-width:420px}\
    .moments .face{grid-template-columns:132px 1fr}.moments .face img{width:132px;height:132px}\
    .place{cursor:pointer;fill:transparent}.place:hover{fill:var(--text);fill-opacity:.12}\
    .area{stroke:var(--ground);stroke-width:.6}
    @media print{.strip{break-before:avoid}.moment,.moment:target{display:none}}
    """

  var html: String {
    let pictures = track.moments.map { "data:image/jpeg;base64,\($0.jpeg.base64EncodedString())" }
    let links = zip(track.moments, pictures).enumerated().map { index, pair in
      let words = "\(VideoTimeline.time(pair.0.seconds)): \(pair.0.emotion?.rawValue ?? "unsure")"
      return
        "<a href=\"#\(Self.id(track.track, index))\" title=\"\(words)\"><img src=\"\(pair.1)\" alt=\"\(words)\"/></a>"
    }
    let cards = zip(track.moments, pictures).enumerated().map { index, pair in
      card(pair.0, id: Self.id(track.track, index), picture: pair.1)
    }
    return """
      <div class="strip">\(links.joined())</div>
      <div class="moments">\(cards.joined(separator: "\n"))</div>
      """
  }

  private func card(_ moment: TrackRecord.Moment, id: String, picture: String) -> String {
    let time = VideoTimeline.time(moment.seconds)
    let bars = zip(moment.distribution.labels.emotions, moment.distribution.probabilities)
      .sorted { $0.0 < $1.0 }
      .map { emotion, probability in
        "<li\(emotion == moment.emotion ? " class=\"label\"" : "")><span>\(emotion.rawValue)</span>"
          + "<span class=\"bar\" style=\"width:\(NumberText.fixed(Double(probability) * 100, 1))%\"></span>"
          + "<span>\(SVGCanvas.escaped(NumberText.probability(probability)))</span></li>"
      }
    let label = moment.emotion?.rawValue ?? "unsure"
    return """
      <figure class="face moment" id="\(id)"><img src="\(picture)" alt="\(time): \(label)"/>\
      <ul>\(bars.joined())</ul><figcaption>\(label)<span>at \(time)</span></figcaption></figure>
      """
  }
}
