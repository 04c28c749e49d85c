#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
// After jpeglib.h, which it builds upon.
#include <jerror.h>

#include "rows.h"

// Encoders write about ten scans; each costs a pass over the whole picture, however few bytes it has.
#define MAX_SCANS 200
// Samples of all scans together, a few of which pass over each sample: about six in photos, so that the largest picture whose
// coefficients fit in memory needs 1,900 million. It takes two seconds if the scans are next to empty.
#define MAX_SCANNED_SAMPLES 3000000000LL
// How much longer arithmetic decoding takes for a sample, whatever the file's size.
#define ARITHMETIC_COST 4
// Failures of ours beside libjpeg's, which count from 0 on.
#define TOO_MANY_SCANS (-1)
#define STOPPED (-2)
// What the coefficients of a picture in several scans may take in memory: two bytes a sample.
#define MAX_COEFFICIENT_BYTES (640LL << 20)
// A file may begin several times.
#define MAX_STARTS 8

/// A decoder with what happened to it.
typedef struct {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  /// The code and the words of the error that ended decoding.
  int failure;
  char words[JMSG_LENGTH_MAX];
  /// Whether the bytes ran out, whether something is out of place, and the first row that may be wrong, -1 for none.
  int has_ended, has_flaws, is_coarse;
  int64_t first_bad_row;
  uint8_t *line;
  const mien_image_limits *limits;
  /// The scan that was counted last, and the samples of all scans, also of earlier attempts.
  int counted_scan;
  int64_t *scanned;
} decoder;

static decoder *of(j_common_ptr info) { return info->client_data; }

static void fail(j_common_ptr info) {
  decoder *self = of(info);
  self->failure = info->err->msg_code;
  info->err->format_message(info, self->words);
  longjmp(self->escape, 1);
}

static void ignore(j_common_ptr info) { (void)info; }

/// Sorts warnings: what libjpeg mends without loss, and what costs rows.
static void warn(j_common_ptr info, int level) {
  decoder *self = of(info);
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
      return;
    case JWRN_JPEG_EOF:
      self->has_ended = 1;
      return;
    case JWRN_EXTRANEOUS_DATA:
      self->has_flaws = 1;
      // Before a restart marker they are blocks that could not be made sense of.
      if (info->err->msg_parm.i[1] < 0xD0 || info->err->msg_parm.i[1] > 0xD7) return;
      break;
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_TOO_MUCH_DATA:
    case JWRN_NOT_SEQUENTIAL:
      self->has_flaws = 1;
      return;
    default:
      break;
  }
  // The later scans of a progressive picture only sharpen it; where they end, no row is missing.
  if (self->has_ended && self->info.progressive_mode && self->info.input_scan_number > 1) {
    self->is_coarse = 1;
  } else if (self->first_bad_row < 0) {
    // Where chroma has fewer rows, the last row above takes some of its colour from below.
    const int64_t row = (int64_t)self->info.input_iMCU_row * self->info.max_v_samp_factor * DCTSIZE;
    self->first_bad_row = row > 0 && self->info.max_v_samp_factor > 1 ? row - 1 : row;
  }
}

/// Ends decoding with a failure of ours.
__attribute__((format(printf, 3, 4))) static void give_up(decoder *self, int failure, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(self->words, sizeof self->words, format, arguments);
  va_end(arguments);
  self->failure = failure;
  longjmp(self->escape, 1);
}

static int64_t samples_of_scan(const struct jpeg_decompress_struct *info) {
  int64_t samples = 0;
  for (int index = 0; index < info->comps_in_scan; ++index) {
    const jpeg_component_info *component = info->cur_comp_info[index];
    samples += (int64_t)component->width_in_blocks * component->height_in_blocks * DCTSIZE2;
  }
  return samples;
}

/// Called by libjpeg for each row of blocks of a scan and for each row of pixels: bounds the work on a picture's scans.
static void watch(j_common_ptr common) {
  decoder *self = of(common);
  const struct jpeg_decompress_struct *info = &self->info;
  if (!mien_image_goes_on(self->limits)) give_up(self, STOPPED, "it was stopped");
  if (info->input_scan_number == self->counted_scan) return;
  self->counted_scan = info->input_scan_number;
  if (info->input_scan_number > MAX_SCANS) give_up(self, TOO_MANY_SCANS, "it has more than %d scans", MAX_SCANS);
  const int cost = info->arith_code ? ARITHMETIC_COST : 1;
  *self->scanned += cost * samples_of_scan(info);
  if (*self->scanned > MAX_SCANNED_SAMPLES) {
    give_up(self, TOO_MANY_SCANS, "its first %d scans pass over more than %d million samples", info->input_scan_number,
            (int)(MAX_SCANNED_SAMPLES / cost / 1000000));
  }
}

