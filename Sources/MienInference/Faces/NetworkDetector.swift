import Dispatch
public import Foundation
import MienCore
public import MienVision
import Synchronization

/// Finds faces in any pose by two networks: one searches the picture, the other looks closely at what it proposes.
///
/// A candidate is a face if the search is sure of it, or if the landmark network is the surer, the less the search is.
/// Landmarks then set the face's place, and give its pose. Where no face is certain, the picture is searched turned by
/// quarter turns, too, as scans often lie on their side, and that way up counts in which faces have the larger scores.
/// `docs/detection.md` says what is found and missed, and how the limits were chosen.
public final class NetworkDetector: SizedFaceDetector {
  /// Side of the smallest face to find, in pixels of the picture; `nil` for the standard search, which finds faces from
  /// about 4 % of the longer side on, and many smaller ones.
  public let minFace: Int?
  private let search: any FaceSearch
  private let landmarks: LandmarkNetwork
  private let isPrepared = Atomic(false)

  /// What `--detector` calls it.
  public var name: String { search.name }

  /// The smallest number of pixels that `minFace` may be.
  public static let leastMinFace = 12

  /// MediaPipe's full-range detector, `blazeface`. Its networks are inside the program; they are compiled when the first
  /// picture needs them, and kept in the cache folder.
  ///
  /// - Throws: ``MienError`` if `minFace` is less than ``leastMinFace``.
  public convenience init(minFace: Int? = nil) throws {
    try self.init(cache: .shared, minFace: minFace)
  }

  /// `blazeface` with its compiled networks in another cache.
  package convenience init(cache: NetworkCache, minFace: Int? = nil) throws {
    try self.init(search: BlazeFace(cache: cache), cache: cache, minFace: minFace)
  }

  /// The YuNet network in the user's file; see `docs/detection.md` for what it must look like.
  ///
  /// - Throws: ``MienError`` that names the file if it is missing or no such network, or if `minFace` is less than
  ///   ``leastMinFace``.
  public convenience init(yuNet url: URL, minFace: Int? = nil) throws {
    try self.init(search: YuNet(contentsOf: url, cache: .shared), cache: .shared, minFace: minFace)
  }

  private convenience init(search: any FaceSearch, cache: NetworkCache, minFace: Int?) throws {
    try self.init(search: search, landmarks: LandmarkNetwork(cache: cache), minFace: minFace)
  }

  private init(search: any FaceSearch, landmarks: LandmarkNetwork, minFace: Int?) throws {
    guard minFace ?? Self.leastMinFace >= Self.leastMinFace else {
      throw MienError(.argument, "min-face", "expected at least \(Self.leastMinFace) pixels, found \(minFace ?? 0)")
    }
    self.minFace = minFace
    self.search = search
    self.landmarks = landmarks
  }

  /// A detector that finds faces of other sizes with the same networks.
  package func finding(minFace: Int?) throws -> NetworkDetector {
    try NetworkDetector(search: search, landmarks: landmarks, minFace: minFace)
  }

  /// Compiles the networks that the first picture needs side by side; later ones compile what they lack.
  private func prepare(for image: Image) {
    guard isPrepared.exchange(true, ordering: .relaxed) == false else { return }
    let sizes = FacePyramid(width: image.width, height: image.height, minFace: least(in: image)).levels
      .compactMap { FacePyramid.tiles($0).first?.size }
    DispatchQueue.concurrentPerform(iterations: sizes.count + 1) { index in
      // What fails here fails again, and is told, when it is used.
      if index < sizes.count { try? search.prepare(sizes[index]) } else { try? landmarks.prepare() }
    }
  }

  /// The faces of a picture, in any pose.
  public func faces(in image: Image) throws -> [DetectedFace] {
    let picture = PictureCopies(image)
    var best = try faces(in: picture, besides: [])
    if best.contains(where: { ($0.score ?? 0) >= Self.certainScore }) { return best }
    for turns in [1, 3, 2] {
      let found = try faces(in: picture, quarterTurns: turns)
      if Self.total(found) > Self.turningGain * Self.total(best) { best = found }
    }
    return best
  }

