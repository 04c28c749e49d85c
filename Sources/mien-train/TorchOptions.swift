import ArgumentParser
import Foundation
import Glibc
import MienCommandLine
import MienTorch

/// `--threads`: how many threads libtorch uses.
struct TorchThreads: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Threads for libtorch (default: one for each core, divided among the processes that torchrun starts).",
      valueName: "n"))
  var threads: Int?

  func validate() throws {
    try ValidationError.check(threads, of: "--threads", atLeast: 1)
  }

  /// Threads of each of so many processes of this machine.
  func count(ofProcesses processes: Int = 1) -> Int {
    threads ?? max(1, ProcessInfo.processInfo.activeProcessorCount / processes)
  }
}

/// `--device`, `--precision` and `--threads`: where and in what libtorch computes.
struct TorchOptions: ParsableArguments {
  @Option(help: "Where to compute: cpu or cuda.")
  var device: Torch.Device = .cpu

  @Option(
    help: ArgumentHelp(
      "What convolutions compute in: f32 or bf16, which is faster on processors with instructions for it (default: f32 on a CPU, bf16 on CUDA)."
    ))
  var precision: Torch.Precision?

  @Flag(help: "With --device cuda: let cuDNN time its algorithms for each shape and keep the fastest.")
  var autotune = false

  @OptionGroup var torch: TorchThreads

  func validate() throws {
    if device == .cpu, autotune { throw ValidationError("--autotune needs --device cuda") }
  }

  /// The options as words of a command, without those at their defaults.
  var words: [String] {
    (device == .cpu ? [] : ["--device", device.rawValue]) + (precision.map { ["--precision", $0.rawValue] } ?? [])
      + (autotune ? ["--autotune"] : []) + (torch.threads.map { ["--threads", "\($0)"] } ?? [])
  }

  /// Has libtorch compute there.
  ///
  /// - Parameter place: where this process stands among those that train together, if there are several. On CUDA each
  ///   process of a machine takes the GPU of its number.
  /// - Throws: ``MienCore/MienError`` where there is no such device.
  func use(as place: ProcessGroup.Place? = nil) async throws {
    if let place, device == .cuda { setenv("CUDA_VISIBLE_DEVICES", "\(place.localRank)", 0) }
    let threads = torch.count(ofProcesses: place?.localSize ?? 1)
    let (device, precision, autotune) = (device, precision, autotune)
    try await TorchActor.run {
      try Torch.use(device, precision: precision, autotune: autotune)
      try Torch.configure(threads: threads)
    }
  }
}
