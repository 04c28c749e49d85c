import COpenCV
import Glibc

/// Settings of the whole process that suit programs which read pictures and videos.
///
/// Mien's libraries change nothing outside themselves, so a program makes this call if it wants to.
public enum VisionProcess {
  /// Has OpenCV use one thread for each call, since Mien reads several pictures at a time, and keeps FFmpeg's own messages,
  /// which name no file, off standard error.
  ///
  /// Call it at the start of `main`, before other threads run and before the first video: it sets the environment variable
  /// `OPENCV_FFMPEG_LOGLEVEL`, unless it is set. Results are the same without it.
  ///
  /// - Throws: ``MienCore/MienError`` where OpenCV refuses.
  public static func configure() throws {
    // FFmpeg's AV_LOG_QUIET.
    setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0)
    try OpenCV.check("setting the number of threads") { mien_opencv_set_threads(1, $0) }
  }

  /// Has the process keep the memory of a picture for the next one, up to 512 MiB, instead of returning it to the system:
  /// mapping it anew takes a tenth of the time of many photos.
  ///
  /// Call it at the start of `main`, before other threads run. Results are the same without it.
  public static func keepFreedMemory() { mien_opencv_keep_freed_memory() }
}
