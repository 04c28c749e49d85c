import Foundation
import HTTPTypes
import Hummingbird
import MienInference
import NIOCore

/// `/v1/sessions`: pictures of a camera, one after another.
struct SessionRoutes: Sendable {
  let engine: InferenceEngine
  let bodies: BodyReader
  let sessions: SessionStore

  func add(to routes: inout RouteTable) {
    routes.on(.post, "/v1/sessions", use: open)
    routes.on(.delete, "/v1/sessions/{id}") { request, context in
      _ = try Query(request)
      try sessions.close(Self.id(context), client: context.client)
      return Response(status: .noContent)
    }
    routes.on(.post, "/v1/sessions/{id}/frames", use: frame)
    routes.on(.get, "/v1/sessions/{id}/events", use: events)
  }

  private func open(_ request: Request, _ context: ServerContext) async throws -> Response {
    _ = try Query(request)
    let given: GivenOptions = try await bodies.withBody(of: request, context, limit: 4096) { body in
      if body.isEmpty { return GivenOptions() }
      return try Self.options(body)
    }
    let (options, reader) = (given.options, try await engine.reader(given.choice, client: context.client))
    let id = try sessions.open(LiveSession(options, by: reader, engine: engine), client: context.client)
    let answer = OpenedJSON(
      id: id, minConfidence: options.minConfidence, smoothing: options.smoothing, model: reader.model.name,
      profile: reader.model.profile?.text, detector: reader.detector,
      expiresAfterSeconds: bodies.limits.sessionSeconds)
    return try JSON.response(answer, status: .created, headers: [.location: "/v1/sessions/\(id)"])
  }

  private func frame(_ request: Request, _ context: ServerContext) async throws -> Response {
    let seconds = try Query(request, "seconds").number("seconds", in: 0...1e12)
    let id = Self.id(context)
    _ = try sessions.session(id, client: context.client)
    return try await bodies.withPictures(of: request, context, limit: 1) { input in
      // The upload may have taken longer than the session was to live.
      let session = try sessions.session(id, client: context.client)
      let picture = input.pictures[0].data
      let answer = try await context.whileConnected { try await session.read(picture, seconds: seconds) }
      return try JSON.response(answer)
    }
  }

  /// A comment, which clients pass over.
  private static let comment = ": still here\n\n"
  /// Seconds after which a listener hears that the connection still stands.
  private static let pulse = 15.0
  /// Seconds between two pulses to a client that sends no more: the network refuses the first one's successor.
  private static let probe = 0.2

  /// The answers to a session's pictures as server-sent events
  /// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
  private func events(_ request: Request, _ context: ServerContext) async throws -> Response {
    _ = try Query(request)
    let stream = try sessions.session(Self.id(context), client: context.client).events.listen()
    let (channel, patience) = (context.channel, bodies.limits.idleSeconds)
    let body = ResponseBody { writer in
      // Comments keep proxies from closing a connection on which nothing happens, and find out who has gone.
      let (texts, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(64))
      let frames = Task {
        for await event in stream { continuation.yield(try Self.text(event)) }
        continuation.finish()
      }
      let pulse = Task {
        while true {
          continuation.yield(Self.comment)
          try await Task.sleep(for: .seconds(Self.pulse))
        }
      }
      channel.triggerUserOutboundEvent(
        ConnectionEvent.streams {
          Task {
            for _ in 0..<2 {
              continuation.yield(Self.comment)
              try await Task.sleep(for: .seconds(Self.probe))
            }
          }
        }, promise: nil)
      defer {
        frames.cancel()
        pulse.cancel()
        channel.triggerUserOutboundEvent(ConnectionEvent.rests, promise: nil)
      }
      for await text in texts {
        let end = channel.closed(in: patience)
        defer { end.cancel() }
        try await writer.write(ByteBuffer(string: text))
      }
      try await writer.finish(nil)
    }
    // nginx would keep events back until there are some kilobytes of them.
    var headers: HTTPFields = [.contentType: "text/event-stream"]
    if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
    return Response(status: .ok, headers: headers, body: body)
  }

  /// An event as the protocol has it. JSON has no line ends.
  private static func text(_ event: FrameEvents.Event) throws -> String {
    switch event {
    case .frame(let answer):
      let data = String(decoding: try JSON.encode(answer), as: UTF8.self)
      return "event: frame\nid: \(answer.index)\ndata: \(data)\n\n"
    case .end: return "event: end\ndata: {}\n\n"
    }
  }

  private static func id(_ context: ServerContext) -> String { context.parameters.get("id") ?? "" }

  /// The options of a new session; the error names a key that is unknown or has another value than it may.
  private static func options(_ body: Data) throws -> GivenOptions {
    let other = APIError.badRequest("The body must be a JSON object in UTF-8, such as {\"minConfidence\": 0.4}.")
    let names = GivenOptions.Keys.allCases.map(\.rawValue)
    let expected = Dictionary(uniqueKeysWithValues: GivenOptions.Keys.allCases.map { ($0.rawValue, $0.expected) })
    guard let object = try JSON.object(body, expected: expected) else { throw other }
    if let key = object.keys.sorted().first(where: { !names.contains($0) }) {
      throw APIError.unknown(key, "The JSON body has an unknown key", among: names)
    }
    let given: GivenOptions
    do { given = try JSONDecoder().decode(GivenOptions.self, from: body) } catch let error as APIError {
      throw error
    } catch { throw other }
    try given.choice.validate()
    return given
  }

  /// The options of a new session, in one JSON object. What is null counts as absent: answers have null.
  private struct GivenOptions: Decodable, Sendable {
    enum Keys: String, CodingKey, CaseIterable {
      case minConfidence, smoothing, model, profile, detector, minFace, prior, priorStrength

      /// What its value may be, in words for an error.
      var expected: String {
        switch self {
        case .minConfidence: "a number from 0 to 1"
        case .smoothing: "true or false"
        default: ReadingChoice.expected[rawValue] ?? "another value"
        }
      }
    }

    var options = LiveSession.Options()
    var choice = ReadingChoice()

    init() {}

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Keys.self)
      func value<Value: Decodable>(_ key: Keys) throws -> Value? {
        do { return try container.decodeIfPresent(Value.self, forKey: key) } catch {
          let found = try container.decode(JSONValueWords.self, forKey: key)
          throw APIError.unexpected(key.rawValue, key.expected, found: found.text)
        }
      }
      if let confidence: Float = try value(.minConfidence) {
        guard (0...1).contains(confidence) else {
          let found = "the number \(Double(confidence).shortText)"
          throw APIError.unexpected(Keys.minConfidence.rawValue, Keys.minConfidence.expected, found: found)
        }
        // -0 is 0, as in queries.
        options.minConfidence = confidence == 0 ? 0 : confidence
      }
      options.smoothing = try value(.smoothing) ?? options.smoothing
      choice.model = try value(.model)
      choice.profile = try value(.profile)
      choice.detector = try value(.detector)
      choice.minFace = try value(.minFace)
      choice.prior = try value(.prior)
      choice.priorStrength = try value(.priorStrength)
    }
  }

  private struct OpenedJSON: Encodable {
    let id: String
    let minConfidence: Float
    let smoothing: Bool
    let model: String
    @WrittenNull var profile: String?
    let detector: String
    let expiresAfterSeconds: Double
  }
}
