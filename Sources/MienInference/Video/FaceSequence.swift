package import MienVision
import Synchronization

/// Pictures of a video or a camera one after another: where they are cut, and the faces of each, followed from one to the
/// next and framed for a model.
package final class FaceSequence: Sendable {
  private struct State {
    var cut = SceneCut()
    var follower: FaceFollower
    var last = -Double.infinity
  }

  /// What was found in a picture.
  package struct Step: Sendable {
    /// Whether it is the first picture, or the first after a cut.
    package let startsScene: Bool
    /// Its faces, in the order in which they were first seen.
    package let prepared: FaceFinder.PreparedFaces
  }

  private let finder: FaceFinder
  private let state: Mutex<State>

  /// Starts before the first picture. Blocks while cascades are loaded.
  ///
  /// - Parameter minFace: side of the smallest face in pixels, at least 20; nil: 5 % of the shorter side, at least 24.
  /// - Throws: ``MienCore/MienError`` where `minFace` is less than 20, or a cascade's file is missing.
  package init(finder: FaceFinder, minFace: Int? = nil) throws {
    self.finder = finder
    state = Mutex(State(follower: try FaceFollower(minFace: minFace)))
  }

  /// Finds the faces of the next picture. Blocks.
  ///
  /// - Parameter seconds: when it is shown; a time before the last one's counts as that. Pictures more than a quarter of
  ///   a second apart are searched each for itself.
  package func next(_ image: Image, seconds: Double) throws -> Step {
    try state.withLock { state in
      let clock = ContinuousClock()
      let start = clock.now
      let startsScene = state.cut.isFirstOfScene(image)
      state.last = max(seconds, state.last)
      let faces = try state.follower.faces(in: image, seconds: state.last, startsScene: startsScene)
      return Step(
        startsScene: startsScene,
        prepared: try finder.prepare(faces, of: image, detecting: clock.now - start))
    }
  }
}
