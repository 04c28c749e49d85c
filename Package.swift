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
    .library(name: "MienVision", targets: ["MienVision"]),
    .library(name: "MienInference", targets: ["MienInference"]),
    .executable(name: "mien", targets: ["mien"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
  ],
  targets: [
    .target(name: "MienCore", swiftSettings: strict),
    .testTarget(
      name: "MienCoreTests", dependencies: ["MienCore"], exclude: ["Fixtures"], swiftSettings: strict),

    .target(
      name: "MienONNX",
      dependencies: ["MienCore", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["onnx-subset.proto"],
      swiftSettings: strict),
    .testTarget(name: "MienONNXTests", dependencies: ["MienONNX"], swiftSettings: strict),

    .systemLibrary(name: "CSystemOpenCV", pkgConfig: "mien-opencv"),
    .target(name: "COpenCV", dependencies: ["CSystemOpenCV"]),
    .target(name: "MienVision", dependencies: ["MienCore", "COpenCV"], swiftSettings: strict),
    .testTarget(
      name: "MienVisionTests", dependencies: ["MienCore", "MienVision", "COpenCV"], exclude: ["Fixtures"],
      swiftSettings: strict, linkerSettings: searchPath("openvino")),

    .target(name: "MienDatasets", dependencies: ["MienCore", "MienVision"], swiftSettings: strict),
    .testTarget(
      name: "MienDatasetsTests", dependencies: ["MienCore", "MienDatasets", "MienVision"], swiftSettings: strict),
    .target(name: "MienReports", dependencies: ["MienCore"], swiftSettings: strict),
    .testTarget(name: "MienReportsTests", dependencies: ["MienCore", "MienReports"], swiftSettings: strict),

    .systemLibrary(name: "CSystemOpenVINO", pkgConfig: "mien-openvino"),
    .target(name: "COpenVINO", dependencies: ["CSystemOpenVINO"]),
    .target(name: "CMienDefaultModel"),
    .target(
      name: "MienInference",
      dependencies: ["MienVision", "MienONNX", "COpenVINO", "CMienDefaultModel"],
      swiftSettings: strict),
    .testTarget(
      name: "MienInferenceTests", dependencies: ["MienInference", "COpenVINO"], swiftSettings: strict,
      linkerSettings: searchPath("openvino")),

    .executableTarget(
      name: "mien",
      dependencies: [
        "MienDatasets", "MienInference", "MienONNX", "MienReports",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict, linkerSettings: searchPath("openvino")),
    .testTarget(
      name: "MienCommandTests", dependencies: ["MienCore", "MienONNX", "MienVision", "mien"], swiftSettings: strict,
      linkerSettings: searchPath("openvino")),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
