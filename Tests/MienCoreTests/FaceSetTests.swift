import Foundation
import MienCore
import Testing

@Suite struct FaceSetTests {
  @Test func majorityDropsSingleVotesAndNeedsMoreThanHalf() {
    // neutral happiness surprise sadness anger disgust fear contempt unknown not-a-face
    #expect(FERPlus.majority([4, 0, 0, 1, 3, 2, 0, 0, 0, 0]) == nil)
    #expect(FERPlus.majority([6, 0, 1, 1, 0, 0, 0, 0, 2, 0]) == .neutral)
    #expect(FERPlus.majority([5, 0, 0, 0, 0, 0, 0, 0, 5, 0]) == nil)
    #expect(FERPlus.majority([0, 0, 0, 0, 0, 0, 0, 0, 0, 10]) == nil)
    #expect(FERPlus.majority([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) == nil)
  }

  @Test func writtenSetReadsBackEqual() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("mien-\(UUID()).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    let rows: [FaceSet.Row] = [
      .init(
        label: .anger, split: .train, votes: [0, 0, 0, 0, 9, 0, 0, 0, 1, 0], subject: "S2", sequence: "S2_1",
        sourceRow: 0),
      .init(label: nil, split: .validation, votes: nil, subject: nil, sequence: nil, sourceRow: 1),
      .init(
        label: .neutral, split: .test, votes: [9, 0, 0, 0, 0, 0, 0, 1, 0, 0], subject: "S1", sequence: "S1_1",
        sourceRow: 7),
    ]
    let pixels = Data((0..<36).map { UInt8($0 * 7) })
    let set = try FaceSet(
      source: "mine", labelSet: .fer2013, height: 4, width: 3, channels: 1, rows: rows, pixels: pixels)
    try set.write(to: url)
    let back = try FaceSet(contentsOf: url)
    #expect(back.count == 3)
    #expect(back.info == set.info)
    for index in rows.indices { #expect(back[index] == rows[index]) }
    #expect(back.face(at: 2) == [UInt8](pixels[24..<36]))
    #expect(try back.labelled(back.labelSource(named: "ferplus"), in: nil).map(\.index) == [0, 2])
    let unknown = #expect(throws: MienError.self) { try back.labelSource(named: "emotions") }
    #expect(
      unknown?.description == "labels emotions: expected \(back.labelSet.name) or ferplus, the labels of this set")
  }
}
