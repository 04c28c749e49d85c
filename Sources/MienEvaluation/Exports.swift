// A client that imports this module has the types that its API takes and returns.
@_exported public import MienInference
