public import Foundation
public import MienCore
import SwiftProtobuf

/// A Mien model file: an ONNX graph with its weights, and a ``ModelCard`` in the metadata.
///
/// Whatever of the file this package does not know survives reading and writing.
public struct ONNXModel: Sendable {
  /// A size along one axis of a graph's input or output.
  public enum Dimension: Sendable, Hashable, CustomStringConvertible {
    /// A size fixed in the graph.
    case fixed(Int)
    /// A size known when the graph runs, by its name, as `N`.
    case dynamic(String)

    /// The number, or the name.
    public var description: String {
      switch self {
      case .fixed(let size): "\(size)"
      case .dynamic(let name): name
      }
    }
  }

  /// A named tensor that goes into or comes out of the graph.
  public struct Port: Sendable, Hashable {
    /// The tensor's name.
    public let name: String
    /// Its sizes, outermost first; empty where the file does not say.
    public let shape: [Dimension]
  }

  /// The largest file accepted, in bytes.
  public static let maximumBytes = 512 << 20

  /// The file's bytes.
  public let data: Data
  private let message: Onnx_ModelProto
  /// Whether the weights are known to be those of the card, as the built-in model's are.
  package var isVerified = false

  /// Reads a model from the bytes of an ONNX file.
  ///
  /// - Throws: ``MienError`` where the bytes are too many, are no ONNX model, or need other files for their weights.
  public init(data: Data) throws {
    guard data.count <= Self.maximumBytes else {
      throw MienError(
        .limit, nil, "\(data.count.grouped) bytes, a model file may have at most \(Self.maximumBytes.grouped)")
    }
    guard !data.isEmpty else { throw MienError(.format, nil, "is empty, expected an ONNX model") }
    guard let message = try? Onnx_ModelProto(serializedBytes: data) else {
      let signature = FileSignature([UInt8](data.prefix(FileSignature.bytes)))
      throw MienError(
        .format, nil, signature.map { "is \($0.name), expected an ONNX model" } ?? "not an ONNX model, or cut short")
    }
    guard message.irVersion > 0, message.hasGraph, !message.graph.node.isEmpty, !message.opsetImport.isEmpty else {
      throw MienError(.format, nil, "not an ONNX model: it has no version, operator set or graph")
    }
    guard message.graph.initializer.allSatisfy({ $0.dataLocation == .default && $0.externalData.isEmpty }) else {
      throw MienError(.format, nil, "keeps weights in other files; Mien reads models of one file")
    }
    try self.init(message: message, data: data)
  }

  /// Reads a model file.
  ///
  /// - Throws: ``MienError`` naming the file, as ``init(data:)`` does, or where it cannot be read.
  public init(contentsOf url: URL) throws {
    let values = try? url.resourceValues(forKeys: [.fileSizeKey, .isRegularFileKey])
    guard values?.isRegularFile == true else { throw FileProblem.error(reading: url) }
    guard (values?.fileSize ?? 0) <= Self.maximumBytes else {
      throw MienError(.limit, url.relativePath, "a model file may have at most \(Self.maximumBytes.grouped) bytes")
    }
    guard let data = try? Data(contentsOf: url, options: .mappedIfSafe) else {
      throw FileProblem.error(reading: url)
    }
    do { try self.init(data: data) } catch let error as MienError { throw error.about(url.relativePath) }
  }

  init(message: Onnx_ModelProto, data: Data? = nil) throws {
    do { self.data = try data ?? message.serializedBytes() } catch {
      throw MienError(.format, message.graph.name, "the graph cannot be written as ONNX")
    }
    self.message = message
  }

  /// SHA-256, in hexadecimal, of graph, weights and operator set versions without metadata, documentation and producer:
  /// equal for files that compute the same in the same way, whatever their cards say. Takes some 5 ms a megabyte.
  public var weightsSHA256: String {
    var bare = Onnx_ModelProto()
    bare.opsetImport = message.opsetImport
    bare.graph = message.graph.withoutAnnotations()
    // Model-local functions are among these, and they change what the graph computes.
    bare.unknownFields = message.unknownFields
    // A message that was read or has been written once has no part that cannot be written again.
    return SHA256.hexadecimal(of: (try? bare.serializedBytes()) ?? Data())
  }

  /// The graph's inputs, without its weights.
  public var inputs: [Port] {
    let weights = Set(message.graph.initializer.map(\.name))
    return message.graph.input.filter { !weights.contains($0.name) }.map(Port.init)
  }

  /// The graph's outputs.
  public var outputs: [Port] { message.graph.output.map(Port.init) }

