/// What the handler of a request tells its connection.
enum ConnectionEvent: Sendable {
  /// The body is about to be read: a client that waits for `100 Continue` gets it now, and whoever reads it gets
  /// ``APIError/bodyTimeout`` if it has not come to its end in so many seconds.
  case readsBody(seconds: Double)
  /// Work begins that is of no use if the client goes away.
  case works(onGone: @Sendable () -> Void)
  /// An answer without an end is being written: a client that sends no more has gone or only listens, and only writing to
  /// it tells.
  case streams(onInputClosed: @Sendable () -> Void)
  /// That work, or that answer, is over.
  case rests
}
