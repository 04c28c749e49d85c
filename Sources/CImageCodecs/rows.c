#include "rows.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int32_t mien_image_fail(int32_t status, char *error, const char *format, ...) {
  if (error) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, MIEN_IMAGE_MESSAGE, format, arguments);
    va_end(arguments);
  }
  return status;
}

int mien_image_arguments(const uint8_t *bytes, size_t count, const mien_image_limits *limits, mien_image *image,
                         char *error) {
  if (!image) return mien_image_fail(0, error, "the picture is null");
  memset(image, 0, sizeof *image);
  image->frames = 1;
  image->reduction = 1;
  if (!bytes || !limits) return mien_image_fail(0, error, "a pointer is null");
  if (count == 0 || count > INT_MAX) return mien_image_fail(0, error, "expected 1 to 2^31 - 1 bytes");
  if (limits->pixels < 1 || limits->decoded_pixels < 1 || limits->whole_pixels < 1) {
    return mien_image_fail(0, error, "expected limits of at least one pixel");
  }
  return 1;
}

int mien_image_goes_on(const mien_image_limits *limits) { return !limits->go_on || limits->go_on(limits->go_on_context); }

void mien_image_free(mien_image *image) {
  if (!image) return;
  free(image->pixels);
  free(image->exif);
  image->pixels = NULL;
  image->exif = NULL;
}

int32_t mien_image_set_size(mien_image *image, int64_t width, int64_t height, int64_t pixels, char *error) {
  if (width <= 0 || height <= 0) {
    return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "its header says %lldx%lld pixels", (long long)width,
                           (long long)height);
  }
  if (width > INT_MAX || height > INT_MAX) return mien_image_fail(MIEN_IMAGE_TOO_LARGE, error, "it is too large");
  image->full_width = (int32_t)width;
  image->full_height = (int32_t)height;
  if (width * height > pixels) return mien_image_fail(MIEN_IMAGE_TOO_LARGE, error, "it is too large");
  return MIEN_IMAGE_OK;
}

static int32_t reduced(int32_t side, int32_t reduction) { return (int32_t)(((int64_t)side + reduction - 1) / reduction); }

int32_t mien_image_reduction_for(const mien_image *image, int64_t pixels) {
  int32_t reduction = 1;
  while (reduction < 8 && (int64_t)reduced(image->full_width, reduction) * reduced(image->full_height, reduction) > pixels) {
    reduction *= 2;
  }
  return reduction;
}

int32_t mien_image_allocate(mien_image *image, int32_t channels, char *error) {
  image->width = reduced(image->full_width, image->reduction);
  image->height = reduced(image->full_height, image->reduction);
  image->channels = channels;
  const size_t count = (size_t)image->width * (size_t)image->height * (size_t)channels;
  image->pixels = malloc(count);
  if (!image->pixels) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  memset(image->pixels, 128, count);
  return MIEN_IMAGE_OK;
}

int32_t mien_rows_start(mien_rows *rows, mien_image *image, int32_t has_alpha, int32_t sample_bytes, int32_t white,
                        char *error) {
  memset(rows, 0, sizeof *rows);
  rows->image = image;
  rows->samples = image->channels + (has_alpha ? 1 : 0);
  rows->has_alpha = has_alpha;
  rows->sample_bytes = sample_bytes;
  rows->white = white > 0 ? white : 65535;
  rows->line = malloc((size_t)image->full_width * (size_t)image->channels);
  if (image->reduction > 1) rows->sums = calloc((size_t)image->width * (size_t)image->channels, sizeof *rows->sums);
  if (!rows->line || (image->reduction > 1 && !rows->sums)) {
    mien_rows_end(rows);
    return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  }
  return MIEN_IMAGE_OK;
}

void mien_rows_end(mien_rows *rows) {
  if (rows->image && rows->line) {
    rows->image->largest_sample = rows->sample_bytes == 2 ? rows->largest : 0;
    rows->image->is_invisible = rows->has_alpha && !rows->has_visible && rows->rows > 0;
  }
  free(rows->line);
  free(rows->sums);
  rows->line = NULL;
  rows->sums = NULL;
}

