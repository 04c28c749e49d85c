#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "rows.h"

// What a chunk that is no pixels may take.
#define MAX_CHUNK_BYTES (8 << 20)
// Bytes of all rows, which take more than three seconds to unpack: 150 million pixels of 16-bit RGB.
#define MAX_UNPACKED_BYTES 900000000LL
// How many bytes of pixels are asked for at a time.
#define PIECE_BYTES 256
// Bytes of a chunk of pixels that are read after the last row, which may stand for a thousand times as many.
#define MAX_SURPLUS_BYTES (16 << 10)

/// A decoder with what happened to it.
typedef struct {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count, offset;
  int has_ended, has_bad_sum, passes, pass;
  /// While rows are read: after the last one libpng goes on to the end of the pixels' data, however long they are.
  int is_reading;
  /// Bytes of them so far; whether they were too many, and whether the caller had enough.
  size_t surplus;
  int has_surplus, is_stopped;
  const mien_image_limits *limits;
  char words[MIEN_IMAGE_MESSAGE];
  mien_rows rows;
  /// An interlaced picture's rows, one after another; else one row.
  uint8_t *samples;
} decoder;

static void fail(png_structp png, png_const_charp words) {
  decoder *self = png_get_error_ptr(png);
  strncpy(self->words, words, sizeof self->words - 1);
  png_longjmp(png, 1);
}

/// Warnings are about colour profiles, text and the like, and about wrong sums of chunks: those that count for the picture
/// have a capital first.
static void warn(png_structp png, png_const_charp words) {
  decoder *self = png_get_error_ptr(png);
  if (strstr(words, "CRC error") && words[0] >= 'A' && words[0] <= 'Z') self->has_bad_sum = 1;
}

static void read_bytes(png_structp png, png_bytep target, size_t length) {
  decoder *self = png_get_io_ptr(png);
  if (length > self->count - self->offset) {
    self->has_ended = 1;
    png_error(png, "its data end early");
  }
  memcpy(target, self->bytes + self->offset, length);
  self->offset += length;
  if (!mien_image_goes_on(self->limits)) {
    self->is_stopped = 1;
    png_error(png, "it was stopped");
  }
  // libpng counts the rows of each of the seven passes of an interlaced picture.
  const int has_all = png_get_current_pass_number(png) > 6 ||
                      png_get_current_row_number(png) >= png_get_image_height(png, self->info);
  if (self->is_reading && has_all && (self->surplus += length) > MAX_SURPLUS_BYTES) {
    self->has_surplus = 1;
    png_error(png, "its pixels' data are too long");
  }
}

/// Reads the header and sees to it that rows come as grey or RGB, with or without alpha.
static int32_t prepare(decoder *self, const mien_image_limits *limits, int32_t white, mien_image *image, char *error) {
  png_structp png = self->png;
  png_infop info = self->info;
  png_set_read_fn(png, self, read_bytes);
  // The limits are ours; libpng's own are smaller for sides.
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_chunk_malloc_max(png, MAX_CHUNK_BYTES);
  // Texts, profiles and the like are passed over: libpng would unpack them.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  // A file that is cut is read up to the last of such pieces.
  png_set_compression_buffer_size(png, PIECE_BYTES);
  // A wrong sum is told; the data decide whether the picture can be read.
  png_set_crc_action(png, PNG_CRC_WARN_USE, PNG_CRC_WARN_DISCARD);
  png_read_info(png, info);
  int32_t status = mien_image_set_size(image, png_get_image_width(png, info), png_get_image_height(png, info),
                                       limits->pixels, error);
  if (status != MIEN_IMAGE_OK) return status;
  const int is_interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
  if (is_interlaced && (int64_t)image->full_width * image->full_height > limits->whole_pixels) {
    return mien_image_fail(MIEN_IMAGE_TOO_LARGE, error, "an interlaced picture has to be decoded whole");
  }
  png_set_expand(png);
  self->passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const int type = png_get_color_type(png, info);
  image->reduction = mien_image_reduction_for(image, limits->decoded_pixels);
  status = mien_image_allocate(image, type & PNG_COLOR_MASK_COLOR ? 3 : 1, error);
  if (status != MIEN_IMAGE_OK) return status;
  status = mien_rows_start(&self->rows, image, (type & PNG_COLOR_MASK_ALPHA) != 0,
                           png_get_bit_depth(png, info) == 16 ? 2 : 1, white, error);
  if (status != MIEN_IMAGE_OK) return status;
  const size_t stride = png_get_rowbytes(png, info);
  if ((int64_t)stride * image->full_height > MAX_UNPACKED_BYTES) {
    return mien_image_fail(MIEN_IMAGE_TOO_COSTLY, error, "its %lld million bytes of samples are more than %lld million",
                           (long long)stride * image->full_height / 1000000, MAX_UNPACKED_BYTES / 1000000);
  }
  const int64_t held = (int64_t)stride * image->full_height;
  if (is_interlaced && held > limits->whole_bytes) {
    return mien_image_fail(MIEN_IMAGE_TOO_LARGE, error, "an interlaced picture has to be decoded whole");
  }
  if (is_interlaced && held > limits->held_bytes) return mien_image_fail(MIEN_IMAGE_STOPPED, error, "it holds its samples");
  self->samples = calloc(self->passes > 1 ? (size_t)image->full_height : 1, stride);
  return self->samples ? MIEN_IMAGE_OK : mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
}

