// swift-tools-version: 6.2
import PackageDescription

/// Swift settings that every target shares: dependencies stay internal unless said otherwise.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
]

/// Where programs look for native libraries: the folder that `make setup` links, then one beside an installed `bin`.
/// SwiftPM drops the `-rpath` of pkg-config files; flags on executables and tests leave the libraries usable as a
/// versioned dependency.
func searchPath(_ libraries: String...) -> [LinkerSetting] {
  let folders = libraries.flatMap { ["$ORIGIN/../../../.native/\($0)", "$ORIGIN/../lib/mien/\($0)"] }
  return [.unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", folders.joined(separator: ":")])]
}

let package = Package(
  name: "mien",
  products: [
    .library(name: "MienCore", targets: ["MienCore"]),
    .library(name: "MienONNX", targets: ["MienONNX"]),
    .library(name: "MienVision", targets: ["MienVision"]),
    // What MienVision loads to read videos: a program that reads videos lists it beside MienInference, and SwiftPM builds
    // it with the program. See docs/decisions/video-shim.md.
    .library(name: "MienVideoShim", type: .dynamic, targets: ["COpenCVVideo"]),
    .library(name: "MienInference", targets: ["MienInference"]),
    .library(name: "MienEvaluation", targets: ["MienEvaluation"]),
    .library(name: "MienAdaptation", targets: ["MienAdaptation"]),
    .library(name: "MienDatasets", targets: ["MienDatasets"]),
    .library(name: "MienReports", targets: ["MienReports"]),
    .library(name: "MienTorch", targets: ["MienTorch"]),
    .library(name: "MienModels", targets: ["MienModels"]),
    .library(name: "MienRuns", targets: ["MienRuns"]),
    .library(name: "MienTraining", targets: ["MienTraining"]),
    .executable(name: "mien", targets: ["mien"]),
    .executable(name: "mien-train", targets: ["mien-train"]),
    .executable(name: "mien-server", targets: ["mien-server"]),
  ],
  // Off, so that a package that depends on Mien fetches neither a web server nor a database; `make` turns it on.
  traits: [
    .trait(name: "Server", description: "What mien-server is made of: Hummingbird and GRDB.")
  ],
  // Ranges, so that a program that depends on Mien is free to choose; built and tested with the version in the comment.
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),  // 1.8.2
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.31.0"),  // 1.39.0; 1.31 brought byte-coded names
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),  // 6.2.2
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),  // 2.28.1
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),  // 7.10.0
  ],
  targets: [
    .target(name: "MienCore", swiftSettings: strict),
    .target(
      name: "MienONNX", dependencies: ["MienCore", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["onnx-subset.proto"], swiftSettings: strict),
    // What runs write and reports read.
    .target(name: "MienRuns", dependencies: ["MienCore"], swiftSettings: strict),
    .target(name: "MienReports", dependencies: ["MienCore", "MienRuns"], swiftSettings: strict),

    // Pictures and data sets: OpenCV, and the decoders of the common kinds of picture.
    .systemLibrary(name: "CSystemOpenCV", pkgConfig: "mien-opencv"),
    .target(name: "COpenCV", dependencies: ["CSystemOpenCV"]),
    .systemLibrary(name: "CSystemImageCodecs", pkgConfig: "mien-image-codecs"),
    .target(name: "CImageCodecs", dependencies: ["CSystemImageCodecs"]),
    .target(name: "CMienVideoFunctions"),
    .target(
      name: "MienVision", dependencies: ["MienCore", "CImageCodecs", "COpenCV", "CMienVideoFunctions"],
      swiftSettings: strict),
    .systemLibrary(name: "CSystemZlib"),
    .target(
      name: "MienDatasets", dependencies: ["MienCore", "MienVision", "CSystemZlib"], swiftSettings: strict),

    // Videos: FFmpeg's libraries and OpenCV's videoio, in a shared library of its own that no target links.
    .systemLibrary(name: "CSystemOpenCVVideo", pkgConfig: "mien-opencv-video"),
    .target(
      name: "COpenCVVideo", dependencies: ["CSystemOpenCVVideo"],
      cxxSettings: [.headerSearchPath("../CMienVideoFunctions/include"), .headerSearchPath("../COpenCV")],
      linkerSettings: ["avformat", "avcodec", "swscale", "avutil", "webpdemux"].map { .linkedLibrary($0) }),

    // The files inside the programs: models, recipes, the web page; scripts/resources.py writes their list.
    .systemLibrary(name: "CSystemFaces", pkgConfig: "mien-faces"),
    .target(name: "CMienResources", dependencies: ["CSystemFaces"], exclude: ["openapi.json", "page"]),
    .target(name: "MienResources", dependencies: ["MienCore", "CMienResources"], swiftSettings: strict),

    // Recognition: OpenVINO.
    .systemLibrary(name: "CSystemOpenVINO", pkgConfig: "mien-openvino"),
    .target(name: "COpenVINO", dependencies: ["CSystemOpenVINO"]),
    .target(
      name: "MienInference", dependencies: ["MienVision", "MienONNX", "MienResources", "COpenVINO"],
      swiftSettings: strict),
    // What is done with a model beside reading faces: measuring it, and fitting its last layer to corrections.
    .target(name: "MienEvaluation", dependencies: ["MienInference"], swiftSettings: strict),
    .target(name: "MienAdaptation", dependencies: ["MienInference"], swiftSettings: strict),

    // Training: libtorch.
    .systemLibrary(name: "CSystemTorch", pkgConfig: "mien-torch"),
    .target(name: "CTorch", dependencies: ["CSystemTorch"], cxxSettings: [.headerSearchPath(".")]),
    .target(name: "MienTorch", dependencies: ["MienCore", "MienONNX", "CTorch"], swiftSettings: strict),
    .target(name: "MienModels", dependencies: ["MienTorch"], swiftSettings: strict),
    .target(
      name: "MienTraining",
      dependencies: [
        "MienModels", "MienONNX", "MienResources", "MienRuns",
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),

    // What the programs have in common, and what those that read faces have; mien-train links no OpenVINO.
    .target(
      name: "MienCommandLine",
      dependencies: ["MienCore", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: strict),
    .target(
      name: "MienModelOptions",
      dependencies: [
        "MienCommandLine", "MienInference", "MienONNX",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "mien",
      dependencies: [
        "MienAdaptation", "MienCommandLine", "MienDatasets", "MienEvaluation", "MienInference", "MienModelOptions",
        "MienONNX", "MienReports", "MienRuns", "MienVision",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict, linkerSettings: searchPath("openvino")),
    // Measurements behind figures of the documentation; not installed.
    .executableTarget(
      name: "mien-bench",
      dependencies: [
        "MienAdaptation", "MienCommandLine", "MienInference", "MienModelOptions", "MienONNX", "MienReports",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/mien-bench", swiftSettings: strict, linkerSettings: searchPath("openvino")),
    // The code of the example package, built here so that it stays true; scripts/build-example.sh builds the package.
    .executableTarget(
      name: "FaceTimeline", dependencies: ["MienInference"],
      path: "Examples/FaceTimeline/Sources/FaceTimeline", swiftSettings: strict,
      linkerSettings: searchPath("openvino")),
    .executableTarget(
      name: "mien-train",
      dependencies: [
        "MienCommandLine", "MienReports", "MienRuns", "MienTraining",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict, linkerSettings: searchPath("torch")),

    // The server: a program of its own, so that `mien` builds and starts without it.
    .target(name: "CMienServerSupport"),
    .target(
      name: "MienServer",
      dependencies: [
        "CMienServerSupport", "MienAdaptation", "MienInference", "MienONNX", "MienResources",
        .product(name: "Hummingbird", package: "hummingbird", condition: .when(traits: ["Server"])),
        .product(name: "HummingbirdTLS", package: "hummingbird", condition: .when(traits: ["Server"])),
        .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["Server"])),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "mien-server",
      dependencies: [
        "MienAdaptation", "MienCommandLine", "MienModelOptions", "MienReports", "MienServer", "MienVision",
        .product(name: "ArgumentParser", package: "swift-argument-parser"), .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict, linkerSettings: searchPath("openvino")),

    // One test bundle holds them all, so one search path serves all.
    .testTarget(
      name: "MienCoreTests", dependencies: ["MienCore"], exclude: ["Fixtures"], swiftSettings: strict,
      linkerSettings: searchPath("openvino", "torch")),
    .target(
      name: "MienTestSupport", dependencies: ["MienCore", "MienONNX", "MienVision"], path: "Tests/MienTestSupport",
      swiftSettings: strict),
    .testTarget(name: "MienONNXTests", dependencies: ["MienONNX", "MienTestSupport"], swiftSettings: strict),
    .testTarget(
      name: "MienInferenceTests",
      dependencies: ["MienAdaptation", "MienEvaluation", "MienInference", "COpenVINO", "MienTestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "MienReportsTests", dependencies: ["MienReports", "MienRuns", "MienTestSupport"], swiftSettings: strict),
    .testTarget(
      name: "MienVisionTests",
      dependencies: ["MienReports", "MienVision", "CImageCodecs", "COpenCV", "CMienVideoFunctions", "MienTestSupport"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "MienDatasetsTests", dependencies: ["MienDatasets", "MienTestSupport", "MienVision"], swiftSettings: strict),
    .testTarget(name: "MienTorchTests", dependencies: ["MienTorch", "CTorch"], swiftSettings: strict),
    .testTarget(
      name: "MienTrainingTests",
      dependencies: ["MienTraining", "MienInference", "MienReports", "MienRuns", "MienTestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "MienServerTests",
      dependencies: [
        "MienAdaptation", "MienServer", "MienInference", "MienReports", "MienVision", "MienTestSupport",
        .product(name: "HummingbirdTesting", package: "hummingbird", condition: .when(traits: ["Server"])),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MienCommandTests",
      dependencies: [
        "MienCommandLine", "MienCore", "MienInference", "MienONNX", "MienServer", "MienTestSupport", "MienVision",
        "FaceTimeline", "mien", "mien-bench",
        "mien-train", "mien-server",
      ],
      exclude: ["Browser", "Servers"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
