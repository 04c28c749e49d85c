import Foundation
import MienCore
import MienTestSupport
import Testing

/// Several processes that train one network, as PyTorch's `torchrun` starts them.
@Suite(.serialized) struct DataParallelTests {
  private let folder: TemporaryFolder
  private let faces: String
  private let recipe: String
  private static let program = Command.folder.appendingPathComponent("mien-train")
  /// `torchrun`: named by MIEN_TORCHRUN, or on the PATH.
  private static let torchrun: String? = {
    let environment = ProcessInfo.processInfo.environment
    let folders = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/torchrun" }
    return ((environment["MIEN_TORCHRUN"].map { [$0] } ?? []) + folders).first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }()

  /// Faces of noise over a level that tells the class; every third lacks the votes that one of the two heads learns from,
  /// so that the processes' shares of a batch differ in how many faces count.
  init() throws {
    folder = try TemporaryFolder()
    var random = SeededRandom(seed: 3)
    var pixels: [UInt8] = []
    let rows = (0..<84).map { index -> FaceSet.Row in
      let label = index % LabelSet.fer2013.count
      for _ in 0..<(48 * 48) { pixels.append(UInt8(Float(label * 30 + 20) + random.uniform(in: -10...10))) }
      let votes = LabelSet.ferplus.emotions.map { $0 == LabelSet.fer2013.emotions[label] ? UInt8(10) : 0 } + [0, 0]
      return FaceSet.Row(
        label: LabelSet.fer2013.emotions[label], split: index < 63 ? .train : .validation,
        votes: index % 3 == 0 ? nil : votes, sourceRow: index)
    }
    let set = try FaceSet(
      source: "levels", labelSet: .fer2013, height: 48, width: 48, channels: 1, rows: rows, pixels: Data(pixels))
    try set.write(to: folder.file("faces.safetensors"))
    faces = folder.file("faces.safetensors").path
    recipe = folder.file("recipe.yaml").path
    // Neither batch norm nor randomness but the weights and the order: then the whole batch is all that counts.
    let text = """
      name: shared
      model: {architecture: plain, options: {filters: [4, 8], dense: [16]}}
      heads: [{labels: fer2013}, {labels: ferplus, weight: 0.5}]
      batchSize: 16
      epochs: 3
      averageDecay: 0.9
      optimizer: {learningRate: 0.02}
      loss: {labelSmoothing: 0.1, classWeights: balanced}
      schedule: {warmupEpochs: 0}
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: recipe))
  }

  private func train(_ run: String, _ more: [String] = []) -> [String] {
    ["train", recipe, "--data", faces, "-o", folder.file(run).path, "--threads", "1"] + more
  }

  /// Starts a process with the variables that `torchrun` sets.
  private func start(_ arguments: [String], rank: Int, of size: Int, port: Int, restarts: Int = 0) throws -> Process {
    let process = Process()
    process.executableURL = Self.program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging([
      "RANK": "\(rank)", "LOCAL_RANK": "\(rank)", "WORLD_SIZE": "\(size)", "LOCAL_WORLD_SIZE": "\(size)",
      "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)", "TORCHELASTIC_RESTART_COUNT": "\(restarts)",
      "GLOO_SOCKET_IFNAME": "lo",
    ]) { $1 }
    process.standardError = FileHandle(forWritingAtPath: try log(rank))
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    return process
  }

  private func log(_ rank: Int) throws -> String {
    let file = folder.file("errors-\(rank)")
    try Data().write(to: file)
    return file.path
  }

  private func errors(_ rank: Int) -> String {
    (try? String(contentsOf: folder.file("errors-\(rank)"), encoding: .utf8)) ?? ""
  }

  /// A port that was free a moment ago.
  private static func port() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(isBound)
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Trains with `size` processes, which must all succeed.
  private func together(_ run: String, of size: Int, _ more: [String] = [], restarts: Int = 0) throws {
    let port = try Self.port()
    let processes = try (0..<size).map {
      try start(train(run, more), rank: $0, of: size, port: port, restarts: restarts)
    }
    for (rank, process) in processes.enumerated() {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0, "process \(rank): \(errors(rank))")
    }
  }

  private func tensors(_ run: String, _ name: String = "last") throws -> [String: [Float]] {
    try SafeTensors(contentsOf: folder.file("\(run)/checkpoints/\(name).safetensors")).tensors.mapValues {
      try $0.values(Float.self)
    }
  }

  private func rows(_ run: String) throws -> [[Substring]] {
    try String(contentsOf: folder.file("\(run)/metrics.csv"), encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).dropLast() }
  }

  /// The tolerance of 1e-4 is for sums of 32-bit floats in another order, over nine steps.
  @Test func twoProcessesEndWithTheWeightsOfOneAtTwiceTheBatch() throws {
    let alone = try Command.run(Self.program.path, train("alone"))
    #expect(alone.status == 0, "\(alone.errors)")
    try together("two", of: 2)
    #expect(errors(0).contains("2 processes train together"))
    #expect(errors(1).isEmpty, "only the first process speaks: \(errors(1))")
    let (expected, found) = (try tensors("alone"), try tensors("two"))
    #expect(!expected.isEmpty && Set(expected.keys) == Set(found.keys))
    var moved = 0
    for (name, values) in expected {
      let other = try #require(found[name])
      let difference = zip(values, other).map { abs($0 - $1) }.max() ?? 1
      #expect(difference < 1e-4, "\(name) differs by \(difference)")
      if values != other { moved += 1 }
    }
    #expect(moved > 0, "they are summed in another order, so they cannot all be the same bits")
    // Figures of the training, and of the validation by the first process, are those of the whole batch.
    let (one, two) = (try rows("alone"), try rows("two"))
    #expect(one.count == 4 && one[0] == two[0])
    for (first, second) in zip(one.dropFirst(), two.dropFirst()) {
      for (a, b) in zip(first, second) {
        let (a, b) = (try #require(Double(a)), try #require(Double(b)))
        #expect(abs(a - b) <= 1e-3 * max(1, abs(a)), "\(a) and \(b)")
      }
    }
    let files = ["result.json", "report.html", "checkpoints/best.safetensors"]
    #expect(files.allSatisfy { FileManager.default.fileExists(atPath: folder.file("two/\($0)").path) })
  }

  /// Shares of a batch that differ in their random numbers and in batch norm still give one network in all processes: a
  /// resumed run, whose processes all read the first one's checkpoint, ends like one that was never stopped.
  @Test func aKilledProcessEndsTheOthersAndARestartGoesOnBitForBit() throws {
    let more =
      ["epochs=60", "checkpointEverySeconds=0.001", "augmentation.horizontalFlip=true"].flatMap { ["--set", $0] }
      + ["--set", "model.options={filters: [4, 8], dense: [16], batchNorm: true, denseDropout: 0.2}"]
    try together("whole", of: 2, more)
    let port = try Self.port()
    let processes = try (0..<2).map { try start(train("broken", more), rank: $0, of: 2, port: port) }
    let metrics = folder.file("broken/metrics.csv").path
    processes[1].wait { FileManager.default.fileExists(atPath: metrics) }
    try #require(processes[1].isRunning)
    kill(processes[1].processIdentifier, SIGKILL)
    for process in processes { process.waitUntilExit() }
    #expect(processes[0].terminationStatus == 1, "\(errors(0))")
    #expect(errors(0).contains("libtorch"), "\(errors(0))")
    #expect(!FileManager.default.fileExists(atPath: folder.file("broken/result.json").path))
    // As torchrun does: all of them again, with the same command.
    try together("broken", of: 2, more, restarts: 1)
    #expect(errors(0).contains("resumed at step"))
    for name in ["last", "best"] { #expect(try tensors("whole", name) == tensors("broken", name)) }
    #expect(try rows("whole") == rows("broken"))
  }

  @Test(.enabled(if: torchrun != nil, "needs torchrun: pip install torch, and name it by MIEN_TORCHRUN"))
  func torchrunRestartsAGroupThatLostAProcess() throws {
    let torchrun = try #require(Self.torchrun)
    let more = ["--set", "epochs=60", "--set", "checkpointEverySeconds=0.001"]
    let options = [
      "--standalone", "--no-python", "--nproc-per-node", "2", "--max-restarts", "1", "--monitor-interval", "0.1",
    ]
    let whole = try Command.run(torchrun, options + [Self.program.path] + train("whole", more))
    #expect(whole.status == 0, "\(whole.errors)")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: torchrun)
    process.arguments = options + [Self.program.path] + train("broken", more)
    process.standardError = FileHandle(forWritingAtPath: try log(0))
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let metrics = folder.file("broken/metrics.csv").path
    process.wait { FileManager.default.fileExists(atPath: metrics) }
    let children = try Command.run("/usr/bin/pgrep", ["-P", "\(process.processIdentifier)", "-f", "mien-train"])
    let victim = try #require(children.output.split(separator: "\n").last.flatMap { pid_t($0) })
    kill(victim, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(errors(0))")
    #expect(errors(0).contains("resumed at step"), "\(errors(0))")
    #expect(try tensors("whole") == tensors("broken"))
  }

  @Test func whatCannotBeTrainedTogetherIsRefused() throws {
    func refused(_ more: [String], output: Bool = true) throws -> (status: Int32, errors: String) {
      let arguments = train("refused", more)
      let process = try start(
        output ? arguments : arguments.filter { $0 != "-o" && $0 != folder.file("refused").path }, rank: 0, of: 1,
        port: Self.port())
      process.waitUntilExit()
      return (process.terminationStatus, errors(0))
    }
    let unnamed = try refused([], output: false)
    #expect(unnamed.status == 64 && unnamed.errors.contains("give the run folder with -o"), "\(unnamed.errors)")
    let series = try refused(["--set", "folds={count: 3, kind: stratified}"])
    #expect(series.status == 64 && series.errors.contains("folds.fold=1"), "\(series.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("refused").path))
    // Fifteen faces cannot be dealt out to two processes; each of them says so.
    let port = try Self.port()
    let processes = try (0..<2).map { try start(train("odd", ["--set", "batchSize=15"]), rank: $0, of: 2, port: port) }
    processes[0].waitUntilExit()
    #expect(processes[0].terminationStatus == 64)
    #expect(errors(0).contains("batchSize 15: cannot be dealt out evenly to 2 processes"), "\(errors(0))")
    if processes[1].isRunning { kill(processes[1].processIdentifier, SIGKILL) }
    processes[1].waitUntilExit()
    let variable = Process()
    variable.executableURL = Self.program
    variable.arguments = train("variable")
    variable.environment = ProcessInfo.processInfo.environment.merging([
      "RANK": "2", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500",
    ]) { $1 }
    variable.standardError = FileHandle(forWritingAtPath: try log(2))
    try variable.run()
    variable.waitUntilExit()
    #expect(variable.terminationStatus == 64)
    #expect(errors(2).contains("RANK=2: expected a whole number from 0 to 1"), "\(errors(2))")
  }
}
