package import MienVision
import Synchronization

/// Pictures of a video or a camera one after another: where they are cut, and the faces of each, followed from one to the
/// next and framed for a model.
package final class FaceSequence: Sendable {
  private struct State {
    var cut = SceneCut()
    /// `nil` where each picture is searched for itself.
    var follower: FaceFollower?
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

  /// Starts before the first picture. Faces are followed by the landmark network where the detector has one; other
  /// detectors search each picture.
  package init(finder: FaceFinder) {
    self.finder = finder
    state = Mutex(State(follower: (finder.detector as? NetworkDetector).map { FaceFollower(detector: $0) }))
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
      let faces =
        try state.follower?.faces(in: image, seconds: state.last, startsScene: startsScene)
        ?? finder.detector.faces(in: image)
      return Step(
        startsScene: startsScene,
        prepared: try finder.prepare(faces, of: image, detecting: clock.now - start))
    }
  }
}
