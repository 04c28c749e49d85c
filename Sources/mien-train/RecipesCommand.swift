import ArgumentParser
import Foundation
import MienCommandLine
import MienCore
import MienTraining

/// `mien recipes [NAME]`: the recipes inside the program.
struct RecipesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: ExternalCommand.recipes.rawValue, abstract: ExternalCommand.recipes.abstract,
    discussion: """
      `mien train NAME` trains by one. To change one for good: `mien recipes NAME >mine.yaml`, then \
      `mien train mine.yaml`.
      """)

  @Argument(
    help: ArgumentHelp("The recipe to show as YAML, with its comments.", valueName: "name"),
    completion: .list(RecipeFile.builtInNames))
  var name: String?

  func run() throws {
    if let name {
      guard let text = RecipeFile.builtInText(name) else {
        let isFile = FileManager.default.fileExists(atPath: name)
        throw MienError(
          .argument, name,
          "\(isFile ? "is a file, expected the name of a" : "no such") built-in recipe; "
            + RecipeFile.builtInList(for: name))
      }
      return try Console.print(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
    let names = RecipeFile.builtInNames
    let width = names.map(\.count).max() ?? 0
    for name in names {
      let summary = try RecipeFile.builtIn(name).summary
      try Console.print(name + String(repeating: " ", count: width - name.count) + "  " + summary)
    }
  }
}
