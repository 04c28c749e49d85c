import MienCore

/// What a file is, told by its first bytes, whatever its name: the one table of signatures.
package enum FileKind: Sendable, Hashable {
  /// A picture that ``Image`` reads.
  case picture(PictureFormat)
  /// A file of another kind.
  case other(Other)

  /// A kind of file that is not read as a picture.
  package struct Other: Sendable, Hashable {
    /// What people call it, with its article: "a PDF document".
    package let name: String
    /// What it holds.
    package let content: Content
    /// What to do with it; empty where nothing is known.
    package let advice: String
  }

  /// What a file holds that is not read as a picture.
  package enum Content: Sendable, Hashable {
    /// A picture in a format that is not read.
    case picture
    /// A document that shows pictures, of which another program makes some.
    case document
    /// A film.
    case video
    /// Nothing to look at.
    case none
  }

  /// What the names of pictures that are read end with, in small letters. Files of other names are looked into.
  package static let pictureExtensions: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "heic", "heif", "hif", "avif", "gif", "bmp", "dib",
    "tif",
    "tiff", "jp2", "j2k", "jpf", "jpx", "j2c", "jpc", "pbm", "pgm", "ppm", "pnm", "pam", "tga", "ico", "cur",
  ]

  /// What the names of videos end with, likewise.
  package static let videoExtensions: Set<String> = [
    "mp4", "m4v", "mov", "qt", "mkv", "webm", "avi", "mpg", "mpeg", "mpe", "ts", "mts", "m2ts", "flv", "wmv", "asf",
    "3gp", "3gpp", "3g2", "ogv", "vob", "y4m", "dv", "mxf", "h264", "h265", "hevc", "mjpeg", "mjpg",
  ]

  /// How many of a file's first bytes are looked at, where there are so many.
  package static let prefix = 4096

  /// Tells the kind of a file by its start, of at least ``prefix`` bytes where the file has them.
  package init(start: [UInt8]) {
    self = start.withUnsafeBytes { FileKind(ByteView(bytes: $0)) }
  }

  init(_ file: ByteView) {
    if let format = PictureFormat(file) {
      self = .picture(format)
    } else {
      self = .other(Self.other(file))
    }
  }

  /// Why a file of another kind is not read as a picture, and what to do: follows the file's name.
  package var explanation: String? {
    guard case .other(let other) = self else { return nil }
    let advice = other.advice.isEmpty ? "" : "; \(other.advice)"
    if other.content == .picture || other.content == .document { return "is \(other.name), which is not read\(advice)" }
    return "expected a picture (\(PictureFormat.list)), found \(other.name)\(advice)"
  }

  private static func other(_ file: ByteView) -> Other {
    func picture(_ name: String, _ command: String) -> Other {
      Other(name: name, content: .picture, advice: "convert it first: \(command)")
    }
    func plain(_ name: String, _ advice: String = "") -> Other { Other(name: name, content: .none, advice: advice) }
    let raw = picture("a raw photo of a camera", "darktable-cli in.raw out.jpg, or take the JPEG that the camera saved")
    let video = Other(name: "a video", content: .video, advice: "`mien video` reads videos")
    if file.count == 0 { return plain("an empty file") }
    if file.has("ftyp", at: 4) {
      if file.has("crx ", at: 8) { return raw }
      let isSound = ["M4A ", "M4B ", "M4P "].contains { file.has(Array($0.utf8), at: 8) }
      return isSound ? plain("a sound file") : video
    }
    if file.has([0xFF, 0x0A]) || file.has([0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20]) {
      return picture("a JPEG XL picture", "djxl in.jxl out.png")
    }
    if file.has("8BPS") { return picture("a Photoshop picture", "magick 'in.psd[0]' out.png") }
    if file.has("gimp xcf") { return picture("a GIMP picture", "xcf2png in.xcf -o out.png") }
    if file.has([0x76, 0x2F, 0x31, 0x01]) { return picture("an OpenEXR picture", "ffmpeg -i in.exr out.png") }
    if file.has("#?RADIANCE") || file.has("#?RGBE") {
      return picture("a Radiance HDR picture", "ffmpeg -i in.hdr out.png")
    }
    if file.has("DDS ") { return picture("a DDS texture", "ffmpeg -i in.dds out.png") }
    if file.has("qoif") { return picture("a QOI picture", "ffmpeg -i in.qoi out.png") }
    if file.has("BPG\u{FB}") || file.has([0x42, 0x50, 0x47, 0xFB]) {
      return picture("a BPG picture", "bpgdec -o out.png in.bpg")
    }
    if file.has("PF\n") || file.has("Pf\n") { return picture("a PFM picture", "ffmpeg -i in.pfm out.png") }
    if file.has("SIMPLE  =") { return picture("a FITS picture", "fitspng -o out.png in.fits") }
    if file.has("DICM", at: 128) { return picture("a DICOM picture", "dcmj2pnm +on in.dcm out.png") }
    if file.has("FUJIFILMCCD-RAW") || file.has("IIU\0") || file.has("IIRO") || file.has("IIRS") || file.has("FOVb") {
      return raw
    }
    if file.has("%PDF") {
      return Other(name: "a PDF document", content: .document, advice: "convert a page first: pdftoppm -png in.pdf out")
    }
    if file.has("%!PS") || file.has([0xC5, 0xD0, 0xD3, 0xC6]) {
      return Other(
        name: "a PostScript document", content: .document,
        advice: "convert a page first: gs -sDEVICE=png16m -r150 -o out.png in.eps")
    }
    if isVideo(file) { return video }
    if file.has("RIFF"), file.has("WAVE", at: 8) { return plain("a sound file") }
    if file.has("ID3") || file.has("fLaC") || file.has("OggS") { return plain("a sound file") }
    if file.has([0x1F, 0x8B]) || file.has("PK\u{03}\u{04}") || file.has("7z\u{BC}\u{AF}") || file.has("Rar!")
      || file.has([0x37, 0x7A, 0xBC, 0xAF]) || file.has("BZh") || file.has([0xFD, 0x37, 0x7A, 0x58, 0x5A])
      || file.has("ustar", at: 257)
    {
      return plain("a compressed archive", "unpack it first")
    }
    if let signature = FileSignature([UInt8](file.bytes.prefix(FileSignature.bytes))), signature.kind == .faces {
      return plain(signature.name, "`mien evaluate` and `mien explain` read those")
    }
    if let offset = (1...512).first(where: { file.has([0xFF, 0xD8, 0xFF], at: $0) }) {
      return plain("\(offset) bytes before a JPEG picture", "remove them: tail -c +\(offset + 1) in.jpg > out.jpg")
    }
    return text(file) ?? plain("bytes of an unknown kind")
  }

  private static func isVideo(_ file: ByteView) -> Bool {
    let isTransportStream =
      file.has([0x47]) && file.has([0x47], at: 188) || file.has([0x47], at: 4) && file.has([0x47], at: 196)
    return file.has([0x1A, 0x45, 0xDF, 0xA3]) || file.has("RIFF") && file.has("AVI ", at: 8) || isTransportStream
      || file.has([0, 0, 1, 0xBA]) || file.has([0, 0, 1, 0xB3]) || file.has("FLV")
      || file.has([0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]) || file.has("YUV4MPEG2 ")
      || file.has([0, 0, 0, 1, 0x67]) || file.has([0, 0, 0, 1, 0x40, 0x01])
      || ["moov", "mdat", "wide", "free", "skip", "pnot", "styp"].contains { file.has(Array($0.utf8), at: 4) }
  }

  /// What kind of text a file starts with; nil where it is not text.
  private static func text(_ file: ByteView) -> Other? {
    let start = file.bytes.prefix(1024)
    guard start.allSatisfy({ $0 >= 32 || [9, 10, 12, 13].contains($0) }) else { return nil }
    let words = String(decoding: start, as: UTF8.self)
    // How JPEG, PNG, WebP and GIF begin when each three bytes are written as four letters.
    if ["/9j/", "iVBORw0KGgo", "UklGR", "R0lGOD", "data:image/"].contains(where: words.hasPrefix) {
      return Other(
        name: "a picture as base64 text", content: .none,
        advice: "decode it first: base64 -d in.txt > out.jpg (without what stands before a comma)")
    }
    let beginning = words.lowercased()
    if beginning.contains("<svg") {
      return Other(
        name: "an SVG drawing", content: .document, advice: "convert it first: rsvg-convert in.svg -o out.png")
    }
    if beginning.hasPrefix("version https://git-lfs.github.com") {
      return Other(
        name: "a Git LFS pointer in the place of the file", content: .none, advice: "fetch the files: git lfs pull")
    }
    if beginning.contains("<html") || beginning.contains("<!doctype html") {
      return Other(name: "a web page", content: .none, advice: "the download gave an error page: fetch it again")
    }
    return Other(name: "text", content: .none, advice: "")
  }
}

