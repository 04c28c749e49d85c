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
import UnixSignals

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
  /// Fits take seconds of a core each: one at a time, and few wait.
  private let fits = Admission(
    places: 1, capacity: 4,
    full: .busy(.profiles, "Too many profiles are waiting to be fitted.", retryAfter: 5),
    late: .busy(.profiles, "Another profile is being fitted; try again in some seconds.", retryAfter: 5))
  /// Held for its lock.
  private let state: StateFolder?
  private let places: ConnectionPlaces
  private let proxies: TrustedProxies
  private let key: ClientKey
  private let isStopping = Atomic(false)
  private let isDraining = Atomic(false)
  private let isGivenUp = Atomic(false)

  /// Prepares to serve.
  ///
  /// - Parameters:
  ///   - models: what reads faces, the default one first.
  ///   - profiles: the operator's profiles.
  ///   - state: where videos and their results are kept, the profiles that clients fit, and the key that names clients; nil
  ///     to take no videos.
  ///   - page: the files of the web page.
  ///   - corrections: where corrections are kept; nil where none are taken.
  /// - Throws: ``MienError`` if the options do not fit together, or a model, a profile or the detector cannot be used.
  package init(
    options: ServerOptions, models: [ServerModel], profiles: ProfileStore = ProfileStore(), state: StateFolder?,
    page: [StaticFile] = [], corrections: CorrectionStore? = nil, logger: Logger
  ) throws {
    try options.validate()
    self.options = options
    self.logger = logger
    self.page = page
    self.corrections = corrections
    self.state = state
    if corrections != nil, options.tokens != nil, state == nil {
      throw MienError(
        .argument, "--state-dir",
        "expected a folder for the key that names the owners of corrections; without it, they would lose sight of them")
    }
    key = try options.tokens == nil ? .random() : state.map { try ClientKey(in: $0.keys) } ?? .random()
    metrics.declareCounter(
      Metrics.evicted, "Connections without a request that were closed to make room for others.")
    places = ConnectionPlaces(options.limits.connections) { [metrics] in metrics.add(to: Metrics.evicted) }
    proxies = try TrustedProxies(options.trustedProxies)
    engine = try InferenceEngine(
      models: models, profiles: profiles, fitted: state?.profiles ?? profiles, options: options, metrics: metrics,
      logger: logger)
    let sessions = SessionStore(capacity: options.limits.sessions, idleSeconds: options.limits.sessionSeconds)
    let jobs = try VideoJobs(
      folder: state, clients: options.tokens?.clients(key: key) ?? [:], options: options, engine: engine,
      metrics: metrics, logger: logger)
    (self.sessions, self.jobs) = (sessions, jobs)
    metrics.declareGauge("mien_sessions", "Sessions that are open.") { Double(sessions.count) }
    metrics.declareGauge("mien_videos_waiting", "Videos that wait to be read.") { Double(jobs.count(.queued)) }
    metrics.declareGauge("mien_videos_active", "Videos that are being read, in turns.") { Double(jobs.count(.running)) }
    metrics.declareGauge("mien_profiles_waiting", "Profiles that wait to be fitted.") { [fits] in
      Double(fits.waitingCount)
    }
    metrics.declareGauge("mien_profiles_active", "Profiles that are being fitted.") { [fits] in Double(fits.activeCount)
    }
    metrics.declareGauge("process_resident_memory_bytes", "Memory in use.") { ProcessMemory.resident }
  }

  /// The application, for ``run()`` and for tests.
  ///
  /// - Throws: ``MienError`` where the certificate or its key cannot be used.
  package func application() throws -> some ApplicationProtocol {
    let limits = options.limits
    let http = HTTPServerBuilder { [places, metrics, logger] responder in
      HTTPConnection(
        responder: responder, headSeconds: limits.headSeconds, idleSeconds: limits.idleSeconds, places: places
      ) { refusal in
        if let shortage = refusal.error.shortage { metrics.add(to: Metrics.refused, shortage.rawValue) }
        var logger = logger
        logger[metadataKey: JSONLog.requestKey] = "\(refusal.requestID)"
        RecordMiddleware.record(
          method: refusal.method, route: "unknown", status: refusal.error.status, seconds: 0, metrics, logger)
      }
    }
    var application = Application(
      router: router().router,
      server: try options.tls.map { try HTTPServerBuilder.tls(http, tlsConfiguration: Self.configuration($0)) } ?? http,
      configuration: .init(
        address: .hostname(options.host, port: options.port), serverName: nil,
        availableConnectionsDelegate: .maximum(limits.connections + ConnectionPlaces.reserve, logger: logger)),
      services: [
        jobs,
        Housekeeping { [self] in
          await tidy()
          if engine.activeCount == 0 { ProcessMemory.returnFreed() }
        },
      ],
      onServerRunning: { [logger, options] channel in
        let scheme = options.tls == nil ? "http" : "https"
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        let url = "\(scheme)://\(host):\(channel.localAddress?.port ?? 0)"
        logger.info("listening", metadata: ["url": "\(url)"])
        options.whenListening(url + "/")
      }, logger: logger)
    application.beforeServerStarts { [self] in try await takeCorrectionsOver() }
    return application
  }

  /// Removes what has expired, and what belongs to tokens that were withdrawn.
  package func tidy() async {
    sessions.removeExpired()
    await jobs.removeExpired()
    guard let tokens = options.tokens else { return }
    let clients = Set(tokens.clients(key: key).values)
    sessions.close(allBut: clients)
    await jobs.removeUnfinished(allBut: clients)
  }

  /// Gives corrections to the names that clients have now, and says if some belong to nobody who has a token.
  private func takeCorrectionsOver() async throws {
    guard let corrections, let tokens = options.tokens else { return }
    let clients = tokens.clients(key: key)
    try await corrections.renameOwners(clients)
    let others = try await corrections.count(ofOthersThan: Set(clients.values))
    if others > 0 {
      logger.warning(
        "corrections belong to tokens that are not in the token file, or were made under another client.key",
        metadata: ["corrections": "\(others)"])
    }
  }

  /// The router, and the routes that it has.
  package func router() -> (router: Router<ServerContext>, routes: RouteTable) {
    let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
    let open = page.map(\.path) + ["/healthz", "/readyz", StaticFile.contract.path]
    let (paths, origins) = (KnownPaths(), Set(options.corsOrigins))
    router.add(middleware: RecordMiddleware(metrics: metrics))
    if !origins.isEmpty { router.add(middleware: CrossOriginMiddleware(origins: origins, paths: paths)) }
    router.add(middleware: ErrorMiddleware(metrics: metrics, paths: paths))
    router.add(middleware: OriginMiddleware(origins: origins, hosts: options.hosts, proxies: proxies))
    router.add(middleware: TokenMiddleware(tokens: options.tokens, key: key, open: Set(open)))
    router.add(middleware: ClientShareMiddleware(connections: options.limits.connections))

    var routes = RouteTable(router)
    let bodies = BodyReader(limits: options.limits)
    status.add(to: &routes)
    DetectRoutes(engine: engine, bodies: bodies).add(to: &routes)
    ExplainRoutes(engine: engine, bodies: bodies).add(to: &routes)
    CorrectionRoutes(store: corrections, engine: engine, bodies: bodies).add(to: &routes)
    ProfileRoutes(corrections: corrections, models: engine.models, admission: fits).add(to: &routes)
    SessionRoutes(engine: engine, bodies: bodies, sessions: sessions).add(to: &routes)
    VideoRoutes(engine: engine, bodies: bodies, jobs: jobs).add(to: &routes)
    let contract = StaticFile.contract(keepsCorrections: corrections != nil, takesVideos: jobs.isOpen)
    StaticRoutes(files: page + [contract]).add(to: &routes)
    paths.set(routes)
    return (router, routes)
  }

  private var status: StatusRoutes {
    StatusRoutes(engine: engine, metrics: metrics, places: places) { [self] in isStopping.load(ordering: .relaxed) }
  }

  /// The probes and the metrics on a port of their own: nothing is logged or counted there, and no token is asked for.
  ///
  /// - Returns: `nil` if no address was named for them.
  private func statusApplication() -> (any Service)? {
    guard let address = options.metricsAddress else { return nil }
    let (router, paths) = (Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints), KnownPaths())
    router.add(middleware: ErrorMiddleware(metrics: metrics, paths: paths))
    var routes = RouteTable(router)
    status.addProbes(to: &routes)
    paths.set(routes)
    let places = ConnectionPlaces(ConnectionPlaces.reserve)
    return Application(
      router: router,
      server: HTTPServerBuilder { [limits = options.limits] responder in
        HTTPConnection(
          responder: responder, headSeconds: limits.headSeconds, idleSeconds: limits.idleSeconds, places: places
        ) { _ in }
      },
      configuration: .init(
        address: .hostname(address.host, port: address.port), serverName: nil,
        availableConnectionsDelegate: .maximum(2 * ConnectionPlaces.reserve, logger: logger)),
      onServerRunning: { [logger] channel in
        logger.info(
          "metrics",
          metadata: ["address": "\(address.host)", "port": .stringConvertible(channel.localAddress?.port ?? 0)])
      }, logger: logger)
  }

  /// Serves until SIGTERM or SIGINT; then, after the drain delay, finishes what was accepted. A second signal ends the
  /// delay, a third one gives up what is left.
  ///
  /// Native code cannot be interrupted: work that is given up may still be running in it when this returns. The process is
  /// expected to end then.
  package func run() async throws {
    if !options.isLoopback, options.tls == nil {
      logger.warning("tokens and pictures travel unencrypted; --tls-cert and --tls-key, or a proxy, would change that")
    }
    // Services stop in the reverse order: the probes answer to the end.
    var services: [any Service] = []
    if let status = statusApplication(), let address = options.metricsAddress {
      services.append(
        Listener(service: status, host: address.host, port: address.port, options: ("--metrics-port", "--metrics-port"))
      )
    }
    services.append(
      Listener(service: try application(), host: options.host, port: options.port, options: ("--host", "--port")))
    var configuration = ServiceGroupConfiguration(services: services, logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(options.limits.shutdownSeconds)
    let group = ServiceGroup(configuration: configuration)
    // No child tasks: their end would be waited for, and so would that of a picture that is being decoded.
    let (ends, end) = AsyncStream<Result<Void, any Error>>.makeStream()
    let service = Task {
      do { end.yield(.success(try await group.run())) } catch { end.yield(.failure(error)) }
    }
    let stop = Task { [self] in
      await self.stop(group)
      isGivenUp.store(true, ordering: .relaxed)
      service.cancel()
      try? await Task.sleep(for: .seconds(Self.secondsForTheLast))
      end.yield(.failure(CancellationError()))
    }
    defer { stop.cancel() }
    do {
      for await result in ends {
        if isGivenUp.load(ordering: .relaxed) { throw CancellationError() }
        try result.get()
        break
      }
    } catch is CancellationError {
      logger.warning("stopped before all was finished")
      return
    }
    logger.info("stopped")
  }

  /// Seconds in which work that is given up may put its things in order.
  private static let secondsForTheLast = 2.0

  /// Signals that follow another so soon are the same order: `timeout`, for one, sends it to the process and to its group.
  private static let sameOrder = Duration.milliseconds(500)

  /// Waits for signals, and stops `group`. Returns when nothing is to be waited for any longer: at one more signal, or at the
  /// end of the time for accepted work.
  private func stop(_ group: ServiceGroup) async {
    let delay = options.limits.drainSeconds
    isDraining.store(delay > 0, ordering: .relaxed)
    let (orders, order) = AsyncStream<UnixSignal?>.makeStream()
    let signals = Task {
      for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) { order.yield(signal) }
    }
    defer { signals.cancel() }
    var drain: Task<Void, Never>?
    var ordered: ContinuousClock.Instant?
    for await signal in orders {
      guard let signal else { return }
      if let ordered, .now - ordered < Self.sameOrder { continue }
      ordered = .now
      guard let begun = drain else {
        isStopping.store(true, ordering: .relaxed)
        logger.info("stopping", metadata: ["signal": "\(signal)", "drainSeconds": .stringConvertible(delay)])
        drain = Task { [self] in
          try? await Task.sleep(for: .seconds(delay))
          isDraining.store(false, ordering: .relaxed)
          sessions.stopListening()
          await group.triggerGracefulShutdown()
          // Not of this task, which a second signal cancels.
          Task { [seconds = options.limits.shutdownSeconds] in
            try? await Task.sleep(for: .seconds(seconds))
            order.yield(nil)
          }
        }
        continue
      }
      guard isDraining.load(ordering: .relaxed) else { return }
      begun.cancel()
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
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key))
    // Earlier versions are deprecated (RFC 8996).
    configuration.minimumTLSVersion = .tlsv12
    do { _ = try NIOSSLContext(configuration: configuration) } catch {
      throw MienError(.mismatch, files.key.path, "is not the key of \(files.certificate.path)")
    }
    return configuration
  }

  private static func problem(_ url: URL) -> String {
    FileManager.default.isReadableFile(atPath: url.path) ? "the file is something else" : FileProblem.reading(url)
  }
}

/// Does now and then what is to be done though nobody asks for it, as removing what has expired.
private struct Housekeeping: Service {
  let body: @Sendable () async -> Void

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: .seconds(10))
        await body()
      }
    }
  }
}

/// A service that listens on an address; says of one that it cannot have which option named it.
private struct Listener: Service {
  let service: any Service
  let host: String
  let port: Int
  /// The options that name the host and the port.
  let options: (host: String, port: String)

  func run() async throws {
    do { try await service.run() } catch let error as IOError where error.errnoCode == EADDRINUSE {
      throw MienError(.native, nil, "port \(port) is in use; choose another with \(options.port)")
    } catch let error as IOError {
      throw MienError(
        .native, "\(host):\(port)", "cannot be listened on: \(String(cString: strerror(error.errnoCode)))")
    } catch is SocketAddressError.UnknownHost {
      throw MienError(
        .argument, "\(options.host) \(host)", "expected an address of this machine; no such name is known")
    }
  }
}
