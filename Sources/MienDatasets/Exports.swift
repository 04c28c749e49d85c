// FaceSets, which importers make, are MienCore's: a client that imports MienDatasets has them too.
@_exported public import MienCore
