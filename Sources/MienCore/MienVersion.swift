import Foundation

/// The version of Mien: the one place that says it.
package enum MienVersion {
  /// The version, by semantic versioning.
  package static let number = "0.1.0"

  /// The commit that an installed program was built from, as `git describe` names it; `nil` in a build for development.
  ///
  /// `scripts/install.sh` writes it to `lib/mien/commit` beside the folder of the programs.
  package static var commit: String? {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    let file = program.deletingLastPathComponent().appendingPathComponent("lib/mien/commit")
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
    let line = text.prefix { !$0.isNewline }.trimmingCharacters(in: .whitespaces)
    return line.isEmpty ? nil : line
  }

  /// `0.1.0`, with the commit if it is known.
  package static var text: String { commit.map { "\(number) (\($0))" } ?? number }
}
