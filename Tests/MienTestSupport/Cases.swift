package import Foundation

/// Small inputs for faults that users have reported, in `cases` beside the checkout: a folder for each topic, and
/// `truth.json` with what is right for each file.
package enum Cases {
  /// Whether they are there.
  package static let exist = Shared.has("cases/truth.json")
  /// Why tests of them are skipped.
  package static let missing = "../shared/cases is not here"

  /// A file or folder among them, as `folders/litter`.
  package static func url(_ path: String) -> URL { Shared.url("cases/\(path)") }

  /// What lies in the folder of a topic, as `folders/litter`, in order; nothing if the cases are not there.
  package static func paths(in topic: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url(topic).path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted().map { "\(topic)/\($0)" }
  }

  /// What `truth.json` says of a file or folder; empty if nothing.
  package static func truth(of path: String) -> [String: Any] {
    guard let data = try? Data(contentsOf: url("truth.json")),
      let all = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { return [:] }
    return all[path] as? [String: Any] ?? [:]
  }
}
