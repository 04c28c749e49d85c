import Foundation
import HTTPTypes
import Hummingbird
import MienCore
import MienInference

/// A video that was sent to be read. Its record is a file, so that the job outlasts the server.
struct VideoJob: Codable, Sendable {
  /// Where a job stands.
  enum State: String, Codable, Sendable {
    /// It is being received.
    case receiving
    /// It waits for those before it.
    case queued
    case running, done, failed
  }

  /// How a video is read.
  struct Options: Codable, Sendable {
    /// Every how many frames one is read.
    var every: Int
    /// How readings are smoothed.
    var reading: LiveSession.Options
    /// What reads it, with the names that the server has found; `nil` in the records of earlier versions.
    var choice: ReadingChoice?

    /// The options of the library.
    var videoOptions: VideoOptions { VideoOptions(every: every, tracking: reading.tracking) }
  }

  let id: String
  var client: AccessTokens.Client
  let options: Options
  let created: Date
  var state = State.receiving
  /// When it was done or failed.
  var finished: Date?
  /// Frames read.
  var frames = 0
  /// How much of the video has been read, 0…1; nil where the file does not tell how long it is.
  var progress: Double?
  /// What is wrong with a video that was read, as ``Image/warning`` says it of pictures.
  var warning: String?
  /// Why it failed, as a sentence for the client.
  var error: String?
  /// The same as a word for programs, as ``APIError/code``; `nil` in the records of earlier versions, too.
  var errorCode: String?
  /// How many servers have begun to read it and not come to its end; `nil` for none.
  var attempts: Int?

  /// Whether nothing more will happen to it.
  var isFinished: Bool { state == .done || state == .failed }
}

/// The files of the jobs: a folder each, named by its id, with `job.json`, `upload`, `result.jsonl` and `result.csv`.
struct VideoJobFolder: Sendable {
  let url: URL

  init(_ jobs: URL, id: String) { url = jobs.appendingPathComponent(id, isDirectory: true) }

  /// What was sent.
  var upload: URL { url.appendingPathComponent("upload") }
  /// What came of it, a row a line.
  var result: URL { url.appendingPathComponent("result.jsonl") }
  /// The same as CSV.
  var table: URL { url.appendingPathComponent("result.csv") }
  private var record: URL { url.appendingPathComponent("job.json") }

  /// Makes the folder and an empty record: a file that is written anew keeps its rights.
  func make() throws {
    try Folders.make(url, mode: 0o700)
    _ = FileManager.default.createFile(atPath: record.path, contents: nil, attributes: [.posixPermissions: 0o600])
  }

  func write(_ job: VideoJob) throws { try AtomicFile.write(JSONEncoder().encode(job), to: record) }

  /// The record; nil where there is none that can be read.
  func read() -> VideoJob? {
    (try? Data(contentsOf: record)).flatMap { try? JSONDecoder().decode(VideoJob.self, from: $0) }
  }

  /// Whether there is a record. That of a job whose upload was not finished is empty.
  var hasRecord: Bool { (try? Data(contentsOf: record))?.isEmpty == false }

  /// Gives the folder a name that is no job's, if its record is damaged.
  ///
  /// - Returns: the new name; `nil` if it cannot be renamed.
  func putAside() -> URL? {
    let aside = URL(fileURLWithPath: url.path + ".damaged", isDirectory: true)
    return (try? FileManager.default.moveItem(at: url, to: aside)) == nil ? nil : aside
  }

  func remove() { try? FileManager.default.removeItem(at: url) }

  /// Removes what is not needed once a job has ended: what was sent, and a result without a row.
  func tidy() {
    try? FileManager.default.removeItem(at: upload)
    let size = (try? FileManager.default.attributesOfItem(atPath: result.path))?[.size] as? NSNumber
    if size == 0 { removeRows() }
  }

  /// Removes what came of the job.
  func removeRows() { for file in [result, table] { try? FileManager.default.removeItem(at: file) } }

