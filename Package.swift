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
  ],
  targets: [
    .target(name: "MienCore", swiftSettings: strict),
    .testTarget(name: "MienCoreTests", dependencies: ["MienCore"], swiftSettings: strict),
    .systemLibrary(name: "CSystemOpenCV", pkgConfig: "mien-opencv"),
    .target(name: "COpenCV", dependencies: ["CSystemOpenCV"]),
    .target(name: "MienVision", dependencies: ["MienCore", "COpenCV"], swiftSettings: strict),
    .testTarget(
      name: "MienVisionTests", dependencies: ["MienCore", "MienVision", "COpenCV"], exclude: ["Fixtures"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