  /// What the file says of itself.
  ///
  /// - Throws: ``MienError`` where the file has no card, the card does not fit the graph's outputs, or the weights are
  ///   not those that the card was written for.
  public func card() throws -> ModelCard {
    let card = try unverifiedCard()
    if isVerified { return card }
    let found = weightsSHA256
    guard card.weightsSHA256 == found else {
      throw MienError(
        .mismatch, nil, "its weights have SHA-256 \(found), its card was written for \(card.weightsSHA256)")
    }
    return card
  }

  /// ``card()`` without the check of the weights, for what is needed before they are.
  package func unverifiedCard() throws -> ModelCard {
    guard let entry = message.metadataProps.first(where: { $0.key == ModelCard.metadataKey }) else {
      throw MienError(.format, nil, "not a Mien model: its metadata has no \(ModelCard.metadataKey)")
    }
    let card = try ModelCard(json: Data(entry.value.utf8))
    try checkOutputs(of: card)
    return card
  }

  /// The same graph and weights under another card, whose ``ModelCard/weightsSHA256`` is filled in.
  ///
  /// - Throws: ``MienError`` where the card names an output that the graph lacks.
  public func replacingCard(_ card: ModelCard) throws -> ONNXModel {
    try checkOutputs(of: card)
    var card = card
    card.weightsSHA256 = weightsSHA256
    var message = message
    message.metadataProps.removeAll { $0.key == ModelCard.metadataKey }
    let json = String(decoding: try card.json(), as: UTF8.self)
    message.metadataProps.append(
      .with {
        $0.key = ModelCard.metadataKey
        $0.value = json
      })
    return try ONNXModel(message: message)
  }

  /// What the metadata says under `key`; nil where it says nothing.
  package func metadata(_ key: String) -> String? { message.metadataProps.first { $0.key == key }?.value }

  /// The same graph, weights and card with `value` under `key` in the metadata.
  package func replacingMetadata(_ key: String, with value: String) throws -> ONNXModel {
    var message = message
    message.metadataProps.removeAll { $0.key == key }
    message.metadataProps.append(
      .with {
        $0.key = key
        $0.value = value
      })
    return try ONNXModel(message: message)
  }

  var graph: Onnx_GraphProto { message.graph }

  /// The file with its graph as `change` leaves it; the card is as it was.
  func changingGraph(_ change: (inout Onnx_GraphProto) throws -> Void) rethrows -> Onnx_ModelProto {
    var message = message
    try change(&message.graph)
    return message
  }

  /// Writes the file as a whole or not at all.
  ///
  /// - Throws: ``MienError`` naming the file.
  public func write(to url: URL) throws { try AtomicFile.write(data, to: url) }

  private func checkOutputs(of card: ModelCard) throws {
    for output in card.outputs {
      guard let port = outputs.first(where: { $0.name == output.name }) else {
        throw MienError(.mismatch, nil, "its card names the output \(output.name), which the graph lacks")
      }
      guard port.shape.isEmpty || (port.shape.count == 2 && port.shape[1] == .fixed(output.emotions.count)) else {
        throw MienError(
          .mismatch, nil,
          "output \(output.name) has the shape [\(port.shape.map(\.description).joined(separator: ", "))], its card "
            + "names \(output.emotions.count) emotions")
      }
    }
  }
}

extension ONNXModel.Port {
  init(_ value: Onnx_ValueInfoProto) {
    name = value.name
    shape = value.type.tensorType.shape.dim.map { dimension in
      switch dimension.value {
      case .dimValue(let size): .fixed(Int(size))
      case .dimParam(let name): .dynamic(name)
      case nil: .dynamic("?")
      }
    }
  }
}

extension Onnx_GraphProto {
  /// The graph without documentation and metadata, in sub-graphs as well.
  func withoutAnnotations() -> Onnx_GraphProto {
    var graph = self
    graph.clearDocString()
    graph.metadataProps = []
    for index in graph.initializer.indices { graph.initializer[index].clearAnnotations() }
    for index in graph.node.indices { graph.node[index].clearAnnotations() }
    for index in graph.input.indices { graph.input[index].clearAnnotations() }
    for index in graph.output.indices { graph.output[index].clearAnnotations() }
    graph.valueInfo = []
    return graph
  }
}

extension Onnx_TensorProto {
  fileprivate mutating func clearAnnotations() { clearDocString() }
}

extension Onnx_ValueInfoProto {
  fileprivate mutating func clearAnnotations() {
    clearDocString()
    metadataProps = []
  }
}

extension Onnx_NodeProto {
  fileprivate mutating func clearAnnotations() {
    clearDocString()
    metadataProps = []
    for index in attribute.indices {
      attribute[index].clearDocString()
      if attribute[index].hasG { attribute[index].g = attribute[index].g.withoutAnnotations() }
    }
  }
}
