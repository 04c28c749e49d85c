import Foundation
import MienCore
import MienTestSupport
import MienVision
import Testing

/// The videos that users report, read: `../shared/cases/README.md` says what each is and what is right. Each file that
/// `truth.json` describes is a case.
@Suite(.enabled(if: Cases.exist, "\(Cases.missing)"))
struct VideoCaseTests {
  static let videos = ["video-rotation", "video-streams"].flatMap(Cases.paths).filter {
    Cases.truth(of: $0)["frames"] != nil
  }

  /// What is said of files with faults, by the start of their names.
  static let faults = [
    "bit-rot": "is damaged", "lost-block": "is damaged", "stream.h264": "H.264", "stream.mjpeg": "Motion JPEG",
  ]
  static let ends = ["index-at-start-cut": "truncated", "pieces-cut": "truncated", "index-at-end-cut": "moov"]

  @Test(arguments: videos) func everyFrameIsReadAtItsTime(path: String) throws {
    let (url, truth) = (Cases.url(path), Cases.truth(of: path))
    func phrase(_ words: [String: String]) -> String? { words.first { url.lastPathComponent.hasPrefix($0.key) }?.value }
    var times: [Double] = []
    var problem: MienError?
    do {
      let reader = try VideoReader(contentsOf: url)
      if let width = truth["width"] as? Int {
        #expect(reader.width == width && reader.height == truth["height"] as? Int)
      }
      do { while let frame = try reader.next() { times.append(frame.seconds) } } catch let error as MienError {
        problem = error
      }
      let said = reader.warnings.joined(separator: "; ")
      if let word = phrase(Self.faults) { #expect(said.contains(word)) } else { #expect(said.isEmpty, "\(said)") }
    } catch let error as MienError {
      problem = error
    }
    if let word = phrase(Self.ends) {
      #expect(problem?.message.contains(word) == true)
    } else {
      #expect(problem == nil)
    }
    #expect(times.count == truth["frames"] as? Int)
    guard let list = try? String(contentsOf: url.appendingPathExtension("pts.txt"), encoding: .utf8) else { return }
    let expected = list.split { $0.isWhitespace }.compactMap { Double($0) }
    #expect(times.count == expected.count)
    for (found, wanted) in zip(times, expected) { #expect(abs(found - (wanted - expected[0])) < 0.0015) }
  }

  @Test func phoneClipsLookAsTheirUprightCopyDoes() throws {
    let clips = Cases.paths(in: "video-rotation")
    func picture(_ path: String) throws -> [Double] {
      let reader = try VideoReader(contentsOf: Cases.url(path))
      for _ in 0..<10 { _ = try reader.skip() }
      return try #require(try reader.next()).image.grey.pixels.map(Double.init)
    }
    func correlation(_ a: [Double], _ b: [Double]) -> Double {
      let (meanA, meanB) = (a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count))
      let products = zip(a, b).map { ($0 - meanA) * ($1 - meanB) }.reduce(0, +)
      let squares = [(a, meanA), (b, meanB)].map { values, mean in
        values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      }
      return products / (squares[0] * squares[1]).squareRoot()
    }
    let upright = try picture("video-rotation/upright.mp4")
    for clip in clips { #expect(try correlation(picture(clip), upright) > 0.9, "\(clip)") }
  }

  @Test func coloursOfHDRAreThoseOfTheReference() throws {
    func saturation(_ path: String) throws -> Double {
      let reader = try VideoReader(contentsOf: Cases.url(path))
      let image = try #require(try reader.next(notBefore: 1)).image
      let shares = (0..<(image.width * image.height)).map { pixel in
        let samples = image.pixels[(3 * pixel)..<(3 * pixel + 3)].map(Double.init)
        let largest = samples.max() ?? 0
        return largest > 0 ? (largest - (samples.min() ?? 0)) / largest : 0
      }
      return shares.reduce(0, +) / Double(shares.count)
    }
    let ratio = try saturation("video-streams/hevc-10bit-hlg.mp4") / saturation("video-streams/reference.mp4")
    #expect(ratio > 0.85 && ratio < 1.15, "\(ratio)")
  }
}