  /// A picture with a face of this score is not turned: of faces that were found the wrong way up, chins for foreheads, none has it.
  private static let certainScore = 0.85
  /// How much larger the sum of scores must be in a turned picture.
  private static let turningGain = 1.15

  private static func total(_ faces: [DetectedFace]) -> Double { faces.reduce(0) { $0 + ($1.score ?? 0) } }

  /// The faces of a picture as it stands, without those whose places are known.
  func faces(in picture: PictureCopies, besides known: [TurnedSquare]) throws -> [DetectedFace] {
    let image = picture.image
    prepare(for: image)
    let candidates = try FacePyramid(width: image.width, height: image.height, minFace: least(in: image))
      .candidates(in: picture, search).merged()
      .filter { candidate in !known.contains { $0.isSameFace(as: candidate.square) } }
    return try confirmed(candidates, in: picture, isTurned: false)
  }

  /// The faces of a picture that is turned clockwise before the search.
  private func faces(in picture: PictureCopies, quarterTurns turns: Int) throws -> [DetectedFace] {
    let image = picture.image
    let finest = FacePyramid(width: image.width, height: image.height, minFace: least(in: image)).levels[0]
    let small =
      finest.width < image.width
      ? try picture.resampled(width: finest.width, height: finest.height).picture : image
    let turned = small.turned(quarterTurns: turns)
    let (scaleX, scaleY) = (
      Double(image.width) / Double(small.width), Double(image.height) / Double(small.height)
    )
    let candidates = try FacePyramid(width: turned.width, height: turned.height, minFace: nil)
      .candidates(in: PictureCopies(turned), search).merged().map { candidate in
        var candidate = candidate
        candidate.map { x, y in
          switch turns {
          case 1: (y * scaleX, (Double(small.height) - x) * scaleY)
          case 2: ((Double(small.width) - x) * scaleX, (Double(small.height) - y) * scaleY)
          default: ((Double(small.width) - y) * scaleX, x * scaleY)
          }
        }
        candidate.square.side *= (scaleX + scaleY) / 2
        candidate.square.degrees = candidate.points.degrees
        return candidate
      }
    return try confirmed(candidates, in: picture, isTurned: true)
  }

  /// The smallest face in pixels of `image`, which may have been decoded at a reduced size.
  private func least(in image: Image) -> Int? { minFace.map(image.side) }

  package func searchedPixels(of image: Image, minFace: Int) -> Int {
    let least = image.side(ofWhole: minFace)
    let finest = FacePyramid(width: image.width, height: image.height, minFace: least).levels[0]
    return finest.width * finest.height
  }

  // MARK: - Confirmation

  /// From which score on a candidate is a face if the landmark network gives at least this probability. The less the search
  /// is sure, the surer must the network be; no candidate of 301 parts of pictures without people meets one of them.
  private static let rules: [(score: Double, probability: Double)] = [(0.4, 0.1), (0.2, 0.95), (0, 0.999)]
  /// From this score on a candidate is tried in other directions too.
  private static let possibleScore = 0.3

  /// A face with how sure it is, for sorting.
  private struct Sure {
    var face: DetectedFace
    var sum: Double
    /// Whether it is a face in a turned picture, too, in which no face is certain.
    var isStrict: Bool
  }

