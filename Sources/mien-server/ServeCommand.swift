import ArgumentParser
import Dispatch
import Foundation
import Glibc
import Logging
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienONNX
import MienServer

/// `mien serve`: recognition over HTTP.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.serve.rawValue, abstract: ExternalCommand.serve.abstract,
    discussion: """
      Only this machine is served, unless --host says otherwise; then --token-file is needed. The log goes to standard \
      error, one line of JSON per request. SIGTERM and Ctrl-C stop the server after it has finished what it accepted. \
      Options can also be given in a YAML file (--config: `max-body: 8000000`) and in the environment \
      (MIEN_SERVE_MAX_BODY=8000000); the command line comes first, then the environment. SIGHUP reads the tokens again and \
      reopens the log file, unless the server was started in a terminal.
      """)

  @Option(help: ArgumentHelp("The address to listen on.", valueName: "address"))
  var host = ServerOptions().host

  @Option(help: ArgumentHelp("The port to listen on; 0 for any that is free.", valueName: "port"))
  var port = ServerOptions().port

  @Option(
    help: ArgumentHelp(
      "A file with one token per line; clients send one as Authorization: Bearer TOKEN.", valueName: "file"))
  var tokenFile: String?

  @Option(help: ArgumentHelp("The certificate to serve TLS with, in PEM form.", valueName: "file"))
  var tlsCert: String?

  @Option(help: ArgumentHelp("The certificate's key, in PEM form.", valueName: "file"))
  var tlsKey: String?

  @Option(
    help: ArgumentHelp(
      "Let web pages of this origin use the server, as https://example.org; may be given several times.",
      valueName: "origin"))
  var corsOrigin: [String] = []

  @Option(
    help: ArgumentHelp(
      "Answer by this name too, as a proxy in front passes it on; may be given several times.", valueName: "name"))
  var allowedHost: [String] = []

  @Option(
    help: ArgumentHelp(
      "Believe X-Forwarded-Host and X-Forwarded-Proto of this proxy; may be given several times.",
      valueName: "address|network"))
  var trustedProxy: [String] = []

  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "A model file, or a name that `mien models` lists; without it, the built-in model. May be given several times: "
        + "requests choose one by name, the first is the default.", valueName: "file|name"), completion: .models)
  var models: [String] = []

  @Option(
    name: .customLong("profile"),
    help: ArgumentHelp(
      "Use the profile of this name, which `mien adapt` made from a user's corrections. Repeatable: clients can choose "
        + "among them; the first is the default.", valueName: "name"), completion: .profiles)
  var profiles: [String] = []

  @OptionGroup var prior: PriorOptions

  @OptionGroup var detector: DetectorOptions

  @Option(
    help: ArgumentHelp(
      "Take corrections of what faces show, and keep them in this file. Without it, none are taken.",
      valueName: "file"))
  var corrections: String?

  @Option(
    help: ArgumentHelp(
      "Where to keep videos and their results, the profiles that clients fit, and the key that names clients. Without it, a "
        + "folder in the cache (MIEN_CACHE, else ~/.cache/mien), and fitted profiles beside those of `mien adapt`.",
      valueName: "dir"))
  var stateDir: String?

  @Option(
    help: ArgumentHelp(
      "Serve /metrics, /healthz and /readyz on a port of their own too, without a token; 127.0.0.1, unless an address is "
        + "named.", valueName: "[address:]port"))
  var metricsPort: String?

  @Option(help: ArgumentHelp("Read options from a file, as `port: 8080`.", valueName: "file.yaml"))
  var config: String?

  @Option(help: ArgumentHelp("Add the log to a file instead of writing it to standard error.", valueName: "file"))
  var logFile: String?

  @OptionGroup(title: "Limits") var limits: LimitOptions

  func validate() throws {
    if (tlsCert == nil) != (tlsKey == nil) { throw ValidationError("--tls-cert and --tls-key go together") }
  }

  func run() async throws {
    // A terminal that closes sends it, too, and means the end. Else it must not end a server that is just starting.
    let reloads = isatty(STDIN_FILENO) == 0
    if reloads { signal(SIGHUP, SIG_IGN) }
    let errors = dup(STDERR_FILENO)
    defer { close(errors) }
    do {
      try Self.openLog(logFile)
      let server = try makeServer()
      Self.allowOpenFiles(for: server.options.limits)
      let hangUp = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
      if reloads {
        let (tokens, tokenFile, logFile) = (server.options.tokens, tokenFile, logFile)
        hangUp.setEventHandler { Self.reload(tokens, tokenFile: tokenFile, logFile: logFile) }
      }
      hangUp.activate()
      try await server.run()
      hangUp.cancel()
    } catch {
      if logFile != nil {
        Logger(label: "mien") { _ in JSONLog() }.critical("ended", metadata: ["error": "\(error)"])
        // Whoever started the server hears of it too.
        dup2(errors, STDERR_FILENO)
      }
      throw error
    }
  }

  private static let openFiles = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

  /// Has the process open as many files as it may, since each connection is one; warns if these are too few.
  private static func allowOpenFiles(for limits: ServerLimits) {
    var allowed = rlimit()
    guard getrlimit(Self.openFiles, &allowed) == 0 else { return }
    allowed.rlim_cur = allowed.rlim_max
    setrlimit(Self.openFiles, &allowed)
    let needed = limits.connectionFiles
    guard allowed.rlim_max < rlim_t(needed) else { return }
    Logger(label: "mien") { _ in JSONLog() }.warning(
      "too few files may be open for --max-connections; probes may get no answer. Raise the limit (ulimit -n), or lower it",
      metadata: ["files": "\(allowed.rlim_max)", "needed": "\(needed)"])
  }

  /// Makes the log file, if there is one, standard error.
  private static func openLog(_ logFile: String?) throws {
    guard let logFile else { return }
    let descriptor = Glibc.open(logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else {
      throw MienError(.file, logFile, "could not be opened for the log: \(String(cString: strerror(errno)))")
    }
    dup2(descriptor, STDERR_FILENO)
    Glibc.close(descriptor)
  }

  /// Reads the tokens again, and opens the log anew, which may have been renamed. What cannot be read stays as it was, and
  /// keeps the other from nothing.
  private static func reload(_ tokens: AccessTokens?, tokenFile: String?, logFile: String?) {
    let logger = Logger(label: "mien") { _ in JSONLog() }
    let read = Result { if let tokens, let tokenFile { try tokens.reload(from: URL(fileURLWithPath: tokenFile)) } }
    let opened = Result { try openLog(logFile) }
    for case .failure(let error) in [read, opened] {
      logger.error("could not be reloaded; what was there before stays", metadata: ["error": "\(error)"])
    }
    if case .success = read { logger.info("reloaded", metadata: ["tokens": "\(tokens?.count ?? 0)"]) }
  }

  private func makeServer() throws -> MienServer {
    var options = ServerOptions()
    options.host = host
    options.port = port
    options.corsOrigins = corsOrigin
    options.allowedHosts = allowedHost
    options.trustedProxies = trustedProxy
    options.tokens = try tokenFile.map { try AccessTokens(contentsOf: URL(fileURLWithPath: $0)) }
    if let tlsCert, let tlsKey {
      options.tls = .init(certificate: URL(fileURLWithPath: tlsCert), key: URL(fileURLWithPath: tlsKey))
    }
    options.detector = detector.detector
    options.minFace = detector.minFace
    options.profiles = profiles
    options.prior = try prior.classPrior()
    if let metricsPort {
      guard let address = ServerOptions.Address(metricsPort) else {
        throw MienError(.argument, "--metrics-port \(metricsPort)", "expected a port, or an address and a port")
      }
      options.metricsAddress = address
    }
    options.limits = limits.limits
    if isatty(STDOUT_FILENO) == 1 { options.whenListening = { url in try? Console.print("open \(url)") } }
    try options.validate()
    let names: [String?] = models.isEmpty ? [nil] : models
    let served = try ServerModel.named(
      names.map { name in
        do { return (name, try ModelStore().model(named: name)) } catch let error as MienError
          where error.subject == nil
        {
          throw error.about(name ?? "the built-in model")
        }
      })
    let logger = Logger(label: "mien") { _ in JSONLog() }
    let store = try corrections.map { path in
      try CorrectionStore(url: URL(fileURLWithPath: path)) {
        logger.warning(
          "the file of corrections was removed or replaced; from now on they go to the one that is there",
          metadata: ["file": "\(path)"])
      }
    }
    if let store, let damaged = store.damagedFile {
      logger.warning(
        "the corrections were damaged and put aside, new ones are begun",
        metadata: ["file": "\(store.url.path)", "aside": "\(damaged.path)"])
    }
    let state = try state(logger)
    if store != nil {
      do { try (state?.profiles ?? ProfileStore()).checkWritable() } catch {
        logger.warning("no profile can be fitted", metadata: ["error": "\(error)"])
      }
    }
    JSONLog.takeStandardError(logger)
    do {
      return try MienServer(
        options: options, models: served, state: state, page: WebPage.files(), corrections: store,
        logger: logger)
    } catch let error as MienError { throw error.advising(profiles: profiles, model: models.first) }
  }
}

