import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienDatasets
import MienVision

/// `mien dataset balance FACES -o OUT`.
struct DatasetBalance: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "balance",
    abstract: "Fills the smaller classes up to the largest with flipped and turned copies of their faces.",
    discussion: """
      Only the training split is filled, so that no part that measures sees a copy of a training face. Copies keep \
      their face's row, subject and sequence.
      """)

  @Argument(help: "A file made by mien dataset import.")
  var faces: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The file to write.", valueName: "faces.safetensors"))
  var output: String

  @Option(help: "How copies are flipped: horizontal, vertical, horizontal,vertical or none.")
  var flips = "horizontal"

  @Option(help: ArgumentHelp("The largest angle to turn copies by, to either side; 0 for none.", valueName: "degrees"))
  var rotation = 45.0

  @Option(
    help: ArgumentHelp(
      "The labels to balance by. Default: FER+ if the set has its votes, else the set's own.", valueName: "set"))
  var labels: String?

  @Flag(help: "Fill all splits together, as some papers do before they cut a set.")
  var beforeSplit = false

  @Option(help: "The seed of all choices.")
  var seed: UInt64 = 1

  func validate() throws {
    do { _ = try balancer() } catch let error as MienError {
      throw ValidationError("\(Self.spoken(error, CommandLine.arguments))")
    }
  }

  func run() async throws {
    try ResultFile.check(["--output": output], inputs: [faces])
    let set = try FaceSet.given(faces)
    let result = try balancer().balance(set, labels: set.labelSource(named: labels))
    if beforeSplit {
      Console.warning(
        "a random cut of this set puts copies of one face on both sides; cut it by row or by subject")
    }
    try result.faces.write(to: URL(fileURLWithPath: output))
    ResultFile.wrote(output)
    for emotion in result.empty { Console.error("\(emotion.rawValue): no face to copy") }
    for (emotion, count) in result.added {
      Console.error("\(emotion.rawValue): \(count == 1 ? "1 copy" : "\(count.grouped) copies")")
    }
    Console.error(
      "\(output): \(Spelling.counted(result.faces.count, "face")), \((result.faces.count - set.count).grouped) of them copies"
    )
  }

  private func balancer() throws -> FaceSetBalancer {
    let words = flips == "none" ? [] : flips.split(separator: ",", omittingEmptySubsequences: false)
    let chosen = try words.map { word in
      guard let flip = Image.Flip(rawValue: String(word)) else {
        throw MienError(
          .argument, "--flips \(flips)", "expected horizontal, vertical, horizontal,vertical or none")
      }
      return flip
    }
    return try FaceSetBalancer(flips: Set(chosen), rotation: rotation, beforeSplit: beforeSplit, seed: seed)
  }
}
