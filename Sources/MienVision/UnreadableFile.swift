/// Says what a file is that Mien does not decode, and what to do about it.
enum UnreadableFile {
  /// A sentence that starts after the file's name.
  static func explanation(of file: ByteView) -> String {
    let expected = "expected a picture (JPEG, PNG, WebP, BMP, TIFF or PNM)"
    if let container = isoMedia(file) { return container }
    if file.has("GIF87a") || file.has("GIF89a") {
      return "is a GIF picture, which is not supported; convert it first: ffmpeg -i in.gif -frames:v 1 out.png"
    }
    if file.has("%PDF") { return "\(expected), found a PDF document; convert a page first: pdftoppm -png in.pdf out" }
    if file.has([0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50, 0x20, 0x20]) || file.has([0xFF, 0x4F, 0xFF, 0x51]) {
      return "is a JPEG 2000 picture, which is not supported; convert it first: opj_decompress -i in.jp2 -o out.png"
    }
    if file.has([0xFF, 0x0A]) || file.has([0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C, 0x20]) {
      return "is a JPEG XL picture, which is not supported; convert it first: djxl in.jxl out.png"
    }
    if file.has("II+\0") || file.has("MM\0+") { return "is a BigTIFF picture, expected a classic TIFF" }
    if file.has([0x1F, 0x8B]) || file.has("PK\u{03}\u{04}") { return "\(expected), found a compressed archive" }
    if file.has([0xFF, 0xD8]) || file.has([0x89, 0x50, 0x4E, 0x47]) {
      return "is a damaged or truncated picture: its header ends early, after \(file.count) bytes"
    }
    return "\(expected), found \(text(file) ?? "bytes of an unknown kind")"
  }

  /// HEIC, AVIF and videos share one container (ISO/IEC 14496-12), told apart by their brands.
  private static func isoMedia(_ file: ByteView) -> String? {
    guard file.has("ftyp", at: 4), let length = file.bigEndian32(0) else { return nil }
    let offsets = [8] + stride(from: 16, to: min(max(length, 16), 256, file.count), by: 4)
    let brands: [String] = offsets.compactMap { offset in
      file.part(offset, count: 4).map { String(decoding: $0.bytes, as: UTF8.self) }
    }
    if brands.contains(where: { ["avif", "avis"].contains($0) }) {
      return "is an AVIF picture, which is not supported; convert it first: heif-convert in.avif out.jpg"
    }
    let heic = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"]
    if brands.contains(where: heic.contains) {
      return "is a HEIC picture, which is not supported; convert it first: heif-convert in.heic out.jpg "
        + "(apt-get install libheif-examples)"
    }
    return "expected a picture, found a video or other media file"
  }

  /// What kind of text a file starts with; nil where it is not text.
  private static func text(_ file: ByteView) -> String? {
    let start = file.bytes.prefix(512)
    guard start.allSatisfy({ $0 >= 32 || [9, 10, 12, 13].contains($0) }) else { return nil }
    let beginning = String(decoding: start, as: UTF8.self).lowercased()
    if beginning.contains("<svg") {
      return "an SVG drawing, which is not supported; convert it first: rsvg-convert in.svg -o out.png"
    }
    if beginning.contains("<html") || beginning.contains("<!doctype html") { return "a web page" }
    return "text"
  }
}
