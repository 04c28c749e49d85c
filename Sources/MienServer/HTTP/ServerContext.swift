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
}
