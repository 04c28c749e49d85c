import Foundation
import FoundationXML
import MienCore
import MienTestSupport
import MienVision
import Testing

/// `mien explain` as a user runs it.
@Suite(.serialized) struct ExplainCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func path(_ name: String) -> String { folder.file(name).path }

  private func document(_ data: Data) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test func mapsNeedAFolder() throws {
    let faces = try TrainingFiles.faces(in: folder)
    let outcome = try Command.mien("explain", faces, "--limit", "1", "--annotate", path("maps.png"))
    #expect(outcome.status == 64 && outcome.errors.contains("expected a folder"), "\(outcome.errors)")
    #expect(!FileManager.default.fileExists(atPath: path("maps.png")))
  }

  @Test func aSetIsExplainedByRegionAndFace() throws {
    let faces = try TrainingFiles.faces(in: folder)
    let outcome = try Command.mien(
      "explain", faces, "--limit", "5", "--json", path("e.json"), "--report", path("e.html"), "--annotate",
      path("maps"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("cheeks and chin") && outcome.output.contains("fixed fractions"))
    #expect(try String(contentsOf: folder.file("e.html"), encoding: .utf8).contains(">no support<"))
    let json = try document(Data(contentsOf: folder.file("e.json")))
    #expect(json["method"] as? String == "cam" && json["count"] as? Int == 5 && json["model"] as? String == "mien-s")
    let found = try #require(json["faces"] as? [[String: Any]])
    for face in found {
      let shares = try #require(face["regions"] as? [String: Double])
      #expect(shares.count == 6 && abs(shares.values.reduce(0, +) - 1) < 1e-6)
      #expect((face["falls"] as? [String: Double])?.count == 6)
    }
    let page = try XMLDocument(data: Data(contentsOf: folder.file("e.html")))
    let pictures = try page.nodes(forXPath: "//*[local-name()='img']").count
    #expect(pictures % 9 == 0 && pictures > 0, "a face and its eight maps each")
    let names = try FileManager.default.contentsOfDirectory(atPath: path("maps")).sorted()
    // The validation part: 21 faces of 70, as there is no test part.
    #expect(names.count == 5 && names.allSatisfy { $0.hasPrefix("face-") })
    let picture = try Image(contentsOf: folder.file("maps/\(names[0])"))
    #expect(picture.width == 192 && picture.height == 192 && picture.channels == 3)
    // A set is one whatever its name.
    try FileManager.default.copyItem(atPath: faces, toPath: path("faces"))
    let named = try Command.mien("explain", path("faces"), "--limit", "1", "--json", "-")
    #expect(named.status == 0, "\(named.errors)")
    let none = try Command.mien("explain", faces, "--split", "test")
    #expect(none.status == 1 && none.errors.contains("\(faces): no face in the split test"))
    // The same faces again, by another method.
    let again = try Command.mien("explain", faces, "--limit", "5", "--method", "occlusion", "--json", "-")
    let other = try document(Data(again.output.utf8))
    #expect(other["method"] as? String == "occlusion")
    #expect((other["faces"] as? [[String: Any]])?.map { $0["name"] as? String } == found.map { $0["name"] as? String })
  }

  @Test(.enabled(if: Sample.exists, "needs the sample photo")) func photosAreExplained() throws {
    try FileManager.default.copyItem(at: Sample.url, to: folder.file("a.png"))
    try Data("no picture".utf8).write(to: folder.file("b.png"))
    let outcome = try Command.mien(
      "explain", path("a.png"), path("b.png"), "--annotate", path("maps"), "--json", "-")
    #expect(outcome.status == 1 && outcome.errors.contains("b.png"))
    let json = try document(Data(outcome.output.utf8))
    let failed = try #require(json["failed"] as? [[String: String]])
    #expect(failed.count == 1 && failed[0]["file"] == path("b.png") && failed[0]["error"]?.isEmpty == false)
    let face = try #require((json["faces"] as? [[String: Any]])?.first)
    #expect(face["emotion"] as? String == "happiness" && face["name"] as? String == path("a.png"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: path("maps")) == ["1-a-1.png"])
  }

  @Test(.enabled(if: Sample.exists, "needs the sample photo"))
  func aMapThatCannotBeWrittenIsNamedAndTheFiguresStay() throws {
    try FileManager.default.copyItem(at: Sample.url, to: folder.file("a.png"))
    // A folder stands in the picture's place.
    try FileManager.default.createDirectory(at: folder.file("maps/1-a-1.png/x"), withIntermediateDirectories: true)
    let outcome = try Command.mien("explain", path("a.png"), "--annotate", path("maps"), "--json", path("e.json"))
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("\(path("maps/1-a-1.png")): could not be written"), "\(outcome.errors)")
    #expect(!outcome.errors.contains("\(path("a.png")):") && !outcome.output.contains("no face"))
    #expect(outcome.output.contains("happiness"), "\(outcome.output)")
    let json = try document(Data(contentsOf: folder.file("e.json")))
    #expect((json["faces"] as? [[String: Any]])?.count == 1 && (json["failed"] as? [Any])?.isEmpty != false)
  }

  @Test func aPhotoWithoutAFaceIsNamedOnce() throws {
    let grey = [UInt8](repeating: 128, count: 64 * 64)
    try Image(width: 64, height: 64, channels: 1, pixels: grey).write(to: folder.file("grey.png"))
    let outcome = try Command.mien("explain", path("grey.png"))
    #expect(outcome.status == 0 && outcome.errors.contains("\(path("grey.png")): no face"), "\(outcome)")
    #expect(!outcome.output.contains("no face"), "\(outcome)")
  }

  @Test func aRunIsExplainedByGradCAM() throws {
    let faces = try TrainingFiles.faces(in: folder)
    let trained = try Command.run(
      Command.mien.path,
      ["train", try TrainingFiles.recipe(in: folder), "--data", faces, "-o", path("run")] + TrainingFiles.settings)
    #expect(trained.status == 0)
    let outcome = try Command.mien(
      "explain", "--run", path("run"), faces, "--limit", "4", "--json", path("g.json"), "--report", path("g.html"),
      "--annotate", path("maps"))
    #expect(outcome.status == 0 && outcome.output.contains("share of the Grad-CAM map in"), "\(outcome.errors)")
    let json = try document(Data(contentsOf: folder.file("g.json")))
    #expect(json["method"] as? String == "gradcam" && json["model"] as? String == "levels")
    let found = try #require(json["faces"] as? [[String: Any]])
    #expect(found.count == 4 && found.allSatisfy { $0["falls"] == nil })
    #expect(try XMLDocument(data: Data(contentsOf: folder.file("g.html"))).rootElement() != nil)
    #expect(try FileManager.default.contentsOfDirectory(atPath: path("maps")).count == 4)
  }

  @Test func aPhotoThatIsMissingWasNotSearched() throws {
    let outcome = try Command.mien("explain", path("none.png"))
    #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome.output)")
    #expect(outcome.errors == "mien: error: \(path("none.png")): no such file\n")
  }

  @Test func optionsOfSetsAreNotForPhotos() throws {
    try Image(width: 48, height: 48, channels: 1, pixels: PixelGraph.face(1)).write(to: folder.file("p.png"))
    try PixelGraph.model().write(to: folder.file("pixels.onnx"))
    let arguments = [
      "explain", path("p.png"), "--model", path("pixels.onnx"), "--detector", "none", "--method", "occlusion",
    ]
    let both = try Command.run(Command.mien.path, arguments + ["--limit", "3", "--split", "test"])
    #expect(
      both.status == 0 && both.errors == "mien: warning: --split and --limit are for sets of faces\n", "\(both.errors)")
    let neither = try Command.run(Command.mien.path, arguments)
    #expect(neither.status == 0 && neither.errors.isEmpty, "\(neither.errors)")
  }

  @Test func wrongUseIsSaid() throws {
    let faces = try TrainingFiles.faces(in: folder)
    #expect(try Command.mien("explain").status == 64)
    let mixed = try Command.mien("explain", path("p.png"), faces)
    #expect(mixed.status == 64 && mixed.errors.contains("\(faces): is a set of faces, which is explained alone"))
    let read = try Command.mien("detect", faces)
    #expect(
      read.status == 1 && read.errors.contains("found a file of faces; `mien evaluate` and `mien explain` read those"),
      "\(read.errors)")
    let noRun = try Command.mien("explain", faces, "--method", "gradcam")
    #expect(noRun.status == 64 && noRun.errors.contains("--run"))
    #expect(try Command.mien("explain", faces, "--run", path("run"), "--method", "cam").status == 64)
    let labels = try Command.mien("explain", faces, "--labels", "ckplus48")
    #expect(
      labels.status == 64
        && labels.errors.contains("--labels ckplus48: expected ferplus or fer2013, the outputs of mien-s"),
      "\(labels.errors)")
    try PixelGraph.model().write(to: folder.file("pixels.onnx"))
    let none = try Command.mien("explain", faces, "--model", path("pixels.onnx"), "--method", "cam")
    #expect(
      none.status == 1 && none.errors.contains("\(path("pixels.onnx")): has no class activation maps"), "\(none.errors)"
    )
    // Of a photo, too, it is the model that has none.
    try Image(width: 48, height: 48, channels: 1, pixels: PixelGraph.face(1)).write(to: folder.file("p.png"))
    let photo = try Command.mien("explain", path("p.png"), "--model", path("pixels.onnx"), "--method", "cam")
    #expect(photo.status == 1 && photo.output.isEmpty, "\(photo.output)")
    #expect(
      photo.errors.hasPrefix("mien: error: \(path("pixels.onnx")): has no class activation maps"), "\(photo.errors)")
    let occluded = try Command.mien("explain", faces, "--model", path("pixels.onnx"), "--limit", "1")
    #expect(occluded.status == 0 && occluded.output.contains("occlusion map"), "\(occluded.errors)")
  }
}
