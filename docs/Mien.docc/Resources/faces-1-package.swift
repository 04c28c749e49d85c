// swift-tools-version: 6.2
import PackageDescription

// A package of one's own that reads videos with Mien. `scripts/build-example.sh` in Mien's folder builds it.
let package = Package(
  name: "FaceTimeline",
  dependencies: [.package(name: "mien", path: "../..")],
  targets: [
    .executableTarget(
      name: "FaceTimeline",
      dependencies: [
        .product(name: "MienInference", package: "mien"),
        // Reads videos.
        .product(name: "MienVideoShim", package: "mien"),
      ],
      // Where OpenVINO is: here in the folder that Mien's `make setup` links.
      linkerSettings: [
        .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../../../../../.native/openvino"])
      ])
  ],
  swiftLanguageModes: [.v6]
)
