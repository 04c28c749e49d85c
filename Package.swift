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
    .executable(name: "mien", targets: ["mien"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
  ],
  targets: [
    .target(name: "MienCore", swiftSettings: strict),
    .target(name: "MienDatasets", dependencies: ["MienCore"], swiftSettings: strict),
    .executableTarget(
      name: "mien",
      dependencies: [
        "MienCore", "MienDatasets", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MienCoreTests", dependencies: ["MienCore"], exclude: ["Fixtures"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