extension ServeCommand {
  /// The folder for videos; nil if none was named and none can be made: photos need none.
  private func state(_ logger: Logger) throws -> StateFolder? {
    if let stateDir { return try StateFolder(URL(fileURLWithPath: stateDir, isDirectory: true)) }
    do { return try .first() } catch let error as MienError {
      logger.warning("no videos are taken", metadata: ["error": "\(error)"])
      return nil
    }
  }
}

/// How much a server takes on.
struct LimitOptions: ParsableArguments {
  private static let standard = ServerLimits()

  @Option(help: ArgumentHelp("Largest request with pictures, in bytes.", valueName: "bytes"))
  var maxBody = standard.bodyBytes

  @Option(help: ArgumentHelp("Largest picture, in pixels.", valueName: "pixels"))
  var maxPixels = standard.pixels

  @Option(
    help: ArgumentHelp(
      "Read pictures of more pixels at 1/2, 1/4 or 1/8 of their sides, to save memory.", valueName: "pixels"))
  var decodedPixels = standard.decodedPixels

  @Option(help: ArgumentHelp("Maximum number of pictures in a request.", valueName: "n"))
  var maxPictures = standard.pictures

  @Option(
    help: ArgumentHelp(
      "Maximum number of connections with a request; if too many are open, those without one are closed.",
      valueName: "n"))
  var maxConnections = standard.connections

