import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienONNX
import MienTorch
import MienTraining

/// `mien export RUN -o MODEL.onnx`
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a run's best epoch as an ONNX model with its card.")

  @Argument(help: "The run folder.")
  var run: String

  @Option(name: [.customShort("o"), .customLong("output")], help: "The model file to write.")
  var output: String

  @Option(
    parsing: .upToNextOption,
    help: "FaceSets whose validation split fits the temperature, so that probabilities are calibrated.")
  var data: [String] = []

  @Option(help: "Side of the square crop as a multiple of the detector's box, for the card.")
  var cropScale: Float = 1

  @Option(help: "Shift of the crop's centre, down, as a share of the box, for the card.")
  var cropShift: Float = 0

  @Option(
    help: """
      f32; f16: weights in 16 bits, half the size; int8: layers in 8 bits, a quarter of the size, which needs --data.
      """)
  var precision: ModelPrecision = .f32

  @Option(help: "Licence of the weights, for the card.")
  var license = ""

  private var framing: ModelCard.Framing { .init(scale: cropScale, shiftDown: cropShift) }

  func validate() throws {
    guard framing.isPossible else {
      throw ValidationError("--crop-scale is above 0.1 and below 10, --crop-shift above -2 and below 2.")
    }
    if precision == .int8 && data.isEmpty {
      throw ValidationError("--precision int8 needs --data: the ranges of the layers' inputs are taken from its faces.")
    }
  }

  func run() async throws {
    try ResultFile.check(["--output": output], inputs: data)
    let folder = try RunFolder(opening: URL(fileURLWithPath: run))
    let sets = try data.map { try FaceSet(contentsOf: URL(fileURLWithPath: $0)) }
    let (license, precision, framing) = (license, precision, framing)
    let model = try await TorchActor.run {
      try Torch.configure(threads: ProcessInfo.processInfo.activeProcessorCount)
      return try ModelExport.model(
        of: folder, calibratedOn: sets, framing: framing, license: license, precision: precision)
    }
    let url = URL(fileURLWithPath: output)
    try model.write(to: url)
    let card = try model.card()
    try Console.print("\(url.path): \(model.data.count) bytes, weights SHA-256 \(card.weightsSHA256)")
    for measurement in card.measurements {
      try Console.print(
        "\(measurement.labels) \(measurement.split): \(NumberText.percent(measurement.accuracy)) "
          + "of \(Spelling.counted(measurement.count, "face"))")
    }
  }
}
