// Architectures are made of MienTorch's layers: a client that imports MienModels has them too.
@_exported public import MienTorch
