import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

@Suite
struct LiveFramesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func clip(_ count: Int) throws -> URL {
    let frame = [UInt8](repeating: 100, count: 32 * 32 * 3)
    let url = folder.file("clip.y4m")
    try DrawnClip.y4m(width: 32, height: 32, rate: 20, frames: (0..<count).map { _ in frame }).write(to: url)
    return url
  }

  @Test
  func whoIsSlowGetsTheNewestFrame() throws {
    let frames = try LiveFrames(contentsOf: clip(20))
    #expect(frames.width == 32 && frames.height == 32)
    var indices: [Int] = []
    while let frame = try frames.next() {
      indices.append(frame.index)
      Thread.sleep(forTimeInterval: 0.23)
    }
    #expect(indices == indices.sorted() && Set(indices).count == indices.count)
    #expect(indices.count < 20, "nothing was left out")
    #expect(try frames.next() == nil)
  }

  @Test
  func filesThatEndBadlyAndMissingCamerasAreNamed() throws {
    let whole = try Data(contentsOf: clip(3))
    try whole.prefix(200).write(to: folder.file("cut.y4m"))
    #expect(throws: MienError.self) {
      let frames = try LiveFrames(contentsOf: folder.file("cut.y4m"))
      while try frames.next() != nil {}
    }
    let error = #expect(throws: MienError.self) { try LiveFrames(camera: "987") }
    #expect(error?.subject == "camera 987")
    #expect(throws: MienError.self) { try LiveFrames(camera: "-1") }
  }

  @Test
  func withoutADisplayThereIsNoWindow() throws {
    let error = #expect(throws: MienError.self) { try FrameWindow(title: "test", environment: ["DISPLAY": ""]) }
    #expect(error?.message.contains("no display") == true)
    _ = try FrameWindow(title: "test", environment: ["WAYLAND_DISPLAY": "wayland-0"])
  }
}
