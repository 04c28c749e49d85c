import ArgumentParser
import Foundation
import Glibc
import MienCommandLine
import MienCore
import MienInference
import MienModelOptions
import MienReports
import MienVision

/// `mien doctor`: what of Mien works on this machine.
struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks what works here, and says how to fix the rest.",
    discussion: """
      Exit status: 0 if faces in photos can be read, also if optional parts are missing; 1 if they cannot.
      """)

  /// One finding.
  private enum Finding {
    case works(String)
    /// Something optional is not there.
    case missing(String, remedy: String)
    /// Something that every command needs does not work.
    case broken(String, remedy: String)
  }

  func run() async throws {
    var isBroken = false
    func report(_ name: String, _ finding: Finding) throws {
      let (mark, style, text, remedy): (String, Console.Style, String, String?) =
        switch finding {
        case .works(let text): ("ok", .green, text, nil)
        case .missing(let text, let remedy): ("missing", .yellow, text, remedy)
        case .broken(let text, let remedy): ("broken", .red, text, remedy)
        }
      if case .broken = finding { isBroken = true }
      let first = Console.styled(Console.padded(mark, 9), style, on: .output)
      try Console.print(first + Console.padded(name, 16) + Console.printable(text))
      if let remedy { try Console.print(Console.padded("", 25) + "-> " + remedy) }
    }
    func attempt(_ remedy: String, _ work: () throws -> String) -> Finding {
      do { return .works(try work()) } catch { return .broken("\(error)", remedy: remedy) }
    }

    let machine = RunEnvironment.current()
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    let remake = "run `make build` in Mien's sources, or install Mien again"
    try report("mien", .works("\(MienVersion.text), \(program)"))
    try report("system", .works(machine.system))
    try report(
      "processor",
      attempt(remake) {
        // OpenVINO names more than kinds of numbers.
        let names = Set(try InferenceRuntime.processor().split(separator: " "))
        let kinds = ["FP32", "BF16", "FP16", "INT8"].filter { names.contains(Substring($0)) }.joined(separator: ", ")
        return "\(machine.processor); \(Spelling.counted(machine.cores, "core")); computes in \(kinds)"
      })
    try report("OpenVINO", attempt(remake) { try InferenceRuntime.version() })
    try report("OpenCV", .works(SystemSupport.openCVVersion))
    try report("model", attempt(remake) { try Self.model() })
    try report("face detector", attempt(remake) { try Self.detector(FaceDetectors.standard) })
    try report("other detector", Self.optional("install it: apt-get install opencv-data") { try Self.detector("haar") })
    try report(
      "HEIC and AVIF",
      SystemSupport.heifVersion.map { .works("libheif \($0)") }
        ?? .missing("libheif", remedy: "install it: apt-get install libheif1 libheif-plugin-dav1d"))
    try report(
      "videos",
      Self.optional(
        "run `make build` in Mien's sources; if libraries are missing: apt-get install libopencv-videoio406"
      ) {
        try SystemSupport.loadVideoLibrary()
        return "MienVideoShim"
      })
    try report(
      "ffmpeg",
      SystemSupport.ffmpeg.map { .works($0.path) }
        ?? .missing("`mien video --annotate` writes without sound", remedy: "install it: apt-get install ffmpeg"))
    try report("cameras", Self.cameras())
    try report(
      "display",
      Self.hasDisplay
        ? .works("there is one")
        : .works("none, which only a window needs; `mien camera --headless` does without"))
    for program in [ExternalCommand.Program.server, .train] {
      let commands = ExternalCommand.allCases.filter { $0.program == program }.map(\.rawValue).joined(separator: ", ")
      let remedy = ExternalCommand.Program.remedy
      guard program.isInstalled else {
        try report(program.rawValue, .missing("the commands \(commands)", remedy: remedy))
        continue
      }
      try report(
        program.rawValue,
        Self.optional(remedy) {
          let lines = String(decoding: try program.output(of: ["--version"]), as: UTF8.self).split(separator: "\n")
          return (lines.dropFirst().prefix(1) + ["commands \(commands)"]).joined(separator: "; ")
        })
    }
    try report("cache", Self.cache())
    let profiles = ProfileStore()
    try report("profiles", .works("\(profiles.entries().count) in \(profiles.folder.path)"))
    try report("runs", .works(Self.sized(Folders.runs())))
    if isBroken { throw ExitCode.failure }
  }

  /// Runs the built-in model on a grey face.
  private static func model() throws -> String {
    let clock = ContinuousClock()
    let start = clock.now
    let classifier = try EmotionClassifier.default()
    let input = classifier.card.preprocessing
    let pixels = [UInt8](repeating: 128, count: input.width * input.height)
    _ = try classifier.distributions(
      for: input.input(pixels: pixels, sourceChannels: 1), count: 1, labels: classifier.widestLabels)
    let card = classifier.card
    return "\(card.name), weights \(card.weightsSHA256.prefix(16)), ready in "
      + NumberText.duration((clock.now - start) / .seconds(1))
  }

  /// Searches a grey picture.
  private static func detector(_ name: String) throws -> String {
    let clock = ContinuousClock()
    let start = clock.now
    let picture = try Image(width: 320, height: 240, channels: 1, pixels: [UInt8](repeating: 128, count: 320 * 240))
    _ = try FaceDetectors.named(name).faces(in: picture)
    return "\(name), ready in \(NumberText.duration((clock.now - start) / .seconds(1)))"
  }

  private static func optional(_ remedy: String, _ work: () throws -> String) -> Finding {
    do { return .works(try work()) } catch { return .missing("\(error)", remedy: remedy) }
  }

  /// The cameras that the kernel knows, and whether they may be read.
  private static func cameras() -> Finding {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev"))?.filter { $0.hasPrefix("video") } ?? []
    guard !names.isEmpty else {
      return .missing(
        "no /dev/video*",
        remedy: "plug one in, or play a file: `mien camera \(hasDisplay ? "" : "--headless ")clip.mp4`")
    }
    let closed = names.filter { access("/dev/\($0)", R_OK | W_OK) != 0 }
    let found = names.sorted().map { name in
      let title = try? String(contentsOfFile: "/sys/class/video4linux/\(name)/name", encoding: .utf8)
      return "/dev/\(name)" + (title.map { " (\($0.trimmingCharacters(in: .whitespacesAndNewlines)))" } ?? "")
    }
    guard closed.isEmpty else {
      return .missing(
        "\(closed.sorted().map { "/dev/\($0)" }.joined(separator: ", ")) may not be opened",
        remedy: "sudo usermod -aG video \(NSUserName()), then log in again")
    }
    return .works(found.joined(separator: ", "))
  }

  private static var hasDisplay: Bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].contains { !(ProcessInfo.processInfo.environment[$0] ?? "").isEmpty }
  }

  /// The cache and its size.
  private static func cache() -> Finding {
    let folder = Folders.cache()
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      return .missing(
        "\(folder.path) cannot be made: every start compiles the networks again",
        remedy: "name a folder that can be written to in MIEN_CACHE")
    }
    guard access(folder.path, W_OK | X_OK) == 0 else {
      return .missing(
        "\(folder.path) may not be written to: every start compiles the networks again",
        remedy: "name a folder that can be written to in MIEN_CACHE")
    }
    let hasModels = FileManager.default.fileExists(atPath: folder.appendingPathComponent("models").path)
    return .works("\(sized(folder)); may be deleted\(hasModels ? ", except models, which you put there" : "")")
  }

  private static func sized(_ folder: URL) -> String {
    FileManager.default.fileExists(atPath: folder.path)
      ? "\(folder.path), \(Spelling.size(size(folder)))" : "\(folder.path), none yet"
  }

  /// The bytes of all files in a folder, links not followed.
  private static func size(_ folder: URL) -> Int {
    let keys: Set<URLResourceKey> = [.fileSizeKey, .isRegularFileKey]
    func bytes(_ url: URL) -> Int {
      let values = try? url.resourceValues(forKeys: keys)
      return values?.isRegularFile == true ? values?.fileSize ?? 0 : 0
    }
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: Array(keys))
    return bytes(folder) + (files?.reduce(0) { sum, file in sum + ((file as? URL).map(bytes) ?? 0) } ?? 0)
  }
}
