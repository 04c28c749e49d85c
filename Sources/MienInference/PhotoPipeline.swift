public import Foundation
public import MienCore
public import MienVision

/// Reads many photos: decoding and detection on every core, classification in batches, results in the order given.
public struct PhotoPipeline: Sendable {
  /// A photo to read.
  public struct Photo: Sendable, Hashable {
    /// The name that results and messages carry.
    public let name: String
    /// The file's path, of any bytes.
    package let path: FilePath
    /// The file's bytes, if they did not come from a file; then `path` is but a name.
    private let content: Data?

    /// Names a file.
    public init(name: String, url: URL) { self.init(name: name, path: FilePath(url.path)) }

    /// Names the bytes of a picture file.
    package init(name: String, content: Data) {
      self.name = name
      path = FilePath(name)
      self.content = content
    }

    /// Names a file at a path that need not be UTF-8.
    package init(name: String, path: FilePath) {
      self.name = name
      self.path = path
      content = nil
    }

    /// Decodes the photo.
    package func image() throws -> Image { try content.map { try Image(encoded: $0) } ?? Image(contentsOf: path) }

    /// The file; a path that is not UTF-8 has its other bytes replaced.
    public var url: URL { URL(fileURLWithPath: path.text) }
  }

  /// What came of a photo.
  public struct Outcome: Sendable {
    /// The photo's name.
    public let name: String
    /// The whole upright picture's width in pixels; `nil` if it failed.
    public let width: Int?
    /// The whole upright picture's height in pixels; `nil` if it failed.
    public let height: Int?
    /// The faces, the largest first, in pixels of the whole picture.
    public let faces: [FaceReading]
    /// Why the photo could not be read.
    public let error: MienError?
    /// What is wrong with a photo that was read: see ``Image/warning``.
    public let warning: String?
    /// The picture, if the pipeline keeps pictures; large ones are reduced.
    public let image: Image?
    /// The photo; `nil` if it failed.
    package let photo: Photo?

    /// A photo that could not be read.
    public init(name: String, error: MienError) {
      self.name = name
      self.error = error
      (width, height, faces, warning, image, photo) = (nil, nil, [], nil, nil, nil)
    }

    fileprivate init(_ picture: Picture, faces: [FaceReading]) {
      name = picture.photo.name
      photo = picture.photo
      (width, height) = (picture.width, picture.height)
      self.faces = faces
      error = nil
      warning = picture.warning
      image = picture.image
    }
  }

  /// Where the time went, summed over threads.
  public struct Timings: Sendable {
    /// Reading and decoding files.
    public var decoding: Duration = .zero
    /// Searching for faces.
    public var detecting: Duration = .zero
    /// Cutting faces out and preprocessing them.
    public var framing: Duration = .zero
    /// Running the network.
    public var classifying: Duration = .zero
  }

  private let finder: FaceFinder
  private let recognizer: @Sendable () async throws -> Recognizer
  private let keepsImages: Bool
  /// How many photos may be between their start and their outcome: bounds memory.
  private let window: Int
  private let queue: NativeQueue

  /// Makes a pipeline.
  ///
  /// - Parameter keepsImages: whether outcomes carry the decoded picture.
  public init(recognizer: Recognizer, keepsImages: Bool = false) {
    self.init(finder: recognizer.finder, keepsImages: keepsImages) { recognizer }
  }

  /// Makes a pipeline that starts on photos while `recognizer` is still being made.
  package init(
    finder: FaceFinder, keepsImages: Bool = false, recognizer: @escaping @Sendable () async throws -> Recognizer
  ) {
    self.finder = finder
    self.recognizer = recognizer
    self.keepsImages = keepsImages
    queue = .shared
    // Kept pictures may be large, small results may wait.
    window = keepsImages ? 2 * queue.width : 16 * queue.width
  }

