import Foundation
import Glibc
import MienCore
import Testing

@Suite struct AtomicFileTargetTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("mien-atomic-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  @Test func linkStaysAndItsTargetIsReplaced() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (file, link) = (folder.appendingPathComponent("file"), folder.appendingPathComponent("link"))
    try Data("old".utf8).write(to: file)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
    try AtomicFile.write(Data("new".utf8), to: link)
    #expect(try Data(contentsOf: file) == Data("new".utf8))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == file.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["file", "link"])
  }

  @Test func longNamesAndPrivateFilesAreWritten() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(String(repeating: "漢", count: 84))
    try Data("old".utf8).write(to: file)
    #expect(chmod(file.path, 0o600) == 0)
    try AtomicFile.write(Data("new".utf8), to: file)
    #expect(try Data(contentsOf: file) == Data("new".utf8))
    var status = stat()
    #expect(stat(file.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
  }

  @Test func writersOfOneFileDoNotMeet() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("file")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in UInt8(0)..<32 {
        group.addTask { try AtomicFile.write(Data(repeating: number, count: 1 << 18), to: file) }
      }
      try await group.waitForAll()
    }
    let written = try Data(contentsOf: file)
    #expect(written.count == 1 << 18 && Set(written).count == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
  }

  /// A run as root with `--json /dev/null` must not put a file in the device's place.
  @Test func pipesAndDevicesAreWrittenToAndStay() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let pipe = folder.appendingPathComponent("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    let reader = open(pipe.path, O_RDWR)
    defer { close(reader) }
    try AtomicFile.write(Data("text".utf8), to: pipe)
    var bytes = [UInt8](repeating: 0, count: 8)
    #expect(read(reader, &bytes, 8) == 4)
    #expect(bytes.prefix(4).elementsEqual("text".utf8))
    var status = stat()
    #expect(stat(pipe.path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
  }

  @Test func whatCannotBeWrittenIsKnownBefore() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("file")
    try AtomicFile.checkWritable(file)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    try Data().write(to: file)
    try AtomicFile.checkWritable(file)
    try AtomicFile.checkWritable(URL(fileURLWithPath: "/dev/null"))
    for bad in [folder, folder.appendingPathComponent("no/such"), file.appendingPathComponent("inside")] {
      let error = #expect(throws: MienError.self) { try AtomicFile.checkWritable(bad) }
      #expect(error?.kind == .file && error?.subject == bad.path)
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere")) func aFolderWithoutPermissionIsKnownBefore() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    chmod(folder.path, 0o500)
    #expect(throws: MienError.self) { try AtomicFile.checkWritable(folder.appendingPathComponent("new")) }
    chmod(folder.path, 0o700)
  }

  @Test func failureNamesTheFileAndLeavesNothing() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let error = #expect(throws: MienError.self) { try AtomicFile.write(Data(), to: folder) }
    #expect(error?.kind == .file && error?.subject == folder.path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    let missing = folder.appendingPathComponent("no/such")
    #expect(throws: MienError.self) { try AtomicFile.write(Data(), to: missing) }
  }
}
