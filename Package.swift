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
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
  ],
  targets: [
    .target(name: "MienCore", swiftSettings: strict),
    .testTarget(name: "MienCoreTests", dependencies: ["MienCore"], swiftSettings: strict),

    .target(
      name: "MienONNX",
      dependencies: ["MienCore", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["onnx-subset.proto"],
      swiftSettings: strict),
    .testTarget(name: "MienONNXTests", dependencies: ["MienONNX"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx20
)
