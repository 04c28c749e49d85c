// swift-tools-version: 6.2
import PackageDescription

/// Swift settings that every target shares: dependencies stay internal unless said otherwise.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
  name: "mien",
  products: [
    .library(name: "MienCore", targets: ["MienCore"]),
    .library(name: "MienVision", targets: ["MienVision"]),
    .executable(name: "mien", targets: ["mien"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
  ],
  targets: [
    .target(name: "MienCore", swiftSettings: strict),
    .testTarget(
      name: "MienCoreTests", dependencies: ["MienCore"], exclude: ["Fixtures"], swiftSettings: strict),
    .systemLibrary(name: "CSystemOpenCV", pkgConfig: "mien-opencv"),
    .target(name: "COpenCV", dependencies: ["CSystemOpenCV"]),
    .target(name: "MienVision", dependencies: ["MienCore", "COpenCV"], swiftSettings: strict),
    .testTarget(
      name: "MienVisionTests", dependencies: ["MienCore", "MienVision", "COpenCV"], exclude: ["Fixtures"],
      swiftSettings: strict),
    .target(name: "MienDatasets", dependencies: ["MienCore", "MienVision"], swiftSettings: strict),
    .testTarget(
      name: "MienDatasetsTests", dependencies: ["MienCore", "MienDatasets", "MienVision"], swiftSettings: strict),
    .target(name: "MienReports", dependencies: ["MienCore"], swiftSettings: strict),
    .testTarget(name: "MienReportsTests", dependencies: ["MienCore", "MienReports"], swiftSettings: strict),
    .executableTarget(
      name: "mien",
      dependencies: [
        "MienCore", "MienDatasets", "MienReports",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(name: "MienCommandTests", dependencies: ["MienCore", "mien"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
