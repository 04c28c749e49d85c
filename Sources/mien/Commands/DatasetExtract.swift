import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienDatasets
import MienInference
import MienModelOptions
import MienVision

/// `mien dataset extract VIDEO… -o DIR`.
struct DatasetExtract: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Cuts the faces out of videos, to make a data set of your own.",
    discussion: """
      Each video gets a folder of face pictures; faces.csv says which video, frame and box each is from. Rename the \
      folders to classes, or move the pictures into folders of classes, and name each picture \
      S001_001_00000001.png, by person and clip, or people are unknown (docs/own-faces.md). Then: mien dataset import \
      folders DIR. \
      Near-identical faces of a video are left out. Exit status: 0 if every video was read to its end, else 1. \
      With --shard, folders are searched for videos too, the list is JSON Lines (part-….jsonl), and the same command resumes \
      an interrupted run.
      """)

  @Argument(help: ArgumentHelp("Video files.", valueName: "video"))
  var videos: [String]

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var output: String

  @OptionGroup var shard: ShardOptions

  @Option(help: ArgumentHelp("Seconds between sampled frames (default: 1).", valueName: "seconds"))
  var every: Double?

  @Flag(help: "Look at the first frame after each cut instead.")
  var scenes = false

  @Option(help: ArgumentHelp("Width and height of a face picture in pixels.", valueName: "px"))
  var size = FolderImporter.defaultSide

  @Flag(help: "Equalise the histogram of each face.")
  var equalize = false

  @OptionGroup var detector: DetectorOptions

  @OptionGroup var model: ModelChoice

  func validate() throws {
    try PhotoPaths.checkVideos(videos)
    if scenes && every != nil { throw ValidationError("--every and --scenes exclude each other") }
    try ValidationError.check(every, of: "--every", above: 0)
    guard (1...FaceSet.maximumSide).contains(size) else {
      throw ValidationError("--size \(size): expected 1 to \(FaceSet.maximumSide) pixels")
    }
  }

  func run() async throws {
    let card = try model.naming { try model.file().unverifiedCard() }
    let extractor = try FaceExtractor(
      choice: scenes ? .scenes : .every(every ?? 1),
      frame: FaceFrame(framing: card.framing, preprocessing: Preprocessing(width: size, height: size)),
      equalizes: equalize, detector: detector.faceDetector())
    if shard.shard != nil { return try extractShard(by: extractor, framing: card.framing) }
    let faces = try ExtractedFaces(folder: URL(fileURLWithPath: output, isDirectory: true))
    Interrupt.listen()
    var (failed, isRead) = (false, false)
    for video in videos where !Interrupt.isRaised {
      guard !VideoInput(video).isFolder else {
        failed = true
        Console.failure(
          "\(video): is a folder, expected a video file; to read all videos in it, add --shard 1/1 to the command")
        continue
      }
      let url = URL(fileURLWithPath: video)
      let folder = try faces.addVideo(url)
      let progress = ProgressLine("frames of \(Console.printable(url.lastPathComponent))")
      let outcome = try extractor.extract(
        url, shouldStop: { Interrupt.isRaised },
        progress: { index, count in progress.update(index + 1, of: count.map { max($0, index + 1) }) },
        { ResultFile.wrote("\(output)/\(try faces.add($0, video: video, folder: folder))", in: output) })
      progress.clear()
      for warning in outcome.warnings { Console.warning("\(video): \(warning)") }
      if let error = outcome.error {
        failed = true
        Console.failure("\(error.isAbout(url) ? error.about(video) : error)")
      }
      if outcome.error == nil || outcome.frames > 0 {
        isRead = true
        Console.error(
          Console.printable(
            "\(video): \(Spelling.counted(outcome.frames, "frame")) looked at, \(Spelling.counted(outcome.found, "face")), "
              + "\(outcome.repeated.grouped) near-identical left out, \(outcome.kept.grouped) written"))
      }
    }
    if isRead { ResultFile.wrote("\(output)/\(ExtractedFaces.listName)", in: output) } else { faces.discard() }
    if Interrupt.isRaised {
      failed = true
      Console.error("stopped; the faces so far are in \(output)")
    }
    if failed { throw ExitCode.failure }
  }
}
