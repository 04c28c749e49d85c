// swift-tools-version: 6.2
import PackageDescription

// A package of someone else that depends on Mien as a program would: `scripts/test-client.sh` in Mien's folder builds and
// runs it. With MIEN_CLIENT_REPOSITORY it depends on Mien by version, from that repository; else by path.
let repository = Context.environment["MIEN_CLIENT_REPOSITORY"]
/// Where `scripts/setup.sh training --prefix DIR` put the native libraries, or Mien's own `.native`.
let native = (Context.environment["MIEN_CLIENT_LIBRARIES"] ?? "\(Context.packageDirectory)/../../.native")
  .split(separator: ":").map(String.init)

let package = Package(
  name: "client",
  dependencies: [
    repository.map { .package(url: $0, from: "0.1.0") } ?? .package(name: "mien", path: "../.."),
    // Other ranges than Mien's.
    .package(url: "https://github.com/apple/swift-argument-parser", "1.3.0"..<"1.9.0"),
    .package(url: "https://github.com/apple/swift-protobuf", .upToNextMinor(from: "1.39.0")),
    .package(url: "https://github.com/jpsim/Yams", .upToNextMajor(from: "6.0.0")),
  ],
  targets: [
    .executableTarget(
      name: "Client",
      dependencies: [
        .product(name: "MienEvaluation", package: "mien"), .product(name: "MienInference", package: "mien"),
        .product(name: "MienTraining", package: "mien"),
        .product(name: "MienVideoShim", package: "mien"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"), .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: [
        .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("MemberImportVisibility"),
      ],
      linkerSettings: native.map { folder in
        .unsafeFlags([
          "-Xlinker", "-rpath", "-Xlinker", "\(folder)/openvino", "-Xlinker", "-rpath", "-Xlinker", "\(folder)/torch",
        ])
      })
  ],
  swiftLanguageModes: [.v6]
)
