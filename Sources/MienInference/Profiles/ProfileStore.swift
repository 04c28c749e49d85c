public import Foundation
public import MienCore

/// A profile's name: 1 to 64 ASCII letters, digits, `.`, `-` and `_`, the first a letter or a digit. It is part of a
/// file's name, so it can name nothing outside its folder.
public struct ProfileName: Sendable, Hashable, CustomStringConvertible {
  /// The name.
  public let text: String

  /// Checks a name.
  ///
  /// - Throws: ``MienError`` where it is none.
  public init(_ text: String) throws {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard isPlain, (1...64).contains(text.utf8.count), let first = text.first, first.isLetter || first.isNumber else {
      throw MienError(
        .argument, "profile",
        "a name has 1 to 64 letters, digits, dots, dashes and underscores, and starts with a letter or a digit")
    }
    self.text = text
  }

  /// The name.
  public var description: String { text }
}

/// The folder of profiles: a file `NAME.safetensors` each.
public struct ProfileStore: Sendable {
  /// The folder.
  public let folder: URL

  /// Uses `folder`.
  public init(folder: URL) { self.folder = folder }

  /// Uses the folder `MIEN_PROFILES`; else `mien/profiles` in `XDG_CONFIG_HOME`, or in `~/.config`.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.init(folder: Folders.profiles(environment))
  }

  /// The file of a profile, whether it is there or not.
  public func url(of name: ProfileName) -> URL { folder.appendingPathComponent("\(name.text).safetensors") }

  /// Checks that profiles could be written, and makes the folder if it is missing.
  ///
  /// - Throws: ``MienError`` that names the folder.
  package func checkWritable() throws {
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    guard FileManager.default.isWritableFile(atPath: folder.path) else {
      throw MienError(.file, folder.path, "cannot be written to; name another folder with --state-dir or MIEN_PROFILES")
    }
  }

  /// The adapted layer of a profile.
  ///
  /// - Throws: ``MienError`` where there is none, or its file is damaged.
  public func head(of name: ProfileName) throws -> AdaptedHead {
    let url = url(of: name)
    guard FileManager.default.fileExists(atPath: url.path) else {
      throw MienError(.file, "profile \(name)", "not found in \(folder.path)")
    }
    return try AdaptedHead(contentsOf: url)
  }

  /// A profile in the folder.
  public struct Entry: Sendable {
    /// Its name.
    public let name: String
    /// Its file.
    public let url: URL
    /// What it was made from, or why it cannot be used.
    public let info: Result<AdaptedHead.Info, MienError>
  }

  /// The profiles, by name; none if the folder is missing.
  public func entries() -> [Entry] {
    let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "safetensors" }
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
      .map { url in
        let info: Result<AdaptedHead.Info, MienError>
        do { info = .success(try AdaptedHead(contentsOf: url).info) } catch {
          info = .failure(error as? MienError ?? MienError(.native, url.path, "\(error)"))
        }
        return Entry(name: url.deletingPathExtension().lastPathComponent, url: url, info: info)
      }
  }

  /// Deletes a profile's file.
  ///
  /// - Throws: ``MienError`` if there is no such profile, or the file cannot be removed.
  public func delete(_ name: ProfileName) throws {
    guard FileManager.default.fileExists(atPath: url(of: name).path) else {
      throw MienError(.file, "profile \(name)", "not found in \(folder.path)")
    }
    do { try FileManager.default.removeItem(at: url(of: name)) } catch {
      throw MienError(.file, url(of: name).path, "cannot be removed: \(error.localizedDescription)")
    }
  }

  /// Writes a profile's file; the folder is made where it is missing.
  ///
  /// - Returns: the file.
  /// - Throws: ``MienError`` naming the file.
  @discardableResult
  public func write(_ head: AdaptedHead, as name: ProfileName) throws -> URL {
    try Folders.make(folder)
    try head.write(to: url(of: name))
    return url(of: name)
  }
}
