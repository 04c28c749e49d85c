import Glibc
import MienCore

/// The factor `L` of a symmetric positive definite matrix `A = L Lᵀ`.
struct Cholesky {
  /// Rows and columns.
  let size: Int
  /// [size, size] row-major; zero above the diagonal.
  private(set) var factor: [Double]

  /// Factors `matrix`, [size, size] row-major, of which the lower triangle is read.
  ///
  /// - Throws: ``MienError`` where it is not positive definite.
  init(_ matrix: [Double], size: Int) throws {
    self.size = size
    factor = [Double](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0...row {
        var sum = matrix[row * size + column]
        for index in 0..<column { sum -= factor[row * size + index] * factor[column * size + index] }
        if row == column {
          guard sum > 0, sum.isFinite else { throw MienError(.format, nil, "a matrix is not positive definite") }
          factor[row * size + row] = sum.squareRoot()
        } else {
          factor[row * size + column] = sum / factor[column * size + column]
        }
      }
    }
  }

  /// `L⁻¹ x`.
  func solveLower(_ vector: [Double]) -> [Double] {
    var result = vector
    for row in 0..<size {
      var sum = result[row]
      for index in 0..<row { sum -= factor[row * size + index] * result[index] }
      result[row] = sum / factor[row * size + row]
    }
    return result
  }

  /// `L⁻ᵀ x`.
  func solveUpper(_ vector: [Double]) -> [Double] {
    var result = vector
    for row in (0..<size).reversed() {
      var sum = result[row]
      for index in (row + 1)..<max(size, row + 1) { sum -= factor[index * size + row] * result[index] }
      result[row] = sum / factor[row * size + row]
    }
    return result
  }
}