  @Option(help: ArgumentHelp("Maximum number of pictures that wait for their turn.", valueName: "n"))
  var maxWaiting = standard.waiting

  @Option(help: ArgumentHelp("How long a picture waits before it is refused with 429.", valueName: "seconds"))
  var waitTimeout = standard.waitingSeconds

  @Option(help: ArgumentHelp("How long the head of a request may take.", valueName: "seconds"))
  var headTimeout = standard.headSeconds

  @Option(help: ArgumentHelp("How long the body of a request may take.", valueName: "seconds"))
  var bodyTimeout = standard.bodySeconds

  @Option(help: ArgumentHelp("How long a connection may be idle.", valueName: "seconds"))
  var idleTimeout = standard.idleSeconds

  @Option(help: ArgumentHelp("Maximum number of sessions.", valueName: "n"))
  var maxSessions = standard.sessions

  @Option(help: ArgumentHelp("How long a session may be unused.", valueName: "seconds"))
  var sessionTimeout = standard.sessionSeconds

  @Option(help: ArgumentHelp("Largest video, in bytes.", valueName: "bytes"))
  var maxVideo = standard.videoBytes

  @Option(help: ArgumentHelp("Largest frame of a video, in pixels.", valueName: "pixels"))
  var maxVideoPixels = standard.videoPixels

  @Option(help: ArgumentHelp("Maximum number of videos being received, waiting or being read.", valueName: "n"))
  var maxVideos = standard.videos

  @Option(help: ArgumentHelp("How long the upload of a video may take.", valueName: "seconds"))
  var videoTimeout = standard.videoSeconds

  @Option(help: ArgumentHelp("How long the result of a video is kept.", valueName: "seconds"))
  var keepResults = standard.resultSeconds

  @Option(
    help: ArgumentHelp(
      "Seconds to keep serving after SIGTERM, while /readyz answers 503, so that a load balancer can redirect traffic.",
      valueName: "seconds"))
  var drainDelay = standard.drainSeconds

  @Option(help: ArgumentHelp("How long accepted work may take to finish at the end.", valueName: "seconds"))
  var shutdownTimeout = standard.shutdownSeconds

  /// The limits.
  var limits: ServerLimits {
    var limits = ServerLimits()
    limits.bodyBytes = maxBody
    limits.pixels = maxPixels
    limits.decodedPixels = decodedPixels
    limits.pictures = maxPictures
    limits.connections = maxConnections
    limits.waiting = maxWaiting
    limits.waitingSeconds = waitTimeout
    limits.headSeconds = headTimeout
    limits.bodySeconds = bodyTimeout
    limits.idleSeconds = idleTimeout
    limits.drainSeconds = drainDelay
    limits.shutdownSeconds = shutdownTimeout
    limits.sessions = maxSessions
    limits.sessionSeconds = sessionTimeout
    limits.videoBytes = maxVideo
    limits.videoPixels = maxVideoPixels
    limits.videos = maxVideos
    limits.videoSeconds = videoTimeout
    limits.resultSeconds = keepResults
    return limits
  }
}
