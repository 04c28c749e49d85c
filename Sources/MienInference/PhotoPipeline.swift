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

    /// The pictures in a folder by their first bytes, in the order of their names.
    fileprivate static func inFolder(_ folder: URL) throws -> [Photo] {
      let names: [String]
      do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
        let kind = FileProblem.error(reading: folder).kind
        let reason = kind == .missing ? "no such folder" : "may not be listed"
        throw MienError(kind, folder.path, "expected a folder of pictures: \(reason)")
      }
      return names.filter { !$0.hasPrefix(".") }.sorted().compactMap { name in
        let file = folder.appendingPathComponent(name).resolvingSymlinksInPath()
        let type = (try? FileManager.default.attributesOfItem(atPath: file.path))?[.type] as? FileAttributeType
        guard type == .typeRegular, let handle = try? FileHandle(forReadingFrom: file) else { return nil }
        defer { try? handle.close() }
        guard let start = try? handle.read(upToCount: FileKind.prefix), case .picture = FileKind(start: [UInt8](start))
        else { return nil }
        return Photo(name: name, url: file)
      }
    }
  }

  /// What came of a photo.
  public struct Outcome: Sendable {
    /// The photo's name and its faces, or why it could not be read: what is written as JSON.
    public let readings: PictureReadings
    /// Why the photo could not be read.
    public let error: MienError?
    /// The picture, if the pipeline keeps pictures; large ones are reduced.
    public let image: Image?
    /// The photo; `nil` if it failed.
    package let photo: Photo?
    /// The photo's name.
    public let name: String

    /// A photo that could not be read.
    public init(name: String, error: MienError) {
      self.name = name
      self.error = error
      readings = PictureReadings(file: name, error: error.message)
      (image, photo) = (nil, nil)
    }

    fileprivate init(_ picture: Picture, faces: [FaceReading]) {
      name = picture.photo.name
      readings = PictureReadings(
        file: name, width: picture.width, height: picture.height, faces: faces, warning: picture.warning)
      error = nil
      (image, photo) = (picture.image, picture.photo)
    }

    /// The faces, the largest first, in pixels of the whole picture.
    public var faces: [FaceReading] { readings.faces }
    /// What is wrong with a photo that was read: see ``Image/warning``.
    public var warning: String? { readings.warning }
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

    mutating func add(_ other: Timings) {
      decoding += other.decoding
      detecting += other.detecting
      framing += other.framing
      classifying += other.classifying
    }
  }

  private let finder: FaceFinder
  let recognizer: @Sendable () async throws -> Recognizer
  private let keepsImages: Bool
  /// How many photos may be between their start and their outcome: bounds memory.
  let window: Int
  private let queue: NativeQueue
  /// How many photos are worked on at a time.
  var width: Int { queue.width }

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

  /// Reads `photos`: their outcomes in the order given, each as soon as it and those before it are there.
  ///
  /// ```swift
  /// for try await photo in pipeline.outcomes(of: photos) {
  ///   for face in photo.faces { print(photo.name, face.emotion, face.probability) }
  /// }
  /// ```
  ///
  /// A photo that cannot be read gives an outcome with its error; the others go on. Some photos are read ahead of the caller.
  public func outcomes(of photos: [Photo]) -> PhotoOutcomes { PhotoOutcomes(pipeline: self, photos: photos) }

  /// Reads the pictures of a folder, in the order of their names; see ``outcomes(of:)``. Subfolders, hidden files and files
  /// that do not begin as a picture does are passed over.
  ///
  /// - Throws: ``MienError`` if the folder is missing or may not be read.
  public func outcomes(ofFolder folder: URL) throws -> PhotoOutcomes {
    outcomes(of: try Photo.inFolder(folder))
  }

  /// Reads `photos` and calls `body` for each in turn.
  ///
  /// - Returns: where the time went.
  @discardableResult
  package func run(_ photos: [Photo], _ body: (Outcome) async throws -> Void) async throws -> Timings {
    let outcomes = outcomes(of: photos)
    for try await outcome in outcomes { try await body(outcome) }
    return outcomes.timings
  }

  struct Picture: Sendable {
    let photo: Photo
    let width: Int
    let height: Int
    let warning: String?
    let image: Image?
    let prepared: FaceFinder.PreparedFaces
    let decoding: Duration
  }

  /// Decodes a photo and finds its faces.
  func prepare(_ photo: Photo) async -> Result<Picture, MienError> {
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

  /// Classifies the faces of photos that were prepared.
  func outcomes(
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
