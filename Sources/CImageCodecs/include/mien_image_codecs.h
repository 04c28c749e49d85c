// Decoders of JPEG, PNG and GIF (libjpeg-turbo, libpng, giflib) and of HEIC and AVIF (libheif, loaded when it is needed).
//
// OpenCV decodes these files too, but it prints the libraries' warnings to standard error, gives up on files that
// viewers show, and always decodes at full size.
//
// Conventions
// - A decoder returns MIEN_IMAGE_OK and fills *image, which the caller empties with mien_image_free; or it returns another
//   status and writes a message of at most MIEN_IMAGE_MESSAGE - 1 bytes to `error`, which may be NULL.
// - The file's bytes stay the caller's and are only read during the call.
// - Nothing is printed, and no library ends the process.
// - Functions may be called from any thread.

#ifndef MIEN_IMAGE_CODECS_H
#define MIEN_IMAGE_CODECS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The picture was decoded, in part at least: see mien_image.good_rows.
#define MIEN_IMAGE_OK 0
/// An argument is null or out of range.
#define MIEN_IMAGE_INVALID 1
/// The data are damaged, or nothing of the picture is there.
#define MIEN_IMAGE_DAMAGED 2
/// The picture is larger than the limits allow; its size is in *image.
#define MIEN_IMAGE_TOO_LARGE 3
/// The file is of a kind that the library does not decode.
#define MIEN_IMAGE_UNSUPPORTED 4
/// libheif, or its decoder of this kind of picture, is not installed.
#define MIEN_IMAGE_MISSING 5
/// The picture is not too large, but takes too much work.
#define MIEN_IMAGE_TOO_COSTLY 6
/// mien_image_limits.go_on said no.
#define MIEN_IMAGE_STOPPED 7

/// Bytes for a message with its final zero.
#define MIEN_IMAGE_MESSAGE 256

/// How large a picture may be, and whether to go on with it.
typedef struct {
  /// Most pixels of the whole picture.
  int64_t pixels;
  /// Most pixels to decode: JPEG and PNG are decoded at 1/2, 1/4 or 1/8 of their size to stay below.
  int64_t decoded_pixels;
  /// Most pixels of a picture that a decoder has to hold whole: HEIC, AVIF, interlaced PNG.
  int64_t whole_pixels;
  /// Most bytes of the samples of an interlaced PNG.
  int64_t whole_bytes;
  /// What this call is to hold at most of a JPEG picture's coefficients (two bytes a sample, in several scans) or an interlaced PNG's
  /// samples, in bytes: more stops it, as `go_on` does.
  int64_t held_bytes;
  /// Asked for every few rows of JPEG, PNG and GIF, on the caller's thread, with `go_on_context`: decoding ends when it
  /// returns 0. NULL decodes to the end.
  int (*go_on)(void *context);
  void *go_on_context;
} mien_image_limits;

/// A decoded picture, as stored: turning it upright is the caller's.
typedef struct {
  /// width * height * channels samples, row by row without padding: grey (1) or RGB (3). Transparent parts lie on white.
  uint8_t *pixels;
  int32_t width;
  int32_t height;
  int32_t channels;
  /// The size of the whole picture.
  int32_t full_width;
  int32_t full_height;
  /// How many pixels of the whole picture one pixel spans along each side: 1, 2, 4 or 8.
  int32_t reduction;
  /// Rows of the whole picture before the first that is missing or may be wrong; full_height where there is none, 0 where
  /// it is not known.
  int32_t good_rows;
  /// Not 0 where the file ends before the picture does.
  int32_t is_cut;
  /// Not 0 where a progressive picture's last scans are missing: every row is there, and coarser than it was.
  int32_t is_coarse;
  /// Not 0 where every row was read although the file is not as it should be.
  int32_t has_flaws;
  /// Not 0 where the picture has transparency and nothing of it can be seen.
  int32_t is_invisible;
  /// The largest sample where samples have 16 bits, else 0.
  int32_t largest_sample;
  /// Pictures in the file, as far as it is known: 1 for most, more for an animation.
  int32_t frames;
  /// JPEG's EXIF block (a TIFF structure), or NULL.
  uint8_t *exif;
  size_t exif_count;
} mien_image;

/// Frees what a decoder put into *image. NULL is allowed.
void mien_image_free(mien_image *image);

/// Reduces a picture of width * height * channels samples, which stays the caller's, to 1/2, 1/4 or 1/8 of its sides, so
/// that it has `decoded_pixels` at most, or to 1/8: each pixel is the mean of those that it stands for.
int32_t mien_image_reduce(const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, int64_t decoded_pixels,
                          mien_image *image, char *error);

/// Decodes a JPEG file as far as libjpeg can make sense of it.
int32_t mien_image_decode_jpeg(const uint8_t *bytes, size_t count, const mien_image_limits *limits, mien_image *image,
                               char *error);

/// Decodes a PNG file, as far as it goes. 16-bit samples are scaled so that `white` becomes 255; 0 stands for 65535.
int32_t mien_image_decode_png(const uint8_t *bytes, size_t count, const mien_image_limits *limits, int32_t white,
                              mien_image *image, char *error);

/// Decodes the first picture of a GIF file, on its canvas, and counts the others.
int32_t mien_image_decode_gif(const uint8_t *bytes, size_t count, const mien_image_limits *limits, mien_image *image,
                              char *error);

/// Decodes the primary picture of a HEIC or AVIF file, upright, with the libheif called `library`.
///
/// The limits are those of the finished picture. What it is put together from is not looked at: libheif decodes tiles as
/// often as they are referred to, at any size, and follows references in circles until the stack is full. So files of others
/// are checked before (HEIFFile.swift).
int32_t mien_image_decode_heif(const char *library, const uint8_t *bytes, size_t count, const mien_image_limits *limits,
                               mien_image *image, char *error);

#ifdef __cplusplus
}
#endif

#endif