/// Hands on what is there of an interlaced picture.
static void take_blocks(decoder *self, const mien_image *image) {
  const size_t stride = png_get_rowbytes(self->png, self->info);
  for (int32_t row = 0; row < image->full_height; ++row) mien_rows_add(&self->rows, self->samples + (size_t)row * stride);
}

static void read_rows(decoder *self, const mien_image *image) {
  const size_t stride = png_get_rowbytes(self->png, self->info);
  self->is_reading = 1;
  for (; self->pass < self->passes; ++self->pass) {
    for (int32_t row = 0; row < image->full_height; ++row) {
      // An interlaced picture's early pixels stand for the block around them until the others come.
      uint8_t *samples = self->samples + (self->passes > 1 ? (size_t)row * stride : 0);
      png_read_row(self->png, self->passes > 1 ? NULL : samples, self->passes > 1 ? samples : NULL);
      if (self->passes == 1) mien_rows_add(&self->rows, samples);
    }
  }
  self->is_reading = 0;
  if (self->passes > 1) take_blocks(self, image);
  png_read_end(self->png, NULL);
}

static int32_t decode(decoder *self, const mien_image_limits *limits, int32_t white, mien_image *image, char *error) {
  self->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, self, fail, warn);
  if (!self->png) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  self->info = png_create_info_struct(self->png);
  if (!self->info) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  if (setjmp(png_jmpbuf(self->png)) == 0) {
    const int32_t status = prepare(self, limits, white, image, error);
    if (status != MIEN_IMAGE_OK) return status;
    read_rows(self, image);
    image->good_rows = image->full_height;
  } else if (self->is_stopped) {
    return mien_image_fail(MIEN_IMAGE_STOPPED, error, "%s", self->words);
  } else if (self->has_surplus) {
    // The last row was there before.
    if (self->passes > 1) {
      take_blocks(self, image);
    } else {
      mien_rows_add(&self->rows, self->samples);
    }
    image->has_flaws = 1;
    image->good_rows = image->full_height;
  } else {
    image->is_cut = self->has_ended;
    image->has_flaws = 1;
    if (self->samples && self->pass > 0 && self->rows.rows == 0) {
      image->is_coarse = 1;
      take_blocks(self, image);
    }
    if (!self->samples || self->rows.rows == 0) {
      return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "%s", self->words);
    }
    image->good_rows = self->rows.rows;
  }
  // Which rows a wrong sum stands for is not known.
  if (self->has_bad_sum) image->good_rows = 0;
  return MIEN_IMAGE_OK;
}

int32_t mien_image_decode_png(const uint8_t *bytes, size_t count, const mien_image_limits *limits, int32_t white,
                              mien_image *image, char *error) {
  if (!mien_image_arguments(bytes, count, limits, image, error)) return MIEN_IMAGE_INVALID;
  decoder *self = calloc(1, sizeof *self);
  if (!self) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  self->bytes = bytes;
  self->count = count;
  self->limits = limits;
  const int32_t status = decode(self, limits, white, image, error);
  png_destroy_read_struct(&self->png, &self->info, NULL);
  mien_rows_end(&self->rows);
  free(self->samples);
  free(self);
  if (status != MIEN_IMAGE_OK) mien_image_free(image);
  return status;
}
