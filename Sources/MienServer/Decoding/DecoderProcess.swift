import CMienServerSupport
import Foundation
import Glibc
import MienCore
import MienInference
import Synchronization

/// A process of its own in which files of clients are decoded, whatever they bring a decoder to: memory that it takes beyond
/// its limit, time and crashes are that process's alone. One caller at a time, but for ``end()``.
final class DecoderProcess: Sendable {
  /// A request took more time than it may take: the process has ended.
  struct TakesTooLong: Error {
    /// What is said of a file.
    var error: MienError { MienError(.limit, nil, "takes too long to decode") }
  }

  /// No process can be started, for want of files or processes.
  struct CannotStart: Error {
    let reason: String
  }

  private struct State {
    /// `nil` once the kernel knows nothing of it any longer.
    var id: pid_t?
    /// Whether it was ended because nobody wants its answer.
    var isEnded = false
  }

  private let channel: DecoderChannel
  private let state: Mutex<State>

  /// Starts one.
  ///
  /// - Parameters:
  ///   - program: `mien-server`.
  ///   - niceness: how much it leaves the processors to other processes, from 0 to 19.
  /// - Throws: ``CannotStart``.
  init(program: String, niceness: Int = 0) throws {
    var sockets: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &sockets) == 0 else {
      throw CannotStart(reason: String(cString: strerror(errno)))
    }
    defer { close(sockets[1]) }
    let id: pid_t
    do { id = try Self.start(program, socket: sockets[1]) } catch {
      close(sockets[0])
      throw error
    }
    // It has no threads yet: those that it starts are as nice.
    if niceness > 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(id), Int32(niceness)) }
    state = Mutex(State(id: id))
    channel = DecoderChannel(socket: sockets[0])
  }

  deinit {
    end()
    // Nobody waits for it any longer, nor for the memory that the kernel takes back from it.
    let (id, socket) = (state.withLock { $0.id }, channel.socket)
    DispatchQueue.global().async {
      if let id { _ = Self.status(waitingFor: id) }
      close(socket)
    }
  }

  /// Starts `program decode` with `socket` as its standard input. It has a group of its own, so that Ctrl-C on a terminal does
  /// not reach it: the server finishes what it has accepted.
  private static func start(_ program: String, socket: Int32) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO)
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    // Connections of clients, which their ends could not close.
    mien_spawn_close_from(&actions, STDERR_FILENO + 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var words: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup(DecoderProgram.command), nil]
    defer { for word in words { free(word) } }
    var id = pid_t()
    let code = posix_spawn(&id, program, &actions, &attributes, &words, environ)
    guard code == 0 else { throw CannotStart(reason: "\(program): \(String(cString: strerror(code)))") }
    return id
  }

  /// How a process has ended, once it has: its number as the kernel gives it, or `nil` if it does not tell.
  private static func status(waitingFor id: pid_t) -> Int32? {
    var status: Int32 = 0
    while waitpid(id, &status, 0) < 0 { if errno != EINTR { return nil } }
    return status
  }

  /// Bytes that it has in memory for itself; 0 once it has ended.
  var ownBytes: Int { state.withLock { $0.id.map(ProcessMemory.own(of:)) } ?? 0 }

  /// Whether it takes requests.
  var isRunning: Bool { state.withLock { $0.id != nil && !$0.isEnded } }

  /// Sends a request and waits for its answer. Blocks.
  ///
  /// - Parameters:
  ///   - bytes: what follows the request.
  ///   - seconds: how long to wait for the answer at most; `nil` for as long as it takes.
  /// - Returns: the answer and what follows it.
  /// - Throws: ``MienError`` where the answer is one, or the process ends instead; ``TakesTooLong``; `CancellationError` if the
  ///   task was cancelled that waits for this work (``NativeQueue/isCancelled``), or after ``end()``. After all of these
  ///   but an answer, the process has ended.
  func exchange(
    _ request: DecoderRequest, _ bytes: UnsafeRawBufferPointer = .init(start: nil, count: 0),
    within seconds: Double? = nil
  ) throws -> (DecoderAnswer, [UInt8]) {
    let clock = ContinuousClock()
    let limit = seconds.map { clock.now + .seconds($0) }
    var isLate = false
    do {
      try channel.send(request, bytes)
      let (answer, bytes) = try channel.receive(DecoderAnswer.self) {
        var descriptor = pollfd(fd: channel.socket, events: Int16(POLLIN), revents: 0)
        while poll(&descriptor, 1, 50) <= 0 {
          if NativeQueue.isCancelled { throw CancellationError() }
          isLate = limit.map { clock.now > $0 } ?? false
          if isLate { throw DecoderChannel.Closed() }
        }
      }
      if case .failure(let kind, let subject, let message) = answer {
        throw MienError(MienError.Kind(rawValue: kind) ?? .native, subject, message)
      }
      return (answer, bytes)
    } catch let error as MienError {
      throw error
    } catch is DecoderChannel.Closed {
      if isLate { end() }
      throw isLate ? TakesTooLong() : reasonOfEnd()
    } catch {
      end()
      throw error
    }
  }

  /// Ends the process, whatever it is doing: who waits for its answer gets `CancellationError`.
  func end() {
    state.withLock { state in
      state.isEnded = true
      if let id = state.id { kill(id, SIGKILL) }
    }
  }

  /// Why the process has ended.
  private func reasonOfEnd() -> any Error {
    let (id, isEnded) = state.withLock { state in
      defer { state.id = nil }
      return (state.id, state.isEnded)
    }
    if let id { kill(id, SIGKILL) }
    let status = id.flatMap { Self.status(waitingFor: $0) }
    if isEnded { return CancellationError() }
    let signal = status.map { $0 & 0x7F }
    if signal == SIGPROF { return TakesTooLong() }
    return MienError(
      .format, nil,
      "cannot be decoded: it is damaged, or needs more memory than a file may take (the decoder ended with "
        + "\(signal.map { $0 == 0 ? "status \((status ?? 0) >> 8)" : "signal \($0)" } ?? "an unknown status"))")
  }
}
