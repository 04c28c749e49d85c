// What libMienVideoShim.so offers: reading video files and network streams by way of FFmpeg's libraries, cameras and
// writing video files by way of OpenCV's videoio, and windows by way of its highgui.
//
// These pull in some hundred libraries at start-up, so nothing links the shim: MienVision loads it when a video is opened,
// looks up mien_opencv_video_functions and calls through the table that it returns. This header is all that both sides
// share.
//
// Conventions
// - A function returns MIEN_OPENCV_VIDEO_OK or another status and then leaves its results as they were.
// - `error` is always last. It may be NULL. On failure *error is set to a message that the caller frees with
//   string_free; on success it is left alone.
// - No C++ exception leaves a function; a null pointer is MIEN_OPENCV_VIDEO_INVALID.
// - Frames are 8-bit RGB, interleaved, without padding between rows.
// - Functions may be called from any thread; a reader is used by one thread at a time.
// - Messages never hold an address, which may hold a password.

#ifndef MIEN_VIDEO_FUNCTIONS_H
#define MIEN_VIDEO_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Changes with every change of the table.
#define MIEN_OPENCV_VIDEO_VERSION 8

/// The call did what it says.
#define MIEN_OPENCV_VIDEO_OK 0
/// An argument is null or out of range.
#define MIEN_OPENCV_VIDEO_INVALID 1
/// FFmpeg or OpenCV refused or failed.
#define MIEN_OPENCV_VIDEO_FAILED 2
/// A limit of mien_opencv_video_source is exceeded.
#define MIEN_OPENCV_VIDEO_LIMIT 3

/// An open video file or camera, owned by its caller.
typedef struct mien_opencv_video_reader mien_opencv_video_reader;

/// A video file that is being written, owned by its caller.
typedef struct mien_opencv_video_writer mien_opencv_video_writer;

/// What is opened, and how.
typedef struct {
  /// A file's path, or an address of http, https, rtsp, rtsps or rtmp.
  const char *location;
  /// FFmpeg's name of the container, or NULL for an address, whose content tells; `webp` for an animated WebP file, which libwebp reads.
  const char *format;
  /// Whether `location` is an address: then nothing on this machine is opened, however a playlist names it.
  int32_t is_address;
  /// Whether frames are wanted as soon as they come: decoding them side by side would hold some back.
  int32_t is_live;
  /// Whether the stream has no time stamps: frames are then evenly spaced.
  int32_t is_untimed;
  /// Most pixels of a frame as it is stored: a video of larger ones is refused before it is decoded. 0 for 200 million.
  int64_t max_pixels;
  /// Most pixels of a frame as it is handed out: larger ones are reduced to 1/2, 1/4 or 1/8 of their sides; of JPEG 2000, which
  /// takes seconds to decode, they are refused. 0 for any number.
  int64_t kept_pixels;
  /// Most bytes of frames that the decoder keeps at a time, for those that follow are built on them. 0 for any number.
  int64_t decoder_bytes;
} mien_opencv_video_source;

/// What a file says of its video stream. Unknown numbers are 0.
typedef struct {
  /// Size of the frames as reader_retrieve hands them out, in pixels: upright, with square pixels.
  int32_t width;
  int32_t height;
  /// How many pixels of the whole frame one pixel of these spans along each side: 1, 2, 4 or 8.
  int32_t reduction;
  /// Size of the whole frames, upright, with square pixels.
  int32_t whole_width;
  int32_t whole_height;
  /// Mean frames per second.
  double frames_per_second;
  /// Frames, counted or estimated from the duration.
  int64_t frame_count;
  /// Whether the rate of a stream without time stamps is nothing but usual.
  int32_t is_rate_assumed;
} mien_opencv_video_info;

/// What was wrong with what was read so far.
typedef struct {
  /// Frames that were shown although parts of them may be wrong.
  int64_t damaged;
  /// Frames that could not be decoded. Known at the end.
  int64_t missing;
  /// Why reading ended before the end, to be freed by string_free; NULL for nothing.
  char *failure;
  /// Whether the file itself is at fault for that: another attempt would end at the same place.
  int32_t is_damage;
} mien_opencv_video_faults;

/// The sound of a file.
typedef struct {
  /// How many streams of sound there are.
  int32_t count;
  /// Number of the stream to keep, of those that can be decoded; -1 for none.
  int32_t stream;
  /// Seconds from the file's start to its first picture.
  double video_start;
} mien_opencv_video_sound;

/// The functions of the shim.
typedef struct {
  /// MIEN_OPENCV_VIDEO_VERSION of the shim.
  int32_t version;

  /// Frees a message that another function handed out. NULL is allowed.
  void (*string_free)(char *string);

  /// Opens a file or an address with FFmpeg. Of several video streams the film is read, not a cover picture. Frames are
  /// turned and stretched as the file says that they are shown; interlaced ones are made whole, HDR becomes SDR, alpha is
  /// composited on white. Of an address whatever takes longer than 20 s fails.
  /// On success the caller owns *reader (reader_free).
  int32_t (*reader_open)(const mien_opencv_video_source *source, mien_opencv_video_reader **reader,
                         mien_opencv_video_info *info, char **error);

  /// Frees a reader. NULL is allowed.
  void (*reader_free)(mien_opencv_video_reader *reader);

  /// Decodes the next frame in order of presentation. *seconds is its place from the first frame's on, by the file's time
  /// stamps, and not a number where it has none; *has_frame is 0 at the end. Damaged data are passed over: see
  /// reader_faults.
  int32_t (*reader_grab)(mien_opencv_video_reader *reader, int32_t *has_frame, double *seconds, char **error);

  /// Converts the frame that reader_grab decoded into `pixels`, of `count` = width * height * 3 bytes by the reader's info.
  int32_t (*reader_retrieve)(mien_opencv_video_reader *reader, uint8_t *pixels, size_t count, char **error);

  /// Says what was wrong so far.
  int32_t (*reader_faults)(const mien_opencv_video_reader *reader, mien_opencv_video_faults *faults, char **error);

  /// Looks for a file's sound.
  int32_t (*sound_find)(const mien_opencv_video_source *source, mien_opencv_video_sound *sound, char **error);

  /// Opens the camera at a device's path, as /dev/video0. On success the caller owns *reader (reader_free);
  /// info.frame_count is 0.
  int32_t (*camera_open)(const char *path, mien_opencv_video_reader **reader, mien_opencv_video_info *info, char **error);

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
