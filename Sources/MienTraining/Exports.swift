// The modules whose types this one's API takes and returns, `@TorchActor` among them: a client that imports MienTraining has
// them too.
@_exported public import MienCore
@_exported public import MienModels
@_exported public import MienONNX
@_exported public import MienRuns
@_exported public import MienTorch