  /// Reads `photos` and calls `body` for each in turn. A photo that fails gives an outcome with its error.
  ///
  /// - Returns: where the time went.
  /// - Throws: what `body` throws, or ``MienError`` where the network fails.
  @discardableResult
  public func run(_ photos: [Photo], _ body: (Outcome) async throws -> Void) async throws -> Timings {
    var timings = Timings()
    var reorder: [Int: Result<Picture, MienError>] = [:]
    var (started, emitted) = (0, 0)
    // A model that cannot be used is an error even where there is no photo.
    if photos.isEmpty { _ = try await recognizer() }
    try await withThrowingTaskGroup(of: (Int, Result<Picture, MienError>).self) { group in
      while emitted < photos.count {
        // Two a thread in flight: one at work, one next.
        while started < photos.count, started - emitted < window, started - emitted - reorder.count < 2 * queue.width {
          let (index, photo) = (started, photos[started])
          group.addTask { (index, await prepare(photo)) }
          started += 1
        }
        if let (index, result) = try await group.next() { reorder[index] = result }
        var ready: [Result<Picture, MienError>] = []
        while let result = reorder[emitted + ready.count] { ready.append(result) }
        let faces = ready.reduce(0) { $0 + ((try? $1.get().prepared.faces.count) ?? 0) }
        let isDue =
          faces >= EmotionClassifier.batchSize || emitted + ready.count == started || ready.count * 2 >= window
        guard isDue, !ready.isEmpty else { continue }
        for offset in ready.indices { reorder[emitted + offset] = nil }
        for outcome in try await outcomes(of: ready, photos[emitted..<(emitted + ready.count)], &timings) {
          try await body(outcome)
        }
        emitted += ready.count
      }
    }
    return timings
  }

  fileprivate struct Picture: Sendable {
    let photo: Photo
    let width: Int
    let height: Int
    let warning: String?
    let image: Image?
    let prepared: FaceFinder.PreparedFaces
    let decoding: Duration
  }

  private func prepare(_ photo: Photo) async -> Result<Picture, MienError> {
    do {
      return .success(
        try await queue.run {
          let clock = ContinuousClock()
          let start = clock.now
          let image = try photo.image()
          let decoding = clock.now - start
          return Picture(
            photo: photo, width: image.wholeWidth, height: image.wholeHeight, warning: image.warning,
            image: keepsImages ? image : nil, prepared: try finder.prepare(image).inWholePicture(of: image),
            decoding: decoding)
        })
    } catch {
      // The name the user gave, whatever path the file system knows it by.
      return .failure((error as? MienError ?? MienError(.native, nil, "\(error)")).about(photo.name))
    }
  }

  private func outcomes(
    of results: [Result<Picture, MienError>], _ photos: ArraySlice<Photo>, _ timings: inout Timings
  ) async throws -> [Outcome] {
    let pictures = results.compactMap { try? $0.get() }
    let recognizer = try await recognizer()
    let clock = ContinuousClock()
    let start = clock.now
    let prepared = pictures.map(\.prepared)
    var readings = try await queue.run { try recognizer.classify(prepared) }[...]
    timings.classifying += clock.now - start
    for picture in pictures {
      timings.decoding += picture.decoding
      timings.detecting += picture.prepared.detecting
      timings.framing += picture.prepared.framing
    }
    return zip(photos, results).map { photo, result in
      switch result {
      case .success(let picture): Outcome(picture, faces: readings.popFirst() ?? [])
      case .failure(let error): Outcome(name: photo.name, error: error)
      }
    }
  }
}

extension FaceFinder.PreparedFaces {
  /// The faces with boxes in pixels of the whole picture that `image`, in which they were found, was decoded from.
  package func inWholePicture(of image: Image) -> FaceFinder.PreparedFaces {
    guard image.reduction > 1 else { return self }
    return FaceFinder.PreparedFaces(
      faces: faces.map { $0.inWholePicture(of: image) }, doubts: doubts, inputs: inputs, detecting: detecting,
      framing: framing)
  }
}