/// The kinds of picture that are read.
package enum PictureFormat: String, Sendable, CaseIterable {
  case jpeg = "JPEG"
  case png = "PNG"
  case webP = "WebP"
  case heic = "HEIC"
  case avif = "AVIF"
  case gif = "GIF"
  case bmp = "BMP"
  case tiff = "TIFF"
  case jpeg2000 = "JPEG 2000"
  case pnm = "PNM"
  case tga = "TGA"
  case icon = "icon"

  /// Their names, for messages.
  package static let list = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF, JPEG 2000, PNM, TGA or icon"

  /// The format whose signature `file` starts with.
  init?(_ file: ByteView) {
    if file.has([0xFF, 0xD8]) {
      self = .jpeg
    } else if file.has([0x89, 0x50, 0x4E, 0x47]) {
      self = .png
    } else if file.has("RIFF"), file.has("WEBP", at: 8) {
      self = .webP
    } else if let format = Self.isoMedia(file) {
      self = format
    } else if file.has("GIF87a") || file.has("GIF89a") {
      self = .gif
    } else if file.has("BM"), let length = file.littleEndian32(14), [12, 40, 52, 56, 64, 108, 124].contains(length) {
      self = .bmp
    } else if file.has("II*\0") || file.has("MM\0*") || file.has("II+\0") || file.has("MM\0+") {
      self = .tiff
    } else if file.has([0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20]) || file.has([0xFF, 0x4F, 0xFF, 0x51]) {
      self = .jpeg2000
    } else if Netpbm.isStart(file) {
      self = .pnm
    } else if IconFile.isStart(file) {
      self = .icon
    } else if Targa.isStart(file) {
      self = .tga
    } else {
      return nil
    }
  }

  /// HEIC, AVIF and videos share one container (ISO/IEC 14496-12), told apart by their brands.
  private static func isoMedia(_ file: ByteView) -> PictureFormat? {
    guard file.has("ftyp", at: 4), let length = file.bigEndian32(0) else { return nil }
    let offsets = [8] + stride(from: 16, to: min(max(length, 16), 256, file.count), by: 4)
    let brands = offsets.compactMap(file.text)
    // A camera's raw photo and a video may name a picture's brand among those that they follow.
    guard let first = brands.first, !["crx ", "isom", "mp42", "mp41", "qt  ", "avc1"].contains(first) else {
      return nil
    }
    if brands.contains(where: { ["avif", "avis"].contains($0) }) { return .avif }
    let heic = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "mif2", "msf1", "miaf"]
    return brands.contains(where: heic.contains) ? .heic : nil
  }
}
