import Foundation
import MienCore
import MienReports
import Testing

@Suite struct AuditPageTests {
  /// Faces 0 and 1 alike in one split; 2 and 3 alike in two splits with labels that differ; 4 and 5 blank and alike.
  private func audit(copies: FaceSetAudit.Copies = .near) throws -> FaceSetAudit {
    let labels: [Emotion] = [.anger, .anger, .fear, .happiness, .neutral, .neutral]
    let splits: [Split] = [.train, .train, .train, .test, .train, .train]
    let faces = try FaceSet(
      source: "own", labelSet: .fer2013, height: 4, width: 4, channels: 1,
      rows: zip(labels, splits).enumerated().map { index, row in
        .init(label: row.0, split: row.1, subject: index == 3 ? "<Ann & Bo>" : nil, sourceRow: 100 + index)
      }, pixels: Data((0..<6).flatMap { [UInt8](repeating: UInt8($0 * 10), count: 16) }))
    let groups = [[0, 1], [2, 3], [4, 5]].map { FaceSetAudit.Group($0, of: faces, isExact: $0[0] != 2) }
    return FaceSetAudit(
      faces, copies: copies, exactGroups: groups.filter(\.isExact), groups: groups, blank: [4, 5],
      sharedSubjects: ["<Ann & Bo>"], sharedSequences: [],
      classes: [.init(split: .train, counts: [(.anger, 2), (.fear, 1)], unlabelled: 0, imbalance: 2)])
  }

  @Test func groupsStandBelowTheirCountsTheWorstFirst() throws {
    let page = try AuditPage(audit()).report(of: "faces.safetensors", command: "mien dataset audit faces").html
    let markup = try Markup(page)
    let figures = markup.all("data").map(\.text)
    #expect(figures == ["3", "6", "1", "1", "2"])
    let groups = markup.all("div", class: "group").map { $0.classes.dropFirst().joined(separator: " ") }
    #expect(groups == ["is-near is-across-splits is-labels-differ", "is-exact", "is-blank"])
    // Blank pictures stand once, in their own section.
    // The findings count their group, the filters do not.
    #expect(markup.all("p", class: "note").map(\.text).contains { $0.contains("count one more group: blank pictures") })
    #expect(markup.all("img").count == 6 && markup.texts("h2").contains("Blank pictures"))
    #expect(page.contains("row 103<br/>test<br/>happiness<br/>&lt;Ann &amp; Bo&gt;") && !page.contains("<Ann"))
    #expect(markup.texts("dd").contains("1 (<Ann & Bo>)") && page.contains("mien dataset audit faces"))
  }

  @Test func aFilterForEachKindNeedsNoScript() throws {
    let page = try AuditPage(audit()).report(of: "faces.safetensors", command: "c").html
    let markup = try Markup(page)
    #expect(
      markup.texts("label") == ["all (2)", "exact (1)", "near (1)", "across splits (1)", "labels differ (1)"])
    let buttons = markup.all("input")
    #expect(buttons.count == 5 && buttons.allSatisfy { $0.attributes["type"] == "radio" })
    #expect(buttons.filter { $0.attributes["checked"] != nil }.compactMap { $0.attributes["id"] } == ["filter-0"])
    #expect(page.contains("#filter-2:checked~.groups .group:not(.is-near){display:none}"))
    #expect(markup.all("script").isEmpty)
  }

  @Test func theTableSaysTheSame() throws {
    let lines = try AuditTable(audit()).lines.joined(separator: "\n")
    #expect(lines.hasPrefix("6 faces of 4x4 (3 train)"))
    #expect(lines.contains("groups across splits") && lines.contains("blank pictures               2  (rows 104, 105)"))
    #expect(lines.contains("people in several splits     1 (<Ann & Bo>)"))
    #expect(lines.contains("sequences in several splits  unknown"))
    #expect(lines.contains("largest to smallest") && !lines.contains("a class has no face"))
  }

  @Test func aSetWithoutCopiesHasNoGroups() throws {
    let faces = try Samples.faces(count: 7)
    let clean = FaceSetAudit(
      faces, copies: .exact, exactGroups: [], groups: [], blank: [], sharedSubjects: [], sharedSequences: [],
      classes: [])
    let page = try AuditPage(clean).report(of: "faces.safetensors", command: "c")
    // What a finding would mean is not said where there is none.
    #expect(!page.html.contains("a label is wrong") && !page.html.contains("measured on what it was trained on"))
    // What was searched for is said also if nothing was found.
    #expect(page.html.contains("exact; near copies were not searched for"))
    #expect(try !AuditPage(audit()).report(of: "f", command: "c").html.contains("were not searched for"))
    let lacking = FaceSetAudit(
      faces, copies: .exact, exactGroups: [], groups: [], blank: [], sharedSubjects: [], sharedSequences: [],
      classes: [.init(split: .train, counts: [(.anger, 7)], unlabelled: 0, imbalance: nil)])
    #expect(AuditTable(lacking).lines.last?.hasSuffix("- : a class has no face in this part") == true)
    #expect(page.sections.map(\.title) == ["Findings", "Classes", "Environment"])
    #expect(!page.html.contains("blank pictures, which"))
    _ = try Markup(page.html)
  }
}
