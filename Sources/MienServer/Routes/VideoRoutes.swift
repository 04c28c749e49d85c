import Foundation
import Hummingbird
import MienInference
import NIOCore

/// `/v1/video`: videos, read as jobs.
struct VideoRoutes: Sendable {
  let engine: InferenceEngine
  let bodies: BodyReader
  let jobs: VideoJobs

  func add(to routes: inout RouteTable) {
    routes.on(.post, "/v1/video", use: add)
    routes.on(.get, "/v1/video") { request, context in
      _ = try Query(request)
      return try JSON.response(["videos": jobs.jobs(of: context.client).map { JobJSON($0) }])
    }
    routes.on(.get, "/v1/video/{id}") { request, context in
      _ = try Query(request)
      return try JSON.response(JobJSON(try jobs.job(Self.id(context), client: context.client)))
    }
    routes.on(.get, "/v1/video/{id}/result") { request, context in
      let query = try Query(request, "partial", "format")
      let isPartial = try query.flag("partial") ?? false
      let format = try AnswerFormat(query, accept: request.headers[.accept], or: .jsonl)
      let result = try await jobs.result(
        Self.id(context), client: context.client, format: format, isPartial: isPartial)
      return Response(
        status: .ok, headers: [.contentType: format.contentType, .vary: "Accept"],
        body: result.map { body($0, context.channel) } ?? ResponseBody())
    }
    routes.on(.delete, "/v1/video/{id}") { request, context in
      _ = try Query(request)
      try await jobs.remove(Self.id(context), client: context.client)
      return Response(status: .noContent)
    }
  }

  private func add(_ request: Request, _ context: ServerContext) async throws -> Response {
    let query = try Query(request, ["every", "minConfidence", "smoothing"] + ReadingChoice.names)
    var choice = try ReadingChoice(query)
    // What the names mean is settled now, whatever a server after this one is started with.
    let reader = try await engine.reader(choice, client: context.client)
    choice.model = reader.model.name
    choice.profile = reader.model.profile?.text ?? ""
    choice.detector = reader.detector
    choice.minFace = engine.minFace(of: choice)
    choice.prior = reader.prior.text
    choice.priorStrength = reader.prior.strength
    let options = VideoJob.Options(
      every: try query.integer("every", in: 1...1000) ?? 1,
      reading: .init(
        minConfidence: try query.number("minConfidence", in: 0...1).map { Float($0) }
          ?? FaceReading.standardMinConfidence,
        smoothing: try query.flag("smoothing") ?? true),
      choice: choice)
    let contentType = request.headers[.contentType] ?? ""
    let limits = bodies.limits
    let job = try await jobs.add(options, client: context.client) { append in
      var upload = try VideoUpload(contentType: contentType)
      var received = 0
      try await bodies.chunks(of: request, context, limit: limits.videoBytes, seconds: limits.videoSeconds) { chunk in
        received += chunk.readableBytes
        let content = try upload.content(of: Data(chunk.readableBytesView))
        if !content.isEmpty { try await append(content) }
      }
      let length = request.headers[.contentLength].flatMap { Int($0) }
      guard length ?? received == received else { throw APIError.disconnected }
      let rest = try upload.finish()
      if !rest.isEmpty { try await append(rest) }
    }
    return try JSON.response(
      JobJSON(job), status: .accepted, headers: [.location: "/v1/video/\(job.id)"])
  }

  /// A result, read while it is sent. A client that takes nothing for as long as a connection may be idle is cut off:
  /// the connection's own timeout rests while an answer is written.
  private func body(_ result: VideoResult, _ channel: any Channel) -> ResponseBody {
    let patience = bodies.limits.idleSeconds
    return ResponseBody(contentLength: result.count) { writer in
      var offset = 0
      while offset < result.count {
        let piece = try await result.read(from: offset)
        let end = channel.closed(in: patience)
        try await writer.write(piece)
        end.cancel()
        offset += piece.readableBytes
      }
      let end = channel.closed(in: patience)
      try await writer.finish(nil)
      end.cancel()
    }
  }

  private static func id(_ context: ServerContext) -> String { context.parameters.get("id") ?? "" }

  private struct JobJSON: Encodable {
    let job: VideoJob

    init(_ job: VideoJob) { self.job = job }

    private enum Keys: String, CodingKey {
      case id, state, created, model, profile, frames, progress, warning, error, errorCode
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Keys.self)
      try container.encode(job.id, forKey: .id)
      try container.encode(job.state, forKey: .state)
      try container.encode(JSON.text(job.created), forKey: .created)
      try container.encode(job.options.choice?.model, forKey: .model)
      try container.encode(job.options.choice?.profile.flatMap { $0.isEmpty ? nil : $0 }, forKey: .profile)
      try container.encode(job.frames, forKey: .frames)
      try container.encode(job.progress, forKey: .progress)
      try container.encodeIfPresent(job.warning, forKey: .warning)
      try container.encode(job.error, forKey: .error)
      try container.encode(job.errorCode, forKey: .errorCode)
    }
  }
}