  private func confirmed(
    _ candidates: [FaceCandidate], in picture: PictureCopies, isTurned: Bool
  ) throws -> [DetectedFace] {
    let image = picture.image
    var sure: [Sure] = []
    for candidate in candidates.sorted(by: { $0.score > $1.score }) {
      try NativeQueue.checkCancellation()
      // What shares its place with a face that is certain is that face, or nothing.
      if sure.contains(where: { $0.sum > 1.4 && $0.face.square.isSameFace(as: candidate.square) }) { continue }
      let landmarks = try look(at: candidate, in: picture)
      let probability = landmarks?.probability ?? 0
      let isFace =
        candidate.score >= search.sureScore
        || Self.rules.contains { candidate.score >= $0.score && probability > $0.probability }
      guard isFace, let face = face(candidate, landmarks, in: image) else { continue }
      let isStrict = candidate.score >= 0.5 && probability > 0.5
      sure.append(Sure(face: face, sum: candidate.score + probability, isStrict: isStrict))
    }
    // The face of a turned picture that is certain makes the others as probable as those of an upright one.
    if isTurned, !sure.contains(where: { $0.isStrict && $0.sum >= 2 * Self.certainScore }) {
      sure.removeAll { !$0.isStrict }
    }
    var kept: [DetectedFace] = []
    for next in sure.sorted(by: { $0.sum > $1.sum })
    where !kept.contains(where: { $0.square.isSameFace(as: next.face.square) }) { kept.append(next.face) }
    if let least = least(in: image) { kept.removeAll { $0.square.side < 0.8 * Double(least) } }
    return kept.largestFirst()
  }

  /// The landmarks of a candidate; where they are not found along the eyes, of the candidate turned by quarter turns, as
  /// the search's points of heads on their side are of little use.
  private func look(at candidate: FaceCandidate, in picture: PictureCopies) throws -> FaceLandmarks? {
    func look(turnedBy degrees: Double) throws -> FaceLandmarks? {
      var square = candidate.square
      square.degrees += degrees
      guard let found = try landmarks.landmarks(in: square, of: picture) else { return nil }
      // Points that have run away from the candidate are those of nothing.
      let ratio = found.square.side / candidate.square.side
      return found.square.overlap(candidate.square).smaller > 0.3 && (0.4...2.5).contains(ratio) ? found : nil
    }
    var (best, bestTurn) = (try look(turnedBy: 0), 0.0)
    if (best?.probability ?? 0) < 0.5, candidate.score >= Self.possibleScore {
      for degrees in [90.0, -90, 180] {
        let other = try look(turnedBy: degrees)
        if (other?.probability ?? 0) > max(0.5, best?.probability ?? 0) { (best, bestTurn) = (other, degrees) }
      }
    }
    return try best.flatMap { try refined($0, from: candidate.square.degrees + bestTurn, in: picture) }
  }

  /// Looks again along the landmarks until they say what they said before: the network corrects a tilt by about half.
  private func refined(_ found: FaceLandmarks, from degrees: Double, in picture: PictureCopies) throws -> FaceLandmarks
  {
    var (found, degrees) = (found, degrees)
    for _ in 0..<5 {
      let square = found.square
      guard found.probability > 0.5, abs((square.degrees - degrees).remainder(dividingBy: 360)) > 6,
        let again = try landmarks.landmarks(in: square, of: picture), again.probability > 0.5
      else { break }
      (found, degrees) = (again, square.degrees)
    }
    return found
  }

  /// The landmarks of a face that was in `square` a moment ago; `nil` if they are not found there.
  func landmarks(near square: TurnedSquare, in picture: PictureCopies) throws -> FaceLandmarks? {
    try landmarks.landmarks(in: square, of: picture)
  }

  private func face(_ candidate: FaceCandidate, _ landmarks: FaceLandmarks?, in image: Image) -> DetectedFace? {
    guard let landmarks, landmarks.probability > 0.5 else {
      guard let box = candidate.square.box(width: image.width, height: image.height) else { return nil }
      return DetectedFace(
        box: box, score: (candidate.score + (landmarks?.probability ?? 0)) / 2, square: candidate.square,
        points: candidate.points)
    }
    return DetectedFace(landmarks, score: (candidate.score + landmarks.probability) / 2, in: image)
  }
}

extension DetectedFace {
  /// A face at its landmarks; `nil` if it lies outside the picture.
  init?(_ landmarks: FaceLandmarks, score: Double, in image: Image) {
    let square = landmarks.square
    guard let box = square.box(width: image.width, height: image.height) else { return nil }
    self.init(box: box, score: score, square: square, points: landmarks.sixPoints, landmarks: landmarks)
  }
}
