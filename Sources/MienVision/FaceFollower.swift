import Dispatch
import Foundation
import MienCore
import Synchronization

/// Finds the faces of a video's frames one after another, at a cost that keeps up with the video.
///
/// **Search.** Three cascades, frontal, profile and mirrored profile, search the whole frame at every cut, again within a
/// second, and then the frontal one every second and the profile ones every two, in different frames, in coarse steps of
/// size, every second time at the sizes between. Frontal faces are looked for (by local binary patterns) down to the
/// smallest size at a cut and every fourth time after, else, and profiles always, down to twice that. What is proposed
/// is looked at again by Haar features in fine steps, at 40 pixels a face, and dropped where too few windows agree.
///
/// **Following.** In between, a face's last look (24 x 24 grey values) is searched for within a third of a side of where its
/// motion takes it, by normalised cross-correlation. Every 0.2 s the cascade that saw it last looks there again in fine
/// steps, which corrects place and size by a third and renews the look; where it finds nothing, the two others are tried
/// in turn.
///
/// **Doubt.** A face counts from the first frame in which it is sure (frontal, 6 windows and more), or else when 12 windows
/// have agreed within ten frames. It ends at a cut, when its look is lost for three frames, or when no cascade has agreed
/// for two seconds. A smaller profile right below another face is taken for that person's hands or clothes.
///
/// Frames more than a quarter of a second apart are searched each for itself; there a face counts with 6 windows, in profile
/// with 9.
package struct FaceFollower: Sendable {
  /// Side of the smallest face, in pixels of the frame; nil: ``FaceDetector/defaultMinFace(shortSide:)``.
  private let minFace: Int?
  private let cascades: [ViewCascade]
  private var faces: [FollowedFace] = []
  /// When each cascade searches next, and how often it has since the last cut.
  private var due: [Double]
  private var searches: [Int]
  private var lastSeconds: Double?

  /// Longer gaps between frames than this, in seconds, are too long to follow a face through.
  private static let longestStep = 0.25

  /// Loads the cascades.
  ///
  /// - Parameter findsProfiles: whether faces seen from the side are looked for.
  /// - Throws: ``MienError`` where a cascade's file is missing or damaged, or `minFace` is less than 20.
  package init(
    minFace: Int? = nil, findsProfiles: Bool = true,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws {
    guard minFace ?? 20 >= 20 else {
      throw MienError(.argument, "min-face", "expected at least 20 pixels, found \(minFace ?? 0)")
    }
    self.minFace = minFace
    cascades = [try .frontal(environment)] + (findsProfiles ? try ViewCascade.profiles(environment) : [])
    due = cascades.map { _ in 0 }
    searches = cascades.map { _ in 0 }
  }

  /// The faces of the next frame, in the order in which they were found.
  ///
  /// - Parameters:
  ///   - seconds: when the frame is shown.
  ///   - startsScene: whether it is the first after a cut.
  /// - Throws: ``MienError`` where OpenCV fails.
  package mutating func faces(in frame: Image, seconds: Double, startsScene: Bool) throws -> [DetectedFace] {
    let shortSide = min(frame.width, frame.height)
    let least = minFace ?? FaceDetector.defaultMinFace(shortSide: shortSide)
    let step = lastSeconds.map { seconds - $0 } ?? .infinity
    lastSeconds = seconds
    guard least <= shortSide else { return [] }
    // The smallest face fills the size at which cascades look closely: more pixels add nothing.
    let scale = min(1, Double(ViewCascade.closeSide) / Double(least))
    let picture = try frame.grey.scaled(by: scale)
    let smallest = Double(least) * scale

    let isAlone = !(0...Self.longestStep).contains(step)
    if startsScene || isAlone {
      faces.removeAll()
      due = due.map { _ in seconds }
      searches = searches.map { _ in 0 }
    }
    for index in faces.indices { try faces[index].follow(in: picture, step: step, seconds: seconds, cascades) }
    faces.removeAll { $0.isLost(at: seconds, in: picture) || $0.side < 0.8 * smallest }
    let views = cascades.indices.filter { seconds >= due[$0] }
    for (view, looks) in zip(views, try search(picture, smallest, views)) {
      let cascade = cascades[view]
      for look in looks where !faces.contains(where: { $0.overlaps(look) }) {
        if cascade.isProfile, faces.contains(where: { $0.hasOnItsBody(look) }) { continue }
        try faces.append(FollowedFace(look, view: view, in: picture, seconds: seconds, cascade, isAlone: isAlone))
      }
      // After a cut all search the same frame; from then on they take turns.
      due[view] = seconds + (searches[view] == 0 ? Double(view + 1) / 3 : cascade.searchInterval)
      searches[view] += 1
    }
    leaveOutDoubles()
    return faces.filter(\.isSure).map { $0.detection(scale: scale, within: frame) }
  }

  /// Searches the whole picture with the cascades of `views`, on as many cores as there are.
  ///
  /// - Returns: what each is sure enough of, the surest first.
  private func search(_ picture: Image, _ smallest: Double, _ views: [Int]) throws -> [[FaceLook]] {
    let results = Mutex([Int: Result<[FaceLook], any Error>]())
    DispatchQueue.concurrentPerform(iterations: views.count) { index in
      let (cascade, count) = (cascades[views[index]], searches[views[index]])
      let least = !cascade.isProfile && count % 4 == 0 ? smallest : 2 * smallest
      let result = Result {
        try cascade.proposals(in: picture, smallest: least, number: count)
          .compactMap { try cascade.closeLook(at: $0, in: picture) }
          .filter { $0.windows >= cascade.neededWindows }
          .sorted { ($1.windows, $0.y, $0.x) < ($0.windows, $1.y, $1.x) }
      }
      results.withLock { $0[index] = result }
    }
    return try results.withLock { results in try views.indices.map { try results[$0]?.get() ?? [] } }
  }

  /// Of two faces in one place the one with more windows stays; what turns out to lie on a body goes.
  private mutating func leaveOutDoubles() {
    let surestFirst = faces.indices.sorted { (faces[$1].windows, $0) < (faces[$0].windows, $1) }
    var kept: [Int] = []
    for index in surestFirst where !kept.contains(where: { faces[$0].overlaps(faces[index].place) }) {
      kept.append(index)
    }
    faces = kept.sorted().filter { index in
      !cascades[faces[index].view].isProfile
        || !kept.contains { $0 != index && faces[$0].hasOnItsBody(faces[index].place) }
    }.map { faces[$0] }
  }
}
