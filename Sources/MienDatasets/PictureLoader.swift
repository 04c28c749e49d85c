import Dispatch
import Foundation
import MienCore
import MienVision
import Synchronization

/// Decodes pictures into faces of one size, on all cores.
struct PictureLoader {
  /// Width and height of a face in pixels.
  let side: Int
  /// 1 (grey) or 3 (RGB).
  let channels: Int
  private static let batch = 256

  /// A face, and the picture that it is from.
  struct Face {
    /// [side, side, channels].
    let pixels: [UInt8]
    /// Width and height of the picture if its centred square was taken of it, though it looks like a whole photo.
    let photo: (width: Int, height: Int)?
  }

  /// Decodes `pictures` in order and hands each face, or what was wrong with its file, to `body`.
  ///
  /// - Throws: what `body` throws; no further batch is decoded then.
  func load(_ pictures: [LabelledPicture], _ body: (Int, Result<Face, MienError>) throws -> Void) throws {
    for start in stride(from: 0, to: pictures.count, by: Self.batch) {
      let batch = pictures[start..<min(start + Self.batch, pictures.count)]
      let results = Mutex([Result<Face, MienError>?](repeating: nil, count: batch.count))
      DispatchQueue.concurrentPerform(iterations: batch.count) { index in
        let result = face(pictures[start + index])
        results.withLock { $0[index] = result }
      }
      for (index, result) in results.withLock({ $0 }).enumerated() {
        guard let result else { continue }
        try body(start + index, result)
      }
    }
  }

  /// The square of a picture's box, or its largest centred square, at the size wanted.
  private func face(_ picture: LabelledPicture) -> Result<Face, MienError> {
    do {
      guard let path = FilePath.resolving(picture.url.relativePath) else {
        throw PictureTree.encodingProblem(picture.url)
          ?? MienError(.file, picture.url.relativePath, "could not be read")
      }
      let image = try Image(contentsOf: path)
      // Half a face teaches nothing.
      guard !image.isDamaged else { throw MienError(.format, picture.url.relativePath, image.warning ?? "is damaged") }
      let coloured = channels == 1 ? image.grey : image.rgb
      guard let box = picture.box.map(image.reduced) else {
        let square = try Self.centreSquare(coloured).resized(width: side, height: side)
        let isPhoto = Image.isLikelyPhoto(width: image.wholeWidth, height: image.wholeHeight)
        return .success(Face(pixels: square.pixels, photo: isPhoto ? (image.wholeWidth, image.wholeHeight) : nil))
      }
      guard box.intersectionArea(Box(x: 0, y: 0, width: image.width, height: image.height)) > 0 else {
        throw MienError(
          .mismatch, picture.url.relativePath,
          "the face's box lies outside the picture of \(image.width)x\(image.height)")
      }
      let face = try coloured.crop(
        centerX: Double(box.x) + Double(box.width) / 2, centerY: Double(box.y) + Double(box.height) / 2,
        side: Double(max(box.width, box.height)), size: side)
      return .success(Face(pixels: face.pixels, photo: nil))
    } catch let error as MienError {
      return .failure(error)
    } catch {
      return .failure(MienError(.file, picture.url.relativePath, "could not be read: \(error)"))
    }
  }

  private static func centreSquare(_ image: Image) throws -> Image {
    guard image.width != image.height else { return image }
    let side = min(image.width, image.height)
    let (left, top) = ((image.width - side) / 2, (image.height - side) / 2)
    let rows = (top..<(top + side)).flatMap { row -> ArraySlice<UInt8> in
      let start = (row * image.width + left) * image.channels
      return image.pixels[start..<(start + side * image.channels)]
    }
    return try Image(width: side, height: side, channels: image.channels, pixels: rows)
  }
}
