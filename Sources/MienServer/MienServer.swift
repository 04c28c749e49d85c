import Foundation
package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import MienCore
package import MienInference
import NIOCore
import NIOHTTPTypes
import NIOSSL
import ServiceLifecycle
import Synchronization

/// The HTTP server. `docs/server.md` describes its routes; `/openapi.json` is their contract.
package final class MienServer: Sendable {
  /// What it was started with.
  package let options: ServerOptions
  private let logger: Logger
  private let metrics = Metrics()
  private let engine: InferenceEngine
  private let page: [StaticFile]
  private let corrections: CorrectionStore?
  private let sessions: SessionStore
  private let jobs: VideoJobs
  private let isStopping = Atomic(false)

  /// Prepares to serve `classifier`.
  ///
  /// - Parameters:
  ///   - state: where videos and their results are kept.
  ///   - page: the files of the web page.
  ///   - corrections: where corrections are kept; nil where none are taken.
  /// - Throws: ``MienError`` where the options do not fit together or the detector cannot be loaded.
  package init(
    options: ServerOptions, classifier: EmotionClassifier, state: StateFolder, page: [StaticFile] = [],
    corrections: CorrectionStore? = nil, logger: Logger
  ) throws {
    try options.validate()
    self.options = options
    self.logger = logger
    self.page = page
    self.corrections = corrections
    engine = try InferenceEngine(classifier: classifier, limits: options.limits, metrics: metrics)
    let sessions = SessionStore(capacity: options.limits.sessions, idleSeconds: options.limits.sessionSeconds)
    let jobs = try VideoJobs(folder: state, limits: options.limits, engine: engine, logger: logger)
    (self.sessions, self.jobs) = (sessions, jobs)
    metrics.declareGauge("mien_sessions", "Sessions that are open.") { Double(sessions.count) }
    metrics.declareGauge("mien_videos_waiting", "Videos that wait to be read.") { Double(jobs.count(.queued)) }
    metrics.declareGauge("mien_videos_active", "Videos that are being read.") { Double(jobs.count(.running)) }
    metrics.declareGauge("process_resident_memory_bytes", "Memory in use.") { ProcessMemory.resident }
  }

  /// The application, for ``run()`` and for tests.
  ///
  /// - Throws: ``MienError`` where the certificate or its key cannot be used.
  package func application() throws -> some ApplicationProtocol {
    let limits = options.limits
    let http = HTTPServerBuilder.http1(
      configuration: .init(
        additionalChannelHandlers: [ContinueHandler()], idleTimeout: .milliseconds(Int64(limits.idleSeconds * 1000)),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100)))
    return Application(
      router: router().router,
      server: try options.tls.map { try HTTPServerBuilder.tls(http, tlsConfiguration: Self.configuration($0)) } ?? http,
      configuration: .init(
        address: .hostname(options.host, port: options.port), serverName: nil,
        availableConnectionsDelegate: .maximum(limits.connections, logger: logger)),
      services: [jobs, Housekeeping { [sessions, jobs] in _ = (sessions.count, jobs.removeExpired()) }],
      onServerRunning: { [logger, options] channel in
        let scheme = options.tls == nil ? "http" : "https"
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        logger.info("listening", metadata: ["url": "\(scheme)://\(host):\(channel.localAddress?.port ?? 0)"])
      }, logger: logger)
  }

  /// The router, and the routes that it has.
  package func router() -> (router: Router<ServerContext>, routes: RouteTable) {
    let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
    let open = page.map(\.path) + ["/healthz", "/readyz", StaticFile.contract.path]
    if !options.corsOrigins.isEmpty {
      router.add(middleware: CrossOriginMiddleware(origins: Set(options.corsOrigins)))
    }
    let paths = KnownPaths()
    router.add(middleware: AnswerMiddleware(metrics: metrics, paths: paths))
    router.add(
      middleware: OriginMiddleware(
        origins: Set(options.corsOrigins), isLocalOnly: options.isLoopback && options.tokens == nil,
        host: options.host))
    router.add(middleware: TokenMiddleware(tokens: options.tokens, open: Set(open)))

    var routes = RouteTable(router)
    let bodies = BodyReader(limits: options.limits)
    StatusRoutes(engine: engine, metrics: metrics) { [self] in isStopping.load(ordering: .relaxed) }.add(to: &routes)
    DetectRoutes(engine: engine, bodies: bodies).add(to: &routes)
    ExplainRoutes(engine: engine, bodies: bodies).add(to: &routes)
    CorrectionRoutes(store: corrections, engine: engine, bodies: bodies).add(to: &routes)
    SessionRoutes(engine: engine, bodies: bodies, sessions: sessions).add(to: &routes)
    VideoRoutes(bodies: bodies, jobs: jobs).add(to: &routes)
    StaticRoutes(files: page + [.contract(keepsCorrections: corrections != nil)]).add(to: &routes)
    paths.set(routes)
    return (router, routes)
  }

  /// Serves until SIGTERM or SIGINT; then finishes what was accepted.
  package func run() async throws {
    if !options.isLoopback, options.tls == nil {
      logger.warning("tokens and pictures travel unencrypted; --tls-cert and --tls-key, or a proxy, would change that")
    }
    var configuration = ServiceGroupConfiguration(
      services: [try application(), Stop { [self] in isStopping.store(true, ordering: .relaxed) }],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(options.limits.shutdownSeconds)
    do { try await ServiceGroup(configuration: configuration).run() } catch let error as IOError {
      throw MienError(
        .argument, "\(options.host):\(options.port)",
        "cannot be listened on: \(String(cString: strerror(error.errnoCode)))")
    }
  }

  private static func configuration(_ files: ServerOptions.TLSFiles) throws -> TLSConfiguration {
    let certificates: [NIOSSLCertificate]
    do { certificates = try NIOSSLCertificate.fromPEMFile(files.certificate.path) } catch {
      throw MienError(
        .file, files.certificate.path, "expected a certificate in PEM form; \(problem(files.certificate))")
    }
    let key: NIOSSLPrivateKey
    do { key = try NIOSSLPrivateKey(file: files.key.path, format: .pem) } catch {
      throw MienError(.file, files.key.path, "expected a private key in PEM form; \(problem(files.key))")
    }
    let configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
    do { _ = try NIOSSLContext(configuration: configuration) } catch {
      throw MienError(.mismatch, files.key.path, "is not the key of \(files.certificate.path)")
    }
    return configuration
  }

  private static func problem(_ url: URL) -> String {
    FileManager.default.isReadableFile(atPath: url.path) ? "the file is something else" : FileProblem.reading(url)
  }
}

/// Calls `body` when the server is told to stop.
private struct Stop: Service {
  let body: @Sendable () -> Void

  func run() async throws {
    try? await gracefulShutdown()
    body()
  }
}

/// Removes now and then what has expired, so that it is gone though nobody asks for it.
private struct Housekeeping: Service {
  let body: @Sendable () -> Void

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: .seconds(10))
        body()
      }
    }
  }
}

/// Answers `Expect: 100-continue`, as curl sends it before large bodies: without an answer it waits for a second.
private final class ContinueHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head(let head) = unwrapInboundIn(data), head.headerFields[.expect]?.lowercased() == "100-continue" {
      context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }
    context.fireChannelRead(data)
  }
}
