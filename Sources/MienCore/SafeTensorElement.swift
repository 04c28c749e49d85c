/// A Swift number type that safetensors can hold.
public protocol SafeTensorElement: BitwiseCopyable, Sendable {
  /// The format's name for it.
  static var safeTensorType: SafeTensors.ElementType { get }
}

extension UInt8: SafeTensorElement {
  /// The format's name for an unsigned byte.
  public static var safeTensorType: SafeTensors.ElementType { .u8 }
}

extension Int8: SafeTensorElement {
  /// The format's name for a signed byte.
  public static var safeTensorType: SafeTensors.ElementType { .i8 }
}

extension Int32: SafeTensorElement {
  /// The format's name for a 32-bit integer.
  public static var safeTensorType: SafeTensors.ElementType { .i32 }
}

extension Int64: SafeTensorElement {
  /// The format's name for a 64-bit integer.
  public static var safeTensorType: SafeTensors.ElementType { .i64 }
}

extension Float: SafeTensorElement {
  /// The format's name for a 32-bit float.
  public static var safeTensorType: SafeTensors.ElementType { .f32 }
}

extension Double: SafeTensorElement {
  /// The format's name for a 64-bit float.
  public static var safeTensorType: SafeTensors.ElementType { .f64 }
}
