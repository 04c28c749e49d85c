public import MienCore

/// An audit's groups of copies side by side, with counts and a filter.
public struct AuditPage: Sendable {
  /// The most groups shown: those whose labels differ come first, then those across splits.
  public static let maximumGroups = 400
  /// The most faces shown of a group.
  public static let maximumFaces = 24

  private let audit: FaceSetAudit

  /// Shows `audit`.
  public init(_ audit: FaceSetAudit) { self.audit = audit }

  /// The page.
  ///
  /// - Parameters:
  ///   - file: the name of the file with the faces.
  ///   - command: the command that made it.
  /// - Throws: ``MienError`` if a face cannot be written as a picture.
  public func report(of file: String, command: String) throws -> Report {
    let faces = audit.faces
    let report = FaceSetReport(faces)
    return Report(
      title: "Audit of \(file)", subtitle: report.summary,
      sections: [
        findings, try copies(),
        audit.blank.isEmpty
          ? nil
          : ReportSection(
            title: "Blank pictures",
            blocks: [
              .text("Pictures of one grey, or nearly so."),
              .groups([try group(["blank"], audit.blank)], filters: []),
            ]),
        ReportSection(title: "Classes", blocks: report.charts(.own).map { .chart($0, isTitled: false, caption: nil) }),
        .environment(.current(), [.init("command", command)]),
      ])
  }

  private var findings: ReportSection {
    let counts = audit.copies == .near ? audit.allCounts : audit.exactCounts
    func figure(_ name: String, _ value: Int, _ detail: String) -> ReportBlock.Figure {
      // What a finding means says nothing where there is none.
      .init(name: name, value: Double(value), text: value.grouped, detail: value > 0 ? detail : "")
    }
    return ReportSection(
      title: "Findings",
      blocks: [
        .figures([
          .init(
            name: "groups of copies", value: Double(counts.groups), text: counts.groups.grouped,
            detail: audit.copies == .near ? "exact or near" : "exact; near copies were not searched for"),
          figure("faces in them", counts.faces, "of \(audit.faces.count.grouped)"),
          figure("groups across splits", counts.acrossSplits, "a model is measured on what it was trained on"),
          figure(
            "groups whose labels differ", counts.conflicting,
            audit.copies == .near ? "a label is wrong, or they only look alike" : "at least one label is wrong"),
          figure("blank pictures", audit.blank.count, ""),
        ]),
        .facts([
          .init("people in several splits", AuditTable.people(audit, shown: 20)),
          .init("sequences in several splits", AuditTable.sequences(audit, shown: 20)),
        ]),
        .note("`mien dataset audit --fix` writes a set without what is found here; `--json` lists all of it."),
      ])
  }

  private func copies() throws -> ReportSection? {
    let blank = Set(audit.blank)
    let groups = audit.groups.filter { !$0.faces.allSatisfy(blank.contains) }
    guard !groups.isEmpty else { return nil }
    let sorted = groups.enumerated().sorted { a, b in
      (severity(b.element), a.offset) < (severity(a.element), b.offset)
    }.map(\.element)
    let shown = sorted.prefix(Self.maximumGroups)
    let left = groups.count - shown.count
    let blankGroups = audit.groups.count - groups.count
    let filters: [(name: String, test: (FaceSetAudit.Group) -> Bool)] = [
      ("exact", { $0.isExact }), ("near", { !$0.isExact }), ("across splits", { $0.isAcrossSplits }),
      ("labels differ", { $0.hasConflict }),
    ]
    return ReportSection(
      title: "Copies",
      blocks: [
        .text(
          "Exact copies are equal pixel for pixel. Near copies are alike but for brightness, contrast, small marks or a shift "
            + "of a pixel: mostly the same photograph, but frames of one video can be as alike. Groups whose labels differ come first, then groups across splits."
        ),
        left > 0
          ? .note(
            "The first \(shown.count.grouped) of \(groups.count.grouped) groups are shown; the filters choose among these."
          )
          : nil,
        blankGroups > 0
          ? .note(
            blankGroups == 1
              ? "The findings count one more group: blank pictures, which are shown below."
              : "The findings count \(blankGroups.grouped) more groups: blank pictures, which are shown below.")
          : nil,
        .groups(
          try shown.map { found in
            try group(filters.filter { $0.test(found) }.map(\.name), found.faces)
          }, filters: filters.map(\.name)),
      ])
  }

  private func severity(_ group: FaceSetAudit.Group) -> Int {
    (group.hasConflict ? 2 : 0) + (group.isAcrossSplits ? 1 : 0)
  }

  private func group(_ marks: [String], _ indices: [Int]) throws -> PictureGroup {
    let faces = audit.faces
    let pictures = try indices.prefix(Self.maximumFaces).map { index in
      let face = faces[index]
      let png = try PNG.encoded(
        width: faces.width, height: faces.height, channels: faces.channels, pixels: faces.face(at: index))
      return PictureGroup.Picture(
        png: png,
        caption: ["row \(face.sourceRow)", face.split.rawValue, face.label?.rawValue ?? "no label"]
          + (face.subject.map { [$0] } ?? []))
    }
    return PictureGroup(marks: marks, pictures: pictures, leftOut: indices.count - pictures.count)
  }
}
