package import Foundation
package import MienVision

/// A picture of `../shared/cases` with what `truth.json` says of it. A new file there is a new case.
package struct PictureCase: Sendable {
  /// Path below the cases' folder.
  package let file: String
  /// Size of the whole picture, upright; of the first page where there are several.
  package let width: Int
  package let height: Int
  /// The faces' boxes.
  package let faces: [Box]

  /// The file.
  package var url: URL { Shared.url("cases/\(file)") }
  /// The file's name.
  package var name: String { url.lastPathComponent }

  /// Whether the cases are there.
  package static var exist: Bool { Shared.has("cases/truth.json") }

  /// The cases of a folder, sorted by name; none where there are no cases.
  package static func all(in folder: String) throws -> [PictureCase] {
    guard exist else { return [] }
    let truth = try JSONSerialization.jsonObject(with: Data(contentsOf: Shared.url("cases/truth.json")))
    let entries = (truth as? [String: [String: Any]] ?? [:]).filter { $0.key.hasPrefix(folder + "/") }
    return entries.sorted { $0.key < $1.key }.compactMap { file, entry in
      let entry = (entry["whole"] as? [String: Any]) ?? (entry["pages"] as? [[String: Any]])?.first ?? entry
      guard let width = entry["width"] as? Int, let height = entry["height"] as? Int else { return nil }
      let faces = (entry["faces"] as? [[Int]] ?? []).filter { $0.count == 4 }
      return PictureCase(
        file: file, width: width, height: height,
        faces: faces.map { Box(x: $0[0], y: $0[1], width: $0[2], height: $0[3]) })
    }
  }
}
