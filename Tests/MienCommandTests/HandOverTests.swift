import Foundation
import MienTestSupport
import Testing

@Suite struct HandOverTests {
  /// An installation of its own, with a script in the place of `mien-train` and `mien-server` where given.
  struct Installation {
    private let folder: TemporaryFolder
    let mien: URL

    init(script: String?) throws {
      folder = try TemporaryFolder()
      let files = FileManager.default
      // As deep as the build folder, since native libraries are found relative to the program.
      let programs = folder.file("a/b/c")
      mien = programs.appendingPathComponent("mien")
      try files.createDirectory(at: programs, withIntermediateDirectories: true)
      // Written by other processes: a program that this one has open for writing, as one that it is just starting may
      // inherit, cannot be run.
      try #require(Command.run("/bin/cp", [Command.mien.path, mien.path]).status == 0)
      try files.createSymbolicLink(
        at: folder.file(".native"), withDestinationURL: Command.folder.appendingPathComponent("../../../.native"))
      guard let script else { return }
      for name in ["mien-train", "mien-server"] {
        let program = programs.appendingPathComponent(name).path
        let write = "printf %s \"$1\" >\"$2\" && chmod 755 \"$2\""
        try #require(Command.run("/bin/sh", ["-c", write, "write", script, program]).status == 0)
      }
    }
  }

  @Test(arguments: ["train", "tune", "reproduce", "export", "recipes", "serve", "adapt", "corrections"])
  func argumentsAndStatusArePassedOn(command: String) throws {
    let installed = try Installation(script: "#!/bin/sh\nfor word; do echo \"<$word>\"; done\nexit 37\n")
    let arguments = ["a b.yaml", "--set", "x=1", "--help", "-o", "run", "--", "-", ""]
    let outcome = try Command.run(installed.mien.path, [command] + arguments)
    #expect(outcome.status == 37)
    #expect(outcome.output == ([command] + arguments).map { "<\($0)>\n" }.joined())
  }

  @Test func helpOfACommandIsAskedOfItsProgram() throws {
    let installed = try Installation(script: "#!/bin/sh\nfor word; do echo \"<$word>\"; done\n")
    let outcome = try Command.run(installed.mien.path, ["help", "train"])
    #expect(outcome.status == 0 && outcome.output == "<help>\n<train>\n")
  }

  @Test func runsAreExplainedByTheOtherProgram() throws {
    let installed = try Installation(script: "#!/bin/sh\nfor word; do echo \"<$word>\"; done\n")
    let outcome = try Command.run(installed.mien.path, ["explain", "faces", "--run", "a b", "--limit", "3"])
    #expect(outcome.status == 0 && outcome.output == "<explain>\n<faces>\n<--run>\n<a b>\n<--limit>\n<3>\n")
    let evaluated = try Command.run(installed.mien.path, ["evaluate", "--run=a b", "--data", "faces"])
    #expect(evaluated.status == 0 && evaluated.output == "<evaluate>\n<--run=a b>\n<--data>\n<faces>\n")
    // Behind -- it is a file's name.
    #expect(try Command.run(installed.mien.path, ["explain", "--", "--run"]).status == 1)
  }

  @Test func aLinkFindsWhatLiesBesideItsTarget() throws {
    let installed = try Installation(script: "#!/bin/sh\nexit 5\n")
    let elsewhere = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(at: elsewhere.file("mien"), withDestinationURL: installed.mien)
    #expect(try Command.run(elsewhere.file("mien").path, ["train"]).status == 5)
  }

  /// The message names the library, which is at fault, and not the video.
  @Test func aVideoLibraryThatCannotBeUsedIsNamed() throws {
    let installed = try Installation(script: nil)
    let library = installed.mien.deletingLastPathComponent().appendingPathComponent("libMienVideoShim.so")
    let folder = try TemporaryFolder()
    let clip = folder.file("clip.y4m")
    try DrawnClip.y4m(width: 64, height: 64, rate: 5, frames: [[UInt8](repeating: 90, count: 64 * 64 * 3)])
      .write(to: clip)
    try Data("no library".utf8).write(to: library)
    let damaged = try Command.run(installed.mien.path, ["video", clip.path])
    #expect(
      damaged.status == 1 && damaged.errors.contains("error: \(library.path): cannot be loaded"), "\(damaged.errors)")
    // Any library without Mien's functions.
    // Its size is said to be 0, so it is read to its end.
    let maps = try #require(try FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd())
    let paths = String(decoding: maps, as: UTF8.self).split(whereSeparator: \.isWhitespace).filter {
      $0.contains("/libm")
    }
    let other = try #require(paths.first { $0.contains("/libm.so") || $0.contains("/libm-") }, "\(paths)")
    try FileManager.default.removeItem(at: library)
    try FileManager.default.copyItem(atPath: String(other), toPath: library.path)
    for arguments in [["video", clip.path], ["video", "rtsp://127.0.0.1:9/x"], ["camera", "0", "--headless"]] {
      let outcome = try Command.run(installed.mien.path, arguments)
      #expect(outcome.status == 1 && !outcome.errors.contains("cannot be read"), "\(outcome.errors)")
      #expect(
        outcome.errors.contains("error: \(library.path): belongs to another version of Mien"), "\(outcome.errors)")
      #expect(outcome.errors.contains("`make build`"))
    }
  }

  @Test(arguments: [("train", "mien-train"), ("serve", "mien-server")])
  func whereItIsMissingTheMessageSaysHowToBuildIt(command: String, program: String) throws {
    let installed = try Installation(script: nil)
    let outcome = try Command.run(installed.mien.path, [command, "recipe.yaml"])
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(outcome.errors.contains(program) && outcome.errors.contains("`make build`"))
  }
}
