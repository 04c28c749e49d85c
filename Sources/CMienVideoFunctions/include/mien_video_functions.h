// What libMienVideoShim.so offers: reading video files by way of OpenCV's videoio.
//
// videoio pulls in some hundred libraries at start-up, so nothing links it: MienVision loads the shim when a video is
// opened, looks up mien_opencv_video_functions and calls through the table that it returns. This header is all that both
// sides share.
//
// Conventions
// - A function returns MIEN_OPENCV_VIDEO_OK or another status and then leaves its results as they were.
// - `error` is always last. It may be NULL. On failure *error is set to a message that the caller frees with
//   string_free; on success it is left alone.
// - No C++ exception leaves a function; a null pointer is MIEN_OPENCV_VIDEO_INVALID.
// - Frames are 8-bit RGB, interleaved, without padding between rows, upright as the file's rotation says.
// - Functions may be called from any thread; a reader is used by one thread at a time.

#ifndef MIEN_VIDEO_FUNCTIONS_H
#define MIEN_VIDEO_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Changes with every change of the table.
#define MIEN_OPENCV_VIDEO_VERSION 1

/// The call did what it says.
#define MIEN_OPENCV_VIDEO_OK 0
/// An argument is null or out of range.
#define MIEN_OPENCV_VIDEO_INVALID 1
/// OpenCV refused or failed.
#define MIEN_OPENCV_VIDEO_FAILED 2

/// An open video file, owned by its caller.
typedef struct mien_opencv_video_reader mien_opencv_video_reader;

/// What a file says of its video stream. Unknown numbers are 0.
typedef struct {
  /// Upright size in pixels.
  int32_t width;
  int32_t height;
  /// Mean frames a second.
  double frames_per_second;
  /// Frames, counted or estimated from the duration.
  int64_t frame_count;
} mien_opencv_video_info;

/// The functions of the shim.
typedef struct {
  /// MIEN_OPENCV_VIDEO_VERSION of the shim.
  int32_t version;

  /// Frees a message that another function handed out. NULL is allowed.
  void (*string_free)(char *string);

  /// Opens a file with FFmpeg and nothing else. On success the caller owns *reader (reader_free).
  int32_t (*reader_open)(const char *path, mien_opencv_video_reader **reader, mien_opencv_video_info *info,
                         char **error);

  /// Frees a reader. NULL is allowed.
  void (*reader_free)(mien_opencv_video_reader *reader);

  /// Decodes the next frame in order of presentation. *milliseconds is its place from the first frame's on, by the
  /// file's time stamps, and 0 where the decoder lost them; *has_frame is 0 at the end.
  int32_t (*reader_grab)(mien_opencv_video_reader *reader, int32_t *has_frame, double *milliseconds, char **error);

  /// Converts the frame that reader_grab decoded. *pixels belongs to the reader and lives until its next call; it holds
  /// width * height * 3 bytes.
  int32_t (*reader_retrieve)(mien_opencv_video_reader *reader, const uint8_t **pixels, int32_t *width, int32_t *height,
                             char **error);
} mien_opencv_video_functions_table;

/// The shim's only exported name. The table lives as long as the library is loaded.
const mien_opencv_video_functions_table *mien_opencv_video_functions(void);

/// The type to look `mien_opencv_video_functions` up as.
typedef const mien_opencv_video_functions_table *(*mien_opencv_video_functions_type)(void);

#ifdef __cplusplus
}
#endif

#endif
