import Foundation
import MienCore

/// The video that an argument names: a file, or an address in a network.
struct VideoInput {
  /// The file or address.
  let url: URL
  /// What messages and reports call it: the name the user gave, an address without its password.
  let name: String
  /// What progress is counted of.
  let shortName: String
  /// Whether it is an address.
  var isAddress: Bool { !url.isFileURL }

  /// Whether it is a folder.
  var isFolder: Bool {
    var isFolder: ObjCBool = false
    return !isAddress && FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// Takes the argument.
  init(_ argument: String) {
    if let address = NetworkAddress(argument), let url = URL(string: argument) {
      (self.url, name, shortName) = (url, address.shown, address.shown)
    } else if argument.lowercased().hasPrefix("file://"), let url = URL(string: argument), url.isFileURL {
      (self.url, name, shortName) = (url, url.path, url.lastPathComponent)
    } else {
      url = URL(fileURLWithPath: argument)
      (name, shortName) = (argument, url.lastPathComponent)
    }
  }

  /// Calls `body`; an error about the video gets the name that the user gave.
  func reporting<Result>(_ body: (URL) throws -> Result) throws -> Result {
    do { return try body(url) } catch let error as MienError { throw named(error) }
  }

  /// The error under the name that the user gave, if it is about the video.
  func named(_ error: MienError) -> MienError { error.isAbout(url) ? error.about(name) : error }
}
