import ArgumentParser
import Foundation
import Glibc
import MienCore
import MienInference
import MienVision

/// The photos, or videos, that the arguments of a command name: files, folders (recursive, sorted) and patterns; `-` is a
/// picture on standard input.
struct PhotoPaths {
  /// What is looked for in folders.
  enum Kind {
    case photos, videos
  }

  /// A photo, or an argument that gives none and why, in the order of the arguments.
  enum Entry {
    case photo(PhotoPipeline.Photo, relativePath: FilePath)
    case problem(MienError)
  }

  /// Whether a file of this name is taken for a picture.
  static func isPictureName(_ name: String) -> Bool {
    FileKind.pictureExtensions.contains(URL(fileURLWithPath: name).pathExtension.lowercased())
  }

  /// What was found.
  private(set) var entries: [Entry] = []
  /// Arguments that lead to nothing; they are among the entries, too.
  private(set) var missing: Set<FilePath> = []
  /// Documents and videos in folders, by what they are: how many, and the first one's name.
  private var passedOver: [FileKind.Other: (count: Int, example: String)] = [:]
  /// Whether a folder in which videos are looked for has a picture.
  private var hasPictures = false
  private let excluded: FileIdentity?
  private let kind: Kind

  /// Finds the photos of `arguments`, or the videos.
  ///
  /// - Parameter excluded: a folder whose pictures are results, not photos.
  init(_ arguments: [String], of kind: Kind = .photos, excluding excluded: URL? = nil) {
    self.kind = kind
    self.excluded = excluded.flatMap { FileIdentity(FilePath($0.path)) }
    var hasReadInput = false
    for argument in arguments {
      if argument == "-" {
        if !hasReadInput { entries.append(Self.standardInput()) }
        hasReadInput = true
        continue
      }
      let path = Self.path(ofArgument: argument)
      if let address = NetworkAddress(argument), FileIdentity(path) == nil {
        entries.append(.problem(Self.refusal(of: address)))
        continue
      }
      if FileIdentity(path) == nil, argument.contains(where: { "*?[".contains($0) }) {
        let matches = Self.matches(of: path)
        if matches.isEmpty { entries.append(.problem(MienError(.file, argument, "matches no file"))) }
        for match in matches { add(match) }
      } else {
        add(path)
      }
    }
  }

  /// Checks the arguments of a command that reads videos.
  ///
  /// - Throws: `ValidationError` if one is standard input.
  static func checkVideos(_ arguments: [String]) throws {
    guard arguments.contains("-") else { return }
    throw ValidationError("videos are not read from standard input; name a file")
  }

  /// The picture on standard input, all of which is read.
  private static func standardInput() -> Entry {
    let name = "standard input"
    let most = ImageLimits.default.maxFileBytes
    if isatty(STDIN_FILENO) != 0 {
      let message = "is the terminal, expected a picture: mien detect - < photo.jpg, or ./- for a file of this name"
      return .problem(MienError(.file, name, message))
    }
    do {
      let content = try FileHandle.standardInput.read(upToCount: most + 1) ?? Data()
      return .photo(.init(name: name, content: content), relativePath: FilePath("standard-input"))
    } catch {
      return .problem(MienError(.file, name, "could not be read"))
    }
  }

  /// What is said of an address: pictures are not fetched.
  private static func refusal(of address: NetworkAddress) -> MienError {
    let isWeb = ["http", "https", "ftp", "ftps", "sftp"].contains(address.scheme)
    let advice =
      isWeb
      ? "fetch it first: curl -fLO ADDRESS, or curl -fL ADDRESS | mien detect -"
      : "`mien video` and `mien camera` read a camera's address"
    return MienError(.file, address.shown, "is an address, and photos are not fetched from a network; \(advice)")
  }

  /// What was passed over in folders, in one sentence; `nil` for nothing.
  var summary: String? {
    guard !passedOver.isEmpty else { return nil }
    let parts = passedOver.sorted { $0.key.name < $1.key.name }.map { kind, found in
      let name = kind.name.split(separator: " ").dropFirst().joined(separator: " ")
      let example = found.count > 1 ? "\(found.example) and others" : found.example
      return
        "\(found.count.grouped) \(name)\(found.count > 1 ? "s" : "") (\(example)\(kind.advice.isEmpty ? "" : "; \(kind.advice)"))"
    }
    return "not read: " + parts.joined(separator: ", ")
  }

