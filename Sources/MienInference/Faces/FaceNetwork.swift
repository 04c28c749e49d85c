import Foundation
import MienCore
import Synchronization

/// A network that looks at pictures of several sizes: compiled once for each size, when a picture first needs it.
final class FaceNetwork: Sendable {
  /// Where a network comes from and what is done to it.
  struct Source: Sendable {
    /// Names it in the cache: what it is, and a part of its hash.
    var name: String
    /// Reads it.
    var read: @Sendable () throws -> NetworkGraph
    /// The input's name.
    var input: String
    var encoding: Encoding
    /// Whether it is cut so that it takes inputs of any size.
    var isConvolutional = false
    /// Whether bf16 is precise enough for it, on processors with instructions for that.
    var rounds = false
  }

  /// How a network takes a picture.
  enum Encoding: Sendable {
    /// [1, height, width, 3] in RGB, of which each byte becomes `value * scale + offset`.
    case rgb(scale: Float, offset: Float)
    /// [1, 3, height, width] in BGR, 0…255.
    case bgrPlanes
  }

  /// An input's size in pixels.
  struct Size: Hashable, Sendable {
    var width: Int
    var height: Int
  }

  let source: Source
  private let cache: NetworkCache
  private let entries = Mutex<[Size: Entry]>([:])

  /// A size's network; others need not wait while it is compiled.
  private final class Entry: Sendable {
    let network = Mutex<CompiledNetwork?>(nil)
  }

  /// More sizes than this are not kept in memory at a time.
  private static let mostSizes = 24

  init(_ source: Source, cache: NetworkCache) {
    self.source = source
    self.cache = cache
  }

  /// Runs the network on a picture of RGB bytes, [height, width, 3], and hands the outputs to `body`.
  func run<Result>(
    _ pixels: [UInt8], _ size: Size, _ body: (InferenceRequest) throws -> Result
  ) throws -> Result {
    let network = try prepared(size)
    switch source.encoding {
    case .rgb:
      return try network.run(source.input, bytes: pixels, shape: [1, size.height, size.width, 3], body)
    case .bgrPlanes:
      let area = size.width * size.height
      var planes = [Float](repeating: 0, count: 3 * area)
      for index in 0..<area {
        for channel in 0..<3 { planes[(2 - channel) * area + index] = Float(pixels[3 * index + channel]) }
      }
      return try network.run(source.input, planes[...], shape: [1, 3, size.height, size.width], body)
    }
  }

  /// The network for inputs of `size`.
  @discardableResult
  func prepared(_ size: Size) throws -> CompiledNetwork {
    let entry = entries.withLock { entries in
      if let entry = entries[size] { return entry }
      if entries.count >= Self.mostSizes { entries.removeAll() }
      let entry = Entry()
      entries[size] = entry
      return entry
    }
    return try entry.network.withLock { network in
      if let network { return network }
      let key = "\(source.name) \(size.width)x\(size.height) \(source.encoding)"
      // One thread a run, since callers work on several pictures at a time.
      let made = try cache.network(key, threads: 1, rounds: source.rounds) {
        let graph = try source.read()
        if source.isConvolutional { try graph.makeConvolutional() }
        switch source.encoding {
        case .rgb(let scale, let offset):
          try graph.reshape([1, size.height, size.width, 3])
          try graph.takeBytes(scale: scale, offset: offset)
        case .bgrPlanes:
          try graph.reshape([1, 3, size.height, size.width])
        }
        return try CompiledNetwork(graph, threads: 1, rounds: source.rounds)
      }
      network = made
      return made
    }
  }
}

extension NetworkGraph {
  /// Reads a TFLite file inside the program. OpenVINO reads that format from files alone, so it is written to one first.
  static func embedded(_ bytes: Data) throws -> NetworkGraph {
    let name = "mien-\(getpid())-\(UUID().uuidString).tflite"
    let folders = [FileManager.default.temporaryDirectory, URL(fileURLWithPath: "/dev/shm", isDirectory: true)]
    for url in folders.map({ $0.appendingPathComponent(name) }) {
      // A part of it may be there even if there is no room for the rest.
      defer { try? FileManager.default.removeItem(at: url) }
      guard (try? bytes.write(to: url)) != nil else { continue }
      return try NetworkGraph(contentsOf: url)
    }
    throw MienError(
      .file, folders[0].path,
      "a temporary file for the face networks could not be written; name a folder with 3 MB of room in TMPDIR")
  }
}
