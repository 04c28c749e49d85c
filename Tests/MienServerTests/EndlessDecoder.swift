import Foundation
import MienTestSupport

/// A libheif that never comes to an end: what a decoder is like that takes minutes, for as long as a test needs it.
final class EndlessDecoder {
  private let folder: TemporaryFolder

  /// What loads it in the place of the system's library.
  let environment: [String: String]

  /// Whether a picture is being decoded, or was.
  var isDecoding: Bool { process != nil }

  /// Whether the process that decodes it is there.
  var isRunning: Bool { process.map { kill($0, 0) == 0 } ?? false }

  private var process: pid_t? { try? pid_t(String(contentsOf: folder.file("started"), encoding: .utf8)) }

  /// The C compiler; `nil` if there is none.
  static let compiler: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
    return folders.flatMap { ["\($0)/cc", "\($0)/clang"] }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// - Parameter isBusy: whether it takes processor time meanwhile.
  init(isBusy: Bool = false) throws {
    folder = try TemporaryFolder()
    let (source, library) = (folder.file("endless.c"), folder.file("libheif.so.1"))
    try Data(Self.code.replacing("WAIT", with: isBusy ? "" : "pause()").utf8).write(to: source)
    let compilation = Process()
    compilation.executableURL = URL(fileURLWithPath: Self.compiler ?? "/usr/bin/cc")
    compilation.arguments = ["-shared", "-fPIC", "-o", library.path, source.path]
    try compilation.run()
    compilation.waitUntilExit()
    guard compilation.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    let libraries = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"].map { ":\($0)" } ?? ""
    environment = ["LD_LIBRARY_PATH": folder.url.path + libraries, "MIEN_TEST_STARTED": folder.file("started").path]
  }

  private static let code = """
    #include <fcntl.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <unistd.h>
    struct heif_error { int code, subcode; const char *message; };
    static char thing[256];
    #define THING(name) void *name(void) { return thing; }
    #define NUMBER(name, value) int name(void) { return value; }
    #define NOTHING(name) void name(void) {}
    #define SUCCESS(name) struct heif_error name(void) { return (struct heif_error){0}; }
    THING(heif_context_alloc)
    NOTHING(heif_context_free)
    SUCCESS(heif_context_read_from_memory_without_copy)
    SUCCESS(heif_context_get_primary_image_handle)
    NUMBER(heif_context_get_number_of_top_level_images, 1)
    NUMBER(heif_image_handle_get_width, 64)
    NUMBER(heif_image_handle_get_height, 64)
    NUMBER(heif_image_handle_has_alpha_channel, 0)
    NOTHING(heif_image_handle_release)
    NUMBER(heif_have_decoder_for_format, 1)
    THING(heif_decoding_options_alloc)
    NOTHING(heif_decoding_options_free)
    NUMBER(heif_image_get_width, 64)
    NUMBER(heif_image_get_height, 64)
    THING(heif_image_get_plane_readonly)
    NOTHING(heif_image_release)
    struct heif_error heif_decode_image(void) {
      int file = creat(getenv("MIEN_TEST_STARTED"), 0600);
      dprintf(file, "%d", getpid());
      close(file);
      for (volatile int i = 0;; i++) WAIT;
    }

    """
}
