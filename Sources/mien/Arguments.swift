public import ArgumentParser
public import MienCore
import MienDatasets
import MienEvaluation

// Choices of the libraries that options take by name.
extension Evaluation.Averaging: ExpressibleByArgument {}
extension FaceGrouping: ExpressibleByArgument {}
extension FaceSetAudit.Copies: ExpressibleByArgument {}