  /// Removes what is left of a job without a record. A folder that holds anything but a job's files is not the server's
  /// own: it stays.
  ///
  /// - Returns: whether the folder was removed.
  func removeRemains() -> Bool {
    func kind(_ path: String) -> FileAttributeType? {
      (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
    }
    guard kind(url.path) == .typeDirectory,
      let names = try? FileManager.default.contentsOfDirectory(atPath: url.path)
    else { return false }
    let files = [upload, result, table, record].map(\.lastPathComponent)
    let isJobs = names.allSatisfy { name in
      // The third is a record that was being written.
      let isKnown = files.contains(name) || name.hasPrefix(".\(record.lastPathComponent).")
      return isKnown && kind("\(url.path)/\(name)") == .typeRegular
    }
    if isJobs { remove() }
    return isJobs
  }
}

/// A file that grows.
final class GrowingFile: Sendable {
  private let descriptor: Int32
  private let path: String

  /// Makes the file, which only this user may read.
  init(_ url: URL) throws {
    path = url.path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure(path) }
  }

  deinit { close(descriptor) }

  /// Adds to its end. Blocks.
  ///
  /// - Throws: ``APIError`` where the disk is full, else ``MienError``.
  func append(_ data: Data) throws {
    guard AtomicFile.writeAll(data, to: descriptor) else { throw Self.failure(path) }
  }

  private static func failure(_ path: String) -> any Error {
    if [ENOSPC, EDQUOT].contains(errno) { return APIError.diskFull }
    return MienError(.file, path, "could not be written: \(String(cString: strerror(errno)))")
  }
}

/// What came of a job, to be sent piece by piece. It can be read to its end though the job is removed meanwhile.
final class VideoResult: Sendable {
  /// How many bytes it has.
  let count: Int
  private let descriptor: Int32
  private let path: String
  private let queue: NativeQueue
  private static let pieceBytes = 1 << 16

  /// Opens the file, which is then read on `queue`. Blocks.
  ///
  /// - Parameter isPartial: whether rows are still being added: then only whole ones count.
  /// - Throws: ``APIError`` where it is not there.
  init(_ url: URL, isPartial: Bool, queue: NativeQueue) throws {
    path = url.path
    self.queue = queue
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw APIError.noVideo }
    let size = max(0, lseek(descriptor, 0, SEEK_END))
    count = isPartial ? Self.wholeLines(descriptor, size) : size
  }

  /// How many bytes the lines have that are whole.
  private static func wholeLines(_ descriptor: Int32, _ size: Int) -> Int {
    var end = size
    var piece = [UInt8](repeating: 0, count: pieceBytes)
    while end > 0 {
      let start = max(0, end - pieceBytes)
      let found = pread(descriptor, &piece, end - start, start)
      guard found > 0 else { return 0 }
      if let last = piece[..<found].lastIndex(of: 0x0A) { return start + last + 1 }
      end = start
    }
    return 0
  }

  deinit { close(descriptor) }

  /// The bytes from `offset` on, at least one of them and at most 64 KiB.
  ///
  /// - Throws: ``MienError`` where there are none.
  func read(from offset: Int) async throws -> ByteBuffer {
    try await queue.run { [self] () throws -> ByteBuffer in
      var piece = ByteBuffer()
      let wanted = min(Self.pieceBytes, count - offset)
      let found = piece.writeWithUnsafeMutableBytes(minimumWritableBytes: max(0, wanted)) { bytes in
        var taken = 0
        repeat { taken = pread(descriptor, bytes.baseAddress, wanted, offset) } while taken < 0 && errno == EINTR
        return max(0, taken)
      }
      guard found > 0 else { throw MienError(.file, path, "could not be read to its end") }
      return piece
    }
  }
}

extension APIError {
  static let noVideos = APIError(
    .notFound, "not_kept", "This server reads no videos: it has no folder for them, which --state-dir names.")
  static let noTable = APIError(
    .notFound, "no_csv", "The rows of this video were not kept as CSV; format=jsonl has them.")
  static let noVideo = APIError(.notFound, "no_video", "There is no such video; its result may have expired.")
  static let diskFull = APIError(.insufficientStorage, "disk_full", "The server's disk is full.")

  /// Whether the file system that `url` is in has no room left.
  static func isDiskFull(at url: URL) -> Bool {
    var status = statvfs()
    return statvfs(url.path, &status) == 0 && status.f_bavail == 0
  }
}

extension HTTPResponse.Status {
  /// 507 (RFC 4918, section 11.5).
  static let insufficientStorage = Self(code: 507, reasonPhrase: "Insufficient Storage")
}
