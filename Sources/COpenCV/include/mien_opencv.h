// A C interface to the parts of OpenCV that Mien uses: decoding, encoding, resizing, Haar cascades and drawing.
//
// Conventions
// - A function returns MIEN_OPENCV_OK or another status and then leaves its results as they were.
// - `error` is always last. It may be NULL. On failure *error is set to a message that the caller frees with
//   mien_opencv_string_free; on success it is left alone.
// - No C++ exception leaves a function; a null pointer or a size that does not fit is MIEN_OPENCV_INVALID.
// - Pictures are 8-bit, interleaved, without padding between rows: grey (1 channel) or RGB (3), in this order.
// - Functions may be called from any thread; a handle is used by one thread at a time.

#ifndef MIEN_OPENCV_H
#define MIEN_OPENCV_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The call did what it says.
#define MIEN_OPENCV_OK 0
/// An argument is null, out of range, or does not fit the others.
#define MIEN_OPENCV_INVALID 1
/// OpenCV refused or failed.
#define MIEN_OPENCV_FAILED 2
/// The picture is whole, and of a kind that is not read.
#define MIEN_OPENCV_UNSUPPORTED 3

/// A decoded picture or an encoded file, owned by its caller.
typedef struct mien_opencv_buffer mien_opencv_buffer;

/// A loaded cascade classifier, owned by its caller.
typedef struct mien_opencv_cascade mien_opencv_cascade;

/// A picture that the caller owns and this library only reads during the call.
typedef struct {
  const uint8_t *pixels;
  /// Bytes at `pixels`; must be width * height * channels.
  size_t count;
  int32_t width;
  int32_t height;
  /// 1 or 3.
  int32_t channels;
} mien_opencv_picture;

/// A picture that the caller owns and this library draws on during the call.
typedef struct {
  uint8_t *pixels;
  /// Bytes at `pixels`; must be width * height * channels.
  size_t count;
  int32_t width;
  int32_t height;
  /// 1 or 3.
  int32_t channels;
} mien_opencv_canvas;

/// A detection, in pixels of the picture given.
typedef struct {
  int32_t x;
  int32_t y;
  int32_t width;
  int32_t height;
  /// How many raw windows of the cascade agreed on it.
  int32_t neighbors;
} mien_opencv_detection;

/// Sets how many threads OpenCV may use for one call, in the whole process: at least 1. It is as many as there are cores
/// until then, which is too many for callers that work on several pictures at a time.
int32_t mien_opencv_set_threads(int32_t threads, char **error);

/// Has the whole process keep freed memory for reuse, through glibc's `mallopt`. Call it once, before other threads start.
void mien_opencv_keep_freed_memory(void);

/// Frees a message that another function handed out. NULL is allowed.
void mien_opencv_string_free(char *string);

/// Frees a buffer. NULL is allowed.
void mien_opencv_buffer_free(mien_opencv_buffer *buffer);

/// The buffer's bytes; they belong to the buffer and live as long as it does. NULL for NULL.
const uint8_t *mien_opencv_buffer_bytes(const mien_opencv_buffer *buffer);

/// How many bytes the buffer holds; 0 for NULL.
size_t mien_opencv_buffer_count(const mien_opencv_buffer *buffer);

/// A decoded picture's width, height and channels (1 or 3); 0 for NULL and for an encoded file.
int32_t mien_opencv_buffer_width(const mien_opencv_buffer *buffer);
int32_t mien_opencv_buffer_height(const mien_opencv_buffer *buffer);
int32_t mien_opencv_buffer_channels(const mien_opencv_buffer *buffer);

/// What mien_opencv_decode found out about a picture's samples.
typedef struct {
  /// Smallest and largest sample as stored, for floating-point samples and those of 16 bits; else 0.
  double smallest;
  double largest;
  /// Not 0 where samples are floating-point numbers.
  int32_t is_float;
  /// Not 0 where samples were scaled by `largest` instead of the white of their type.
  int32_t is_scaled;
  /// Not 0 where the picture has transparency and nothing of it can be seen.
  int32_t is_invisible;
} mien_opencv_range;

/// Decodes a file's bytes, which stay the caller's. 16-bit samples are divided by 257 and rounded, floating-point samples
/// multiplied by 255; where 16-bit samples stay under 4096, or floating-point samples pass 1, the largest becomes 255
/// instead. Alpha is composited on white, or dropped where `drop_alpha` is not 0; CMYK becomes RGB. Orientation tags are
/// not looked at, except by OpenCV's own TIFF reader. On success the caller owns *image (mien_opencv_buffer_free), and
/// *range is filled. MIEN_OPENCV_UNSUPPORTED where samples or channels are of another kind.
int32_t mien_opencv_decode(const uint8_t *bytes, size_t count, int32_t drop_alpha, mien_opencv_buffer **image,
                           mien_opencv_range *range, char **error);

