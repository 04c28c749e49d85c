// The modules whose types this one's API takes and returns: a client that imports MienInference has them too.
@_exported public import MienCore
@_exported public import MienONNX
@_exported public import MienVision