/// Keeps the first EXIF block.
static int32_t keep_exif(const struct jpeg_decompress_struct *info, mien_image *image) {
  static const char name[6] = "Exif\0";
  for (jpeg_saved_marker_ptr marker = info->marker_list; marker; marker = marker->next) {
    if (marker->marker != JPEG_APP0 + 1 || marker->data_length <= 6 || memcmp(marker->data, name, 5) != 0) continue;
    image->exif_count = marker->data_length - 6;
    image->exif = malloc(image->exif_count);
    if (!image->exif) return 0;
    memcpy(image->exif, marker->data + 6, image->exif_count);
    return 1;
  }
  return 1;
}

/// Whether scans of a progressive picture are missing that would make its coefficients exact.
static int lacks_scans(const struct jpeg_decompress_struct *info) {
  if (!info->progressive_mode || !info->coef_bits) return 0;
  for (int component = 0; component < info->num_components; ++component) {
    for (int index = 0; index < DCTSIZE2; ++index) {
      if (info->coef_bits[component][index] != 0) return 1;
    }
  }
  return 0;
}

static int64_t coefficient_bytes(const struct jpeg_decompress_struct *info) {
  int64_t bytes = 0;
  for (int index = 0; index < info->num_components; ++index) {
    const jpeg_component_info *component = info->comp_info + index;
    bytes += (int64_t)component->width_in_blocks * component->height_in_blocks * (int64_t)sizeof(JBLOCK);
  }
  return bytes;
}

/// Rows of CMYK as RGB. All known writers store ink inverted (0 is full), whether they mark it or not.
static void to_rgb(uint8_t *line, int64_t width) {
  const uint8_t *from = line;
  for (int64_t column = 0; column < width; ++column, from += 4, line += 3) {
    const int black = from[3];
    for (int channel = 0; channel < 3; ++channel) line[channel] = (uint8_t)((from[channel] * black + 127) / 255);
  }
}

/// Reads rows until the picture ends or libjpeg gives up.
static int32_t read_rows(decoder *self, const mien_image_limits *limits, mien_image *image, char *error) {
  struct jpeg_decompress_struct *info = &self->info;
  if (info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK) {
    info->out_color_space = JCS_CMYK;
  } else if (info->jpeg_color_space == JCS_GRAYSCALE || info->num_components == 1) {
    info->out_color_space = JCS_GRAYSCALE;
  } else if (info->num_components == 3) {
    info->out_color_space = JCS_RGB;
  } else {
    return mien_image_fail(MIEN_IMAGE_UNSUPPORTED, error, "its %d colour channels are none that is known",
                           info->num_components);
  }
  image->reduction = mien_image_reduction_for(image, limits->decoded_pixels);
  info->scale_num = 1;
  info->scale_denom = (unsigned)image->reduction;
  if (jpeg_has_multiple_scans(info)) {
    const int64_t held = coefficient_bytes(info);
    if (held > MAX_COEFFICIENT_BYTES) {
      return mien_image_fail(MIEN_IMAGE_TOO_LARGE, error, "a progressive picture of this size has to be decoded whole");
    }
    if (held > limits->held_bytes) return mien_image_fail(MIEN_IMAGE_STOPPED, error, "it holds its coefficients");
  }
  if (!keep_exif(info, image)) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  jpeg_start_decompress(info);
  const int32_t status = mien_image_allocate(image, info->out_color_space == JCS_GRAYSCALE ? 1 : 3, error);
  if (status != MIEN_IMAGE_OK) return status;
  if ((int64_t)info->output_width != image->width || (int64_t)info->output_height != image->height) {
    return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "libjpeg reduces it to another size");
  }
  self->line = malloc((size_t)info->output_width * (size_t)info->output_components);
  if (!self->line) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  const size_t length = (size_t)image->width * (size_t)image->channels;
  while (info->output_scanline < info->output_height) {
    uint8_t *target = image->pixels + info->output_scanline * length;
    JSAMPROW row = self->line;
    if (jpeg_read_scanlines(info, &row, 1) != 1) break;
    if (info->out_color_space == JCS_CMYK) to_rgb(self->line, image->width);
    memcpy(target, self->line, length);
  }
  if (self->has_ended && lacks_scans(info)) self->is_coarse = 1;
  jpeg_finish_decompress(info);
  return MIEN_IMAGE_OK;
}

