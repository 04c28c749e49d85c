import Glibc
import Synchronization

/// Ctrl-C and termination as a flag: the first signal asks for a stop at the next step, a second one ends the process.
package enum Interrupt {
  private static let raised = Atomic(false)

  /// Whether a stop was asked for.
  package static var isRaised: Bool { raised.load(ordering: .relaxed) }

  /// Starts to listen for SIGINT and SIGTERM.
  package static func listen() {
    // Made here, since the first access of a static property may take a lock, which a signal handler must not.
    raised.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        Interrupt.raised.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }
}
