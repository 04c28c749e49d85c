package import ArgumentParser
package import Foundation
package import MienCore

/// What `mien explain` takes for models and for the networks of runs, which two programs explain.
package struct ExplainOptions: ParsableArguments, Sendable {
  /// The name of the label set to explain.
  @Option(help: ArgumentHelp("The label set to explain; without it, the one of most classes.", valueName: "labels"))
  package var labels: String?

  @Option(help: "Of a set, the faces to explain; without it, test, else validation, else all.")
  private var split: Split.Choice?

  @Option(
    help: ArgumentHelp(
      "Of a set, explain this many faces, drawn at random (default: \(Self.standardLimit)).", valueName: "n"))
  private var limit: Int?

  private static let standardLimit = 500

  /// The folder for pictures of the maps.
  @Option(help: ArgumentHelp("Write each face with the map of the emotion read into a folder.", valueName: "dir"))
  package var annotate: String?

  @Option(help: ArgumentHelp("Write the figures as JSON to a file or to standard output.", valueName: "file|-"))
  private var json: String?

  @Option(help: ArgumentHelp("Write charts and maps as one HTML file.", valueName: "file.html"))
  private var report: String?

  /// Makes the default options.
  package init() {}

  package func validate() throws {
    try ValidationError.check(limit, of: "--limit", atLeast: 1)
  }

  /// Warns of the options that change nothing for photos.
  package func warnOfSetOptions() {
    let given = [split == nil ? nil : "--split", limit == nil ? nil : "--limit"].compactMap(\.self)
    guard !given.isEmpty else { return }
    Console.warning("\(given.joined(separator: " and ")) \(given.count == 1 ? "is" : "are") for sets of faces")
  }

  /// Checks before the work that the results can be written, and are none of `inputs`.
  package func check(inputs: [String?]) throws {
    try ResultFile.check(["--json": json, "--report": report], inputs: inputs)
  }

  /// The places in `set`, which is in `file`, of the faces to explain.
  ///
  /// - Throws: ``MienError`` naming the file if there is none.
  package func sample(of set: FaceSet, in file: String) throws -> [Int] {
    do { return try set.sample(in: split.map(\.split) ?? set.usualSplit, count: limit ?? Self.standardLimit) } catch let
      error as MienError
    {
      throw [set].named(error, as: [file])
    }
  }

  /// Makes the folder for pictures, if they are asked for.
  package func makeFolder() throws {
    guard let annotate else { return }
    // The name of a picture that no folder has is a mistake: each face has a file of its own.
    let url = URL(fileURLWithPath: annotate)
    guard url.hasDirectoryPath || !["png", "jpg", "jpeg"].contains(url.pathExtension.lowercased()) else {
      throw MienError(.argument, "--annotate \(annotate)", "expected a folder: each face's map is a file of its own")
    }
    try Folders.make(url)
  }

  /// Writes a face with its map, if pictures are asked for. A file that cannot be written is named on standard error: the
  /// figures do not depend on it.
  ///
  /// - Parameter progress: the line to take off the terminal before an error.
  /// - Returns: whether all that was asked for is written.
  package func write(
    picture: @autoclosure () throws -> Data, named name: String, progress: ProgressLine? = nil
  ) throws -> Bool {
    guard let annotate else { return true }
    let url = URL(fileURLWithPath: annotate, isDirectory: true).appendingPathComponent(name)
    do { try AtomicFile.write(picture(), to: url) } catch let error as MienError {
      progress?.clear()
      Console.failure("\(error.about(url.relativePath))")
      return false
    }
    ResultFile.wrote(url.path, in: annotate)
    return true
  }

  /// Prints `lines`, unless a result goes to standard output, then writes what is asked for.
  package func write(lines: [String], json document: () throws -> Data, page: () throws -> Data) throws {
    if ![json, report].contains("-") { for line in lines { try Console.print(line) } }
    if let report { try ResultFile.write(page(), to: report) }
    if let json { try ResultFile.write(document(), to: json) }
  }
}