/// The samples of a row as 8 bits over white, `channels` to a pixel.
static void convert(mien_rows *rows, const uint8_t *row, uint8_t *line) {
  const int32_t channels = rows->image->channels;
  for (int32_t column = 0; column < rows->image->full_width; ++column) {
    int32_t values[4];
    for (int32_t index = 0; index < rows->samples; ++index) {
      if (rows->sample_bytes == 1) {
        values[index] = *row++;
        continue;
      }
      const int32_t wide = row[0] << 8 | row[1];
      row += 2;
      const int is_alpha = index == channels;
      if (!is_alpha && wide > rows->largest) rows->largest = wide;
      const int32_t white = is_alpha ? 65535 : rows->white;
      values[index] = wide >= white ? 255 : (int32_t)(((int64_t)wide * 255 + white / 2) / white);
    }
    const int32_t alpha = rows->has_alpha ? values[channels] : 255;
    if (alpha > 0) rows->has_visible = 1;
    for (int32_t index = 0; index < channels; ++index) {
      *line++ = (uint8_t)((values[index] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
}

void mien_rows_add(mien_rows *rows, const uint8_t *row) {
  mien_image *image = rows->image;
  if (rows->rows >= image->full_height) return;
  const int32_t channels = image->channels, factor = image->reduction;
  const size_t length = (size_t)image->width * (size_t)channels;
  const int is_plain = !rows->has_alpha && rows->sample_bytes == 1;
  if (factor == 1) {
    uint8_t *target = image->pixels + (size_t)rows->rows * length;
    if (is_plain) {
      memcpy(target, row, length);
    } else {
      convert(rows, row, target);
    }
    ++rows->rows;
    return;
  }
  if (!is_plain) {
    convert(rows, row, rows->line);
    row = rows->line;
  }
  for (int32_t column = 0; column < image->full_width; ++column) {
    uint32_t *sum = rows->sums + (size_t)(column / factor) * (size_t)channels;
    for (int32_t channel = 0; channel < channels; ++channel) sum[channel] += *row++;
  }
  ++rows->rows;
  const int32_t collected = (rows->rows - 1) % factor + 1;
  if (collected < factor && rows->rows < image->full_height) return;
  uint8_t *target = image->pixels + (size_t)((rows->rows - 1) / factor) * length;
  for (int32_t column = 0; column < image->width; ++column) {
    const int32_t left = image->full_width - column * factor;
    const uint32_t area = (uint32_t)(collected * (left < factor ? left : factor));
    for (int32_t channel = 0; channel < channels; ++channel) {
      uint32_t *sum = rows->sums + (size_t)column * (size_t)channels + channel;
      *target++ = (uint8_t)((*sum + area / 2) / area);
      *sum = 0;
    }
  }
}

int32_t mien_image_reduce(const uint8_t *pixels, int32_t width, int32_t height, int32_t channels, int64_t decoded_pixels,
                          mien_image *image, char *error) {
  const mien_image_limits limits = {INT64_MAX, decoded_pixels, INT64_MAX, INT64_MAX, INT64_MAX, NULL, NULL};
  if (!mien_image_arguments(pixels, 1, &limits, image, error)) return MIEN_IMAGE_INVALID;
  if (channels != 1 && channels != 3) return mien_image_fail(MIEN_IMAGE_INVALID, error, "expected 1 or 3 channels");
  int32_t status = mien_image_set_size(image, width, height, limits.pixels, error);
  if (status != MIEN_IMAGE_OK) return MIEN_IMAGE_INVALID;
  image->reduction = mien_image_reduction_for(image, decoded_pixels);
  status = mien_image_allocate(image, channels, error);
  if (status != MIEN_IMAGE_OK) return status;
  mien_rows rows;
  status = mien_rows_start(&rows, image, 0, 1, 0, error);
  if (status == MIEN_IMAGE_OK) {
    const size_t length = (size_t)width * (size_t)channels;
    for (int32_t row = 0; row < height; ++row) mien_rows_add(&rows, pixels + (size_t)row * length);
    mien_rows_end(&rows);
    image->good_rows = height;
  } else {
    mien_image_free(image);
  }
  return status;
}
