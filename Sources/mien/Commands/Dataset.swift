import ArgumentParser

/// `mien dataset`: data sets of faces.
struct Dataset: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes and inspects sets of labelled faces.",
    subcommands: [
      DatasetImport.self, DatasetInspect.self, DatasetAudit.self, DatasetBalance.self, DatasetExtract.self,
      DatasetSplit.self,
    ])
}
