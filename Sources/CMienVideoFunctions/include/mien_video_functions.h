// What libMienVideoShim.so offers: reading video files and cameras and writing video files by
// way of OpenCV's videoio, and windows by way of its highgui.
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
// - Frames are 8-bit RGB, interleaved, without padding between rows.
// - Functions may be called from any thread; a reader is used by one thread at a time.

#ifndef MIEN_VIDEO_FUNCTIONS_H
#define MIEN_VIDEO_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Changes with every change of the table.
#define MIEN_OPENCV_VIDEO_VERSION 3

/// The call did what it says.
#define MIEN_OPENCV_VIDEO_OK 0
/// An argument is null or out of range.
#define MIEN_OPENCV_VIDEO_INVALID 1
/// OpenCV refused or failed.
#define MIEN_OPENCV_VIDEO_FAILED 2

/// An open video file or camera, owned by its caller.
typedef struct mien_opencv_video_reader mien_opencv_video_reader;

/// A video file that is being written, owned by its caller.
typedef struct mien_opencv_video_writer mien_opencv_video_writer;

/// What a file says of its video stream. Unknown numbers are 0.
typedef struct {
  /// Size of the frames as reader_retrieve hands them out, in pixels.
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

  /// Opens a file with FFmpeg and nothing else. reader_retrieve turns each frame by `quarter_turns`, 0 to 3, clockwise;
  /// what the file itself says of rotation is ignored, because OpenCV 4.6 turns such frames the wrong way round.
  /// On success the caller owns *reader (reader_free).
  int32_t (*reader_open)(const char *path, int32_t quarter_turns, mien_opencv_video_reader **reader,
                         mien_opencv_video_info *info, char **error);

  /// Frees a reader. NULL is allowed.
  void (*reader_free)(mien_opencv_video_reader *reader);

  /// Decodes the next frame in order of presentation. *milliseconds is its place from the first frame's on, by the
  /// file's time stamps, and 0 where the decoder lost them; *has_frame is 0 at the end.
  int32_t (*reader_grab)(mien_opencv_video_reader *reader, int32_t *has_frame, double *milliseconds, char **error);

  /// Converts the frame that reader_grab decoded. *pixels belongs to the reader and lives until its next call; it holds
  /// width * height * 3 bytes.
  int32_t (*reader_retrieve)(mien_opencv_video_reader *reader, const uint8_t **pixels, int32_t *width, int32_t *height,
                             char **error);

  /// Opens the camera of a number from 0 on. On success the caller owns *reader (reader_free); info.frame_count is 0.
  int32_t (*camera_open)(int32_t index, mien_opencv_video_reader **reader, mien_opencv_video_info *info, char **error);

  /// Starts an MP4 file of H.264 without sound; odd sizes lose their last column and row. On success the caller owns
  /// *writer (writer_close).
  int32_t (*writer_open)(const char *path, int32_t width, int32_t height, double frames_per_second,
                         mien_opencv_video_writer **writer, char **error);

  /// Adds a frame of `count` = width * height * 3 bytes, which stay the caller's.
  int32_t (*writer_write)(mien_opencv_video_writer *writer, const uint8_t *pixels, size_t count, char **error);

  /// Writes what is left and frees the writer. NULL is allowed.
  void (*writer_close)(mien_opencv_video_writer *writer);

  /// Shows a frame of width * height * 3 bytes in the window called `title`, which is made where it is not there, and
  /// waits a millisecond for a key: *key is its code, -1 where none was pressed, -2 where the window was closed. Loads
  /// OpenCV's highgui. Without a display the window system may end the process: check first. One thread only.
  int32_t (*window_show)(const char *title, const uint8_t *pixels, size_t count, int32_t width, int32_t height,
                         int32_t *key, char **error);
} mien_opencv_video_functions_table;

/// The shim's only exported name. The table lives as long as the library is loaded.
const mien_opencv_video_functions_table *mien_opencv_video_functions(void);

/// The type to look `mien_opencv_video_functions` up as.
typedef const mien_opencv_video_functions_table *(*mien_opencv_video_functions_type)(void);

#ifdef __cplusplus
}
#endif

#endif
