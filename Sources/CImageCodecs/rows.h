// Internal: collects the rows of a picture as a decoder hands them out.
#pragma once

#include "mien_image_codecs.h"

/// Whether a decoder's arguments can be used; writes a message where they cannot.
int mien_image_arguments(const uint8_t *bytes, size_t count, const mien_image_limits *limits, mien_image *image,
                         char *error);

/// Writes a message for a caller and returns `status`.
int32_t mien_image_fail(int32_t status, char *error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/// Whether decoding should go on, as the caller of the decoder says.
int mien_image_goes_on(const mien_image_limits *limits);

/// Sets the full size of *image. MIEN_IMAGE_TOO_LARGE where it is over `pixels`.
int32_t mien_image_set_size(mien_image *image, int64_t width, int64_t height, int64_t pixels, char *error);

/// The smallest of 1, 2, 4 and 8 that brings the picture under `pixels`.
int32_t mien_image_reduction_for(const mien_image *image, int64_t pixels);

/// Allocates the pixels of a picture of `channels`, all 128, at the size that its reduction gives.
int32_t mien_image_allocate(mien_image *image, int32_t channels, char *error);

/// The state of collecting.
typedef struct {
  mien_image *image;
  /// Samples of a pixel as they come: channels, and one more with alpha.
  int32_t samples;
  int32_t has_alpha;
  /// 1 or 2 bytes a sample, the high byte first.
  int32_t sample_bytes;
  int32_t white;
  int32_t has_visible;
  int32_t largest;
  /// Full rows taken so far.
  int32_t rows;
  /// For reduction: sums of the samples of an unfinished row.
  uint32_t *sums;
  /// One full row, converted.
  uint8_t *line;
} mien_rows;

/// Starts collecting into *image, which has its size, reduction and pixels. `white` is the 16-bit sample that becomes 255.
int32_t mien_rows_start(mien_rows *rows, mien_image *image, int32_t has_alpha, int32_t sample_bytes, int32_t white,
                        char *error);

/// Takes the next full row; more than the picture has are left out.
void mien_rows_add(mien_rows *rows, const uint8_t *row);

/// Ends collecting and frees its memory; safe to call twice.
void mien_rows_end(mien_rows *rows);