/// Turns a picture as EXIF's `orientation` (1...8, 1 = as it is) says into `output`, the caller's, of as many bytes; its
/// sides are exchanged from 5 on. `output` must not overlap the picture.
int32_t mien_opencv_turn(const mien_opencv_picture *picture, int32_t orientation, uint8_t *output, size_t output_count,
                         char **error);

/// Encodes a picture as the file type `extension` (".png" or ".jpg"; `quality` 1...100 is JPEG's).
/// On success the caller owns *file (mien_opencv_buffer_free).
int32_t mien_opencv_encode(const mien_opencv_picture *picture, const char *extension, int32_t quality,
                           mien_opencv_buffer **file, char **error);

/// Resizes into `output`, the caller's, of exactly width * height * channels bytes: by pixel area if `by_area` is not 0
/// and neither side grows, bilinear otherwise. `output` must not overlap the picture.
int32_t mien_opencv_resize(const mien_opencv_picture *picture, int32_t width, int32_t height, int32_t by_area,
                           uint8_t *output, size_t output_count, char **error);

/// Halves both sides, an odd last column or row left out, into `output`, the caller's, of exactly
/// (width / 2) * (height / 2) * channels bytes: each pixel is the mean of four. `output` must not overlap the picture.
int32_t mien_opencv_halve(const mien_opencv_picture *picture, uint8_t *output, size_t output_count, char **error);

/// Cuts out a square that is turned by `degrees` clockwise, of `side` pixels about (center_x, center_y) in continuous
/// coordinates (pixel i covers i to i + 1), into `output`, the caller's, of exactly size * size * channels bytes: bilinear,
/// averaged over at most 16 x 16 samples a pixel where it shrinks. Outside the picture the border's pixels are repeated.
/// `output` must not overlap the picture.
int32_t mien_opencv_crop_turned(const mien_opencv_picture *picture, double center_x, double center_y, double side,
                                double degrees, int32_t size, uint8_t *output, size_t output_count, char **error);

/// Loads a cascade from an XML file. On success the caller owns *cascade (mien_opencv_cascade_free).
int32_t mien_opencv_cascade_load(const char *path, mien_opencv_cascade **cascade, char **error);

/// Frees a cascade. NULL is allowed.
void mien_opencv_cascade_free(mien_opencv_cascade *cascade);

/// Finds objects in a grey picture, whose histogram is equalised first (in a copy). `scale_factor` is at least 1.01,
/// `min_neighbors` at least 0; `min_side` and, unless it is 0, `max_side` bound the objects' size. On success the caller
/// owns the *count detections at *detections (mien_opencv_detections_free); none is NULL and 0.
int32_t mien_opencv_cascade_detect(mien_opencv_cascade *cascade, const mien_opencv_picture *grey, double scale_factor,
                                   int32_t min_neighbors, int32_t min_side, int32_t max_side,
                                   mien_opencv_detection **detections, size_t *count, char **error);

/// Frees detections. NULL is allowed.
void mien_opencv_detections_free(mien_opencv_detection *detections);

/// Draws the outline of a rectangle (`thickness` at least 1, growing inwards) or fills it (`thickness` 0) in the colour
/// 0xRRGGBB. What lies outside the canvas is left out.
int32_t mien_opencv_draw_rectangle(const mien_opencv_canvas *canvas, int32_t x, int32_t y, int32_t width,
                                   int32_t height, int32_t thickness, uint32_t rgb, char **error);

/// Measures ASCII text set so that its capitals are `cap_height` pixels high: its advance width, and how far
/// descenders reach under the baseline.
int32_t mien_opencv_measure_text(const char *text, double cap_height, int32_t *width, int32_t *descent, char **error);

/// Draws ASCII text in the colour 0xRRGGBB with its baseline's left end at (x, y). What lies outside the canvas is left
/// out.
int32_t mien_opencv_draw_text(const mien_opencv_canvas *canvas, const char *text, int32_t x, int32_t y,
                              double cap_height, uint32_t rgb, char **error);

/// The version of the OpenCV that runs, as 4, 6, 0. The pointers must not be null.
void mien_opencv_version(int32_t *major, int32_t *minor, int32_t *revision);

#ifdef __cplusplus
}
#endif

#endif
