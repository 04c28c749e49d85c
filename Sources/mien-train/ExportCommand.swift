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
    commandName: ExternalCommand.export.rawValue, abstract: ExternalCommand.export.abstract)

  @Argument(help: ArgumentHelp("The run folder.", valueName: "run"))
  var run: String

  @Option(
    name: [.customShort("o"), .customLong("output")],
    help: ArgumentHelp("The model file to write; its name ends in .onnx.", valueName: "model.onnx"))
  var output: String

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Sets of faces whose validation split fits the temperature, so that probabilities are calibrated.",
      valueName: "faces.safetensors"))
  var data: [String] = []

  @Option(
    help: ArgumentHelp(
      "Side of the square crop as a multiple of the detector's box, for the card (default: that of the model which the "
        + "run began with, else 1).", valueName: "factor"))
  var cropScale: Float?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Shift of the crop's centre, down, as a share of the box, for the card (default: as --crop-scale, else 0).",
      valueName: "share"))
  var cropShift: Float?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether the crop is turned so that the eyes are level, for the card (default: as --crop-scale, else not).")
  var turned: Bool?

  @Option(
    help: """
      f32; f16: weights in 16 bits, half the size; int8: layers in 8 bits, a quarter of the size, which needs --data.
      """)
  var precision: ModelPrecision = .f32

  @Option(
    help: ArgumentHelp(
      "After --init: how far to go back to the weights that the run began with, 0 to 1; needs the --data that it was trained "
        + "on.", valueName: "share"))
  var keepInitial: Double = 0

  @Option(help: ArgumentHelp("Licence of the weights, for the card.", valueName: "text"))
  var license = ""

  /// The framing of the card, beginning with `framing`.
  private func framing(_ framing: ModelCard.Framing) -> ModelCard.Framing {
    var framing = framing
    if let cropScale { framing.scale = cropScale }
    if let cropShift { framing.shiftDown = cropShift }
    if let turned { framing.isTurned = turned }
    return framing
  }

  func validate() throws {
    try ValidationError.check(cropScale.map(Double.init), of: "--crop-scale", above: 0.1, below: 10)
    try ValidationError.check(cropShift.map(Double.init), of: "--crop-shift", above: -2, below: 2)
    try ValidationError.check(share: keepInitial, of: "--keep-initial")
    if keepInitial > 0 && data.isEmpty {
      throw ValidationError("--keep-initial needs --data: the faces that the run was trained on")
    }
    if precision == .int8 && data.isEmpty {
      throw ValidationError("--precision int8 needs --data: the ranges of the layers' inputs are taken from its faces")
    }
    guard output.hasSuffix(".onnx") else {
      throw ValidationError("-o \(output): expected a name that ends in .onnx, by which --model knows a file")
    }
  }

  func run() async throws {
    try ResultFile.check(["--output": output], inputs: data)
    let folder = try RunFolder(opening: URL(fileURLWithPath: run))
    let sets = try data.map { try FaceSet.given($0) }
    let (license, precision, command) = (license, precision, self)
    let model = try await TorchActor.run {
      try Torch.configure(threads: ProcessInfo.processInfo.activeProcessorCount)
      let framing = command.framing(try ModelExport.framing(of: folder))
      return try ModelExport.model(
        of: folder, calibratedOn: sets, framing: framing, license: license, precision: precision,
        keptInitial: command.keepInitial)
    }
    let url = URL(fileURLWithPath: output)
    try model.write(to: url)
    ResultFile.wrote(output)
    let card = try model.card()
    try Console.print("weights SHA-256 \(card.weightsSHA256)")
    for measurement in card.measurements {
      try Console.print(
        "\(measurement.labels) \(measurement.split): \(NumberText.percent(measurement.accuracy)) "
          + "of \(Spelling.counted(measurement.count, "face"))"
          + (measurement.calibrationError.map { ", calibration error \(NumberText.percent($0)) by cross-fitting" } ?? "")
      )
    }
  }
}