  private mutating func add(_ path: FilePath) {
    let found = FileIdentity(path)
    if found == nil { missing.insert(path) }
    guard let identity = found, identity.isFolder else {
      // What is missing or unreadable is said when it is opened, with all other failures.
      entries.append(.photo(.init(name: path.text, path: path), relativePath: path.name))
      return
    }
    if identity == excluded {
      let message = "is the folder that results go to, which is not searched"
      return entries.append(.problem(MienError(.file, path.text, message)))
    }
    let before = entries.count
    let others = passedOver
    passedOver = [:]
    hasPictures = false
    var problems: [MienError] = []
    search(path, relative: FilePath(""), &problems)
    if entries.count == before && problems.isEmpty {
      let pictures = hasPictures ? "`mien detect \(ShellWord.quoted(path.text))` reads the pictures in it" : nil
      problems = [
        MienError(
          .file, path.text,
          "is a folder without \(kind == .photos ? "pictures" : "videos")"
            + ((summary ?? pictures).map { "; \($0)" } ?? ""))
      ]
      passedOver = others
    } else {
      passedOver.merge(others) { ($0.count + $1.count, $1.example) }
    }
    entries += problems.map(Entry.problem)
  }

  /// Adds the pictures under a folder, sorted. Links to folders are not followed, so that no loop is walked.
  private mutating func search(_ root: FilePath, relative: FilePath, _ problems: inout [MienError]) {
    let folder = relative.bytes.isEmpty ? root : root.appending(relative)
    if FileIdentity(folder) == excluded, excluded != nil { return }
    let names: [FilePath]
    switch Self.contents(of: folder) {
    case .success(let found): names = found
    case .failure(let problem): return problems.append(problem)
    }
    for name in names where name.bytes.first != UInt8(ascii: ".") {
      let inner = relative.appending(name)
      let path = root.appending(inner)
      if let identity = FileIdentity(path, followsLinks: false), identity.isFolder {
        search(root, relative: inner, &problems)
      } else if let target = FileIdentity(path), target.isFolder {
        continue
      } else if isWanted(path, name) {
        entries.append(.photo(.init(name: path.text, path: path), relativePath: inner))
      }
    }
  }

  /// Whether a file of a folder is what is looked for, or is to be: where pictures are, else it is counted if one can look
  /// at it.
  private mutating func isWanted(_ path: FilePath, _ name: FilePath) -> Bool {
    let fileExtension = name.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).dropFirst()
      .last
    let extensions = kind == .photos ? FileKind.pictureExtensions : FileKind.videoExtensions
    if let fileExtension, extensions.contains(String(decoding: fileExtension, as: UTF8.self).lowercased()) {
      return true
    }
    guard let start = Self.start(of: path), start.count > 16 else { return false }
    if kind == .videos {
      guard case .other(let other) = FileKind(start: start) else {
        hasPictures = true
        return false
      }
      return other.content == .video
    }
    switch FileKind(start: start) {
    // TGA has no signature, so the name must say it.
    case .picture(let format): return format != .tga
    case .other(let other):
      switch other.content {
      case .picture: return true
      case .none: return false
      case .document, .video:
        passedOver[other] = ((passedOver[other]?.count ?? 0) + 1, passedOver[other]?.example ?? name.text)
        return false
      }
    }
  }

  // MARK: - The file system

  /// What a path leads to.
  private struct FileIdentity: Equatable {
    private let device: UInt
    private let number: UInt
    let isFolder: Bool

    /// `nil` if there is nothing.
    init?(_ path: FilePath, followsLinks: Bool = true) {
      var status = stat()
      guard path.withCString({ followsLinks ? stat($0, &status) : lstat($0, &status) }) == 0 else { return nil }
      (device, number) = (UInt(status.st_dev), UInt(status.st_ino))
      isFolder = status.st_mode & S_IFMT == S_IFDIR
    }
  }

  /// The bytes that an argument was given as: Swift replaces those that are not UTF-8.
  private static func path(ofArgument argument: String) -> FilePath {
    guard argument.unicodeScalars.contains("\u{FFFD}") else { return FilePath(argument) }
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let given = CommandLine.unsafeArgv[index] else { continue }
      let path = FilePath(bytes: UnsafeRawBufferPointer(start: given, count: strlen(given)))
      if path.text.unicodeScalars.elementsEqual(argument.unicodeScalars) { return path }
    }
    return FilePath(argument)
  }

  private static func contents(of folder: FilePath) -> Result<[FilePath], MienError> {
    if let names = folder.contents() { return .success(names) }
    let reason = String(cString: strerror(errno))
    return .failure(MienError(.file, folder.text, "the folder may not be read: \(reason)"))
  }

  /// A regular file's first bytes; `nil` for others, and where it cannot be read.
  private static func start(of path: FilePath) -> [UInt8]? {
    let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return [UInt8](unsafeUninitializedCapacity: FileKind.prefix) { buffer, count in
      count = max(0, read(descriptor, buffer.baseAddress, FileKind.prefix))
    }
  }

  private static func matches(of pattern: FilePath) -> [FilePath] {
    var result = glob_t()
    defer { globfree(&result) }
    guard pattern.withCString({ glob($0, 0, nil, &result) }) == 0, let paths = result.gl_pathv else { return [] }
    return (0..<Int(result.gl_pathc)).compactMap { index in
      paths[index].map { FilePath(bytes: UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
  }
}
