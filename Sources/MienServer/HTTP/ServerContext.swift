package import Hummingbird
package import NIOCore

/// What goes with a request on its way to its handler.
package struct ServerContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// The connection.
  package let channel: any Channel
  /// Whose request it is: sessions and jobs belong to the client that made them.
  package var client: AccessTokens.Client = ""

  package init(source: Source) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// Runs `body`, whose result is of no use to anybody if the client goes away: then it is cancelled.
  ///
  /// - Throws: ``APIError/clientGone`` if the client went away and `body` gave up.
  func whileConnected<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let task = Task { try await body() }
    let hearing = channel.eventLoop.makePromise(of: Void.self)
    // A channel that is closed already has nobody to take the event; those of tests take none.
    hearing.futureResult.whenFailure { if ($0 as? ChannelError) != .operationUnsupported { task.cancel() } }
    channel.triggerUserOutboundEvent(ConnectionEvent.works(onGone: { task.cancel() }), promise: hearing)
    defer { channel.triggerUserOutboundEvent(ConnectionEvent.rests, promise: nil) }
    return try await withTaskCancellationHandler {
      do { return try await task.value } catch is CancellationError where !Task.isCancelled {
        throw APIError.clientGone
      }
    } onCancel: {
      task.cancel()
    }
  }
}

extension Channel {
  /// Closes the channel in so many seconds, unless that is cancelled: for answers to a client that may take nothing.
  func closed(in seconds: Double) -> Scheduled<Void> {
    eventLoop.scheduleTask(in: .milliseconds(Int64(seconds * 1000))) { self.close(promise: nil) }
  }
}