/// One attempt from `bytes` on. *next is where another picture starts within this one's header, else 0.
static int32_t decode(decoder *self, const uint8_t *bytes, size_t count, mien_image *image, size_t *next, char *error) {
  const mien_image_limits *limits = self->limits;
  struct jpeg_decompress_struct *info = &self->info;
  info->err = jpeg_std_error(&self->errors);
  info->client_data = self;
  self->errors.error_exit = fail;
  self->errors.emit_message = warn;
  self->errors.output_message = ignore;
  self->progress.progress_monitor = watch;
  self->first_bad_row = -1;
  int32_t status = MIEN_IMAGE_OK;
  if (setjmp(self->escape) == 0) {
    jpeg_create_decompress(info);
    info->client_data = self;
    info->progress = &self->progress;
    jpeg_mem_src(info, bytes, count);
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xFFFF);
    jpeg_read_header(info, TRUE);
    status = mien_image_set_size(image, info->image_width, info->image_height, limits->pixels, error);
    if (status == MIEN_IMAGE_OK) status = read_rows(self, limits, image, error);
  } else if (self->failure == JERR_SOI_DUPLICATE && !image->pixels && info->src &&
             info->src->next_input_byte >= bytes + 4 && info->src->next_input_byte <= bytes + count) {
    *next = (size_t)(info->src->next_input_byte - 2 - bytes);
    return MIEN_IMAGE_DAMAGED;
  } else if (self->failure == TOO_MANY_SCANS || self->failure == STOPPED) {
    return mien_image_fail(self->failure == STOPPED ? MIEN_IMAGE_STOPPED : MIEN_IMAGE_TOO_COSTLY, error, "%s", self->words);
  } else if (!image->pixels) {
    switch (self->failure) {
      case JERR_BAD_PRECISION:
      case JERR_SOF_UNSUPPORTED:
      case JERR_CCIR601_NOTIMPL:
      case JERR_CONVERSION_NOTIMPL:
      case JERR_EMPTY_IMAGE:
        return mien_image_fail(MIEN_IMAGE_UNSUPPORTED, error, "%s", self->words);
      default:
        image->is_cut = self->has_ended;
        return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "%s", self->words);
    }
  } else if (self->first_bad_row < 0 && info->output_scanline < info->output_height) {
    self->first_bad_row = (int64_t)info->output_scanline * image->reduction;
  } else {
    self->has_flaws = 1;
  }
  if (status != MIEN_IMAGE_OK) return status;
  const int64_t good = self->first_bad_row;
  image->good_rows = good >= 0 && good < image->full_height ? (int32_t)good : image->full_height;
  image->is_cut = self->has_ended;
  image->is_coarse = self->is_coarse;
  image->has_flaws = self->has_flaws || self->has_ended || good >= 0;
  if (image->good_rows > 0) return MIEN_IMAGE_OK;
  return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "none of its rows can be read");
}

/// Where the last segment of tables or of a scan begins, 0 if there is none.
static size_t last_segment(const uint8_t *bytes, size_t count) {
  for (size_t offset = count; offset > 2; --offset) {
    if (bytes[offset - 2] == 0xFF && (bytes[offset - 1] == 0xC4 || bytes[offset - 1] == 0xDA)) return offset - 2;
  }
  return 0;
}

int32_t mien_image_decode_jpeg(const uint8_t *bytes, size_t count, const mien_image_limits *limits, mien_image *image,
                               char *error) {
  if (!mien_image_arguments(bytes, count, limits, image, error)) return MIEN_IMAGE_INVALID;
  // Zeros at the end are what a disk or a transfer lost, unless the end marker stands before them and they do not matter.
  size_t end = count;
  while (end > 0 && bytes[end - 1] == 0) --end;
  if (count - end < 16) end = count;
  size_t start = 0;
  int64_t scanned = 0;
  int32_t status = MIEN_IMAGE_DAMAGED;
  for (int attempt = 0; attempt < MAX_STARTS; ++attempt) {
    mien_image_arguments(bytes, count, limits, image, error);
    decoder *self = calloc(1, sizeof *self);
    if (!self) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
    self->limits = limits;
    self->scanned = &scanned;
    size_t next = 0;
    status = decode(self, bytes + start, end - start, image, &next, error);
    if (attempt > 0) image->has_flaws = 1;
    jpeg_destroy_decompress(&self->info);
    free(self->line);
    free(self);
    if (status != MIEN_IMAGE_OK) mien_image_free(image);
    if (next > 0) {
      start += next;
      mien_image_fail(MIEN_IMAGE_DAMAGED, error, "it has more than %d start markers", MAX_STARTS);
      continue;
    }
    // Cut within the tables of a later scan, a progressive picture shows what the scans before it hold.
    const size_t segment = status == MIEN_IMAGE_DAMAGED && image->is_cut ? last_segment(bytes + start, end - start) : 0;
    if (segment == 0) break;
    end = start + segment;
  }
  return status;
}
