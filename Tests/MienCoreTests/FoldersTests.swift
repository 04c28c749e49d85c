import Foundation
import MienCore
import Testing

@Suite struct FoldersTests {
  @Test func variablesOfOurOwnComeFirst() {
    let environment = [
      "MIEN_CACHE": "/a", "MIEN_PROFILES": "/b", "MIEN_RUNS": "/c", "XDG_CACHE_HOME": "/d", "XDG_CONFIG_HOME": "/e",
      "HOME": "/f",
    ]
    #expect(Folders.cache(environment).path == "/a")
    #expect(Folders.profiles(environment).path == "/b")
    #expect(Folders.runs(environment).path == "/c")
  }

  @Test func theXDGFoldersComeBeforeHome() {
    let environment = ["XDG_CACHE_HOME": "/d", "XDG_CONFIG_HOME": "/e", "HOME": "/f"]
    #expect(Folders.cache(environment).path == "/d/mien")
    #expect(Folders.profiles(environment).path == "/e/mien/profiles")
    #expect(Folders.runs(environment).path == "/f/mien-runs")
  }

  @Test(arguments: [["HOME": "/f"], ["HOME": "/f", "XDG_CACHE_HOME": "relative", "MIEN_CACHE": "", "MIEN_RUNS": ""]])
  func homeIsLastAndRelativeXDGPathsAreIgnored(environment: [String: String]) {
    #expect(Folders.cache(environment).path == "/f/.cache/mien")
    #expect(Folders.profiles(environment).path == "/f/.config/mien/profiles")
    #expect(Folders.runs(environment).path == "/f/mien-runs")
  }

  @Test func withoutHOMETheSystemIsAsked() { #expect(Folders.home([:]).path.hasPrefix("/")) }

  @Test func aFolderThatCannotBeMadeSaysWhy() throws {
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("mien-folders-\(UUID())")
    defer { try? FileManager.default.removeItem(at: place) }
    try Folders.make(place.appendingPathComponent("a/b"), mode: 0o700)
    try Folders.make(place.appendingPathComponent("a/b"))
    let file = place.appendingPathComponent("a/file")
    try Data().write(to: file)
    func message(_ folder: URL) throws -> String {
      try #require(#expect(throws: MienError.self) { try Folders.make(folder, remedy: "name another") }).message
    }
    #expect(
      try message(file) == "the folder cannot be made: a file of this name exists and is not a folder; name another")
    #expect(
      try message(file.appendingPathComponent("x/y"))
        == "the folder cannot be made: \(file.path) exists and is not a folder; name another")
    #expect(
      try message(URL(fileURLWithPath: "/proc/mien/x"))
        == "the folder cannot be made: No such file or directory; name another")
  }

  @Test func sizesReadWell() {
    let sizes = [0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 12_345: "12.3 kB", 999_949: "999.9 kB"]
    for (bytes, text) in sizes { #expect(Spelling.size(bytes) == text) }
    #expect(Spelling.size(999_950) == "1.0 MB" && Spelling.size(5_600_000_000) == "5.6 GB")
  }
}
