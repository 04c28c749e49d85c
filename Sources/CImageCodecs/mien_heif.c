#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <libheif/heif.h>

#include "rows.h"

// Every function that is used: the library is loaded by name, so that programs start where it is not installed.
#define FUNCTIONS(X)                        \
  X(heif_context_alloc)                     \
  X(heif_context_free)                      \
  X(heif_context_read_from_memory_without_copy) \
  X(heif_context_get_primary_image_handle)  \
  X(heif_context_get_number_of_top_level_images) \
  X(heif_image_handle_get_width)            \
  X(heif_image_handle_get_height)           \
  X(heif_image_handle_has_alpha_channel)    \
  X(heif_image_handle_release)              \
  X(heif_have_decoder_for_format)           \
  X(heif_decoding_options_alloc)            \
  X(heif_decoding_options_free)             \
  X(heif_decode_image)                      \
  X(heif_image_get_width)                   \
  X(heif_image_get_height)                  \
  X(heif_image_get_plane_readonly)          \
  X(heif_image_release)

#define MEMBER(name) __typeof__(&name) name;
typedef struct {
  FUNCTIONS(MEMBER)
  /// How many things the decoder found wrong; NULL before libheif 1.13.
  int (*count_warnings)(struct heif_image *picture, int first, struct heif_error *warnings, int most);
} functions;

/// Looks all functions up; the library stays loaded. 0 where it or one of them is missing.
static int load(const char *library, functions *heif) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return 0;
#define LOOK_UP(name)                                   \
  heif->name = (__typeof__(&name))dlsym(handle, #name); \
  if (!heif->name) return 0;
  FUNCTIONS(LOOK_UP)
  heif->count_warnings = (__typeof__(heif->count_warnings))dlsym(handle, "heif_image_get_decoding_warnings");
  return 1;
}

/// What is freed at the end, in this order.
typedef struct {
  struct heif_image *picture;
  struct heif_image_handle *handle;
  struct heif_decoding_options *options;
  struct heif_context *context;
} resources;

static int32_t failed(struct heif_error problem, mien_image *image, char *error) {
  image->is_cut = problem.subcode == heif_suberror_End_of_data;
  const int is_unknown = problem.code == heif_error_Unsupported_feature || problem.code == heif_error_Unsupported_filetype;
  return mien_image_fail(is_unknown ? MIEN_IMAGE_UNSUPPORTED : MIEN_IMAGE_DAMAGED, error, "%s",
                         problem.message ? problem.message : "no reason given");
}

static int32_t decode(const functions *heif, resources *held, const uint8_t *bytes, size_t count,
                      const mien_image_limits *limits, mien_image *image, char *error) {
  held->context = heif->heif_context_alloc();
  if (!held->context) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  const int64_t most = limits->pixels < limits->whole_pixels ? limits->pixels : limits->whole_pixels;
  struct heif_error problem = heif->heif_context_read_from_memory_without_copy(held->context, bytes, count, NULL);
  if (problem.code == heif_error_Memory_allocation_error) {
    return mien_image_fail(MIEN_IMAGE_TOO_LARGE, error, "%s", problem.message ? problem.message : "it is too large");
  }
  if (problem.code != heif_error_Ok) return failed(problem, image, error);
  problem = heif->heif_context_get_primary_image_handle(held->context, &held->handle);
  if (problem.code != heif_error_Ok) return failed(problem, image, error);
  int32_t status = mien_image_set_size(image, heif->heif_image_handle_get_width(held->handle),
                                       heif->heif_image_handle_get_height(held->handle), most, error);
  if (status != MIEN_IMAGE_OK) return status;
  image->frames = heif->heif_context_get_number_of_top_level_images(held->context);
  const int has_alpha = heif->heif_image_handle_has_alpha_channel(held->handle);
  held->options = heif->heif_decoding_options_alloc();
  if (!held->options) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "out of memory");
  held->options->convert_hdr_to_8bit = 1;
  problem = heif->heif_decode_image(held->handle, &held->picture, heif_colorspace_RGB,
                                    has_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, held->options);
  if (problem.code != heif_error_Ok) return failed(problem, image, error);
  int stride = 0;
  const uint8_t *plane = heif->heif_image_get_plane_readonly(held->picture, heif_channel_interleaved, &stride);
  // The picture itself decides, should its header have said otherwise.
  status = mien_image_set_size(image, heif->heif_image_get_width(held->picture, heif_channel_interleaved),
                               heif->heif_image_get_height(held->picture, heif_channel_interleaved), most, error);
  if (status != MIEN_IMAGE_OK) return status;
  if (!plane || stride < image->full_width * (has_alpha ? 4 : 3)) {
    return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "libheif gave no pixels");
  }
  image->reduction = mien_image_reduction_for(image, limits->decoded_pixels);
  status = mien_image_allocate(image, 3, error);
  if (status != MIEN_IMAGE_OK) return status;
  mien_rows rows;
  status = mien_rows_start(&rows, image, has_alpha, 1, 0, error);
  if (status != MIEN_IMAGE_OK) return status;
  for (int32_t row = 0; row < image->full_height; ++row) mien_rows_add(&rows, plane + (size_t)row * (size_t)stride);
  mien_rows_end(&rows);
  image->good_rows = image->full_height;
  image->has_flaws = heif->count_warnings && heif->count_warnings(held->picture, 0, NULL, 0) > 0;
  return MIEN_IMAGE_OK;
}

/// Whether a brand of the file's type box, which stands first, is one of AVIF's.
static int is_avif(const uint8_t *bytes, size_t count) {
  if (count < 16) return 0;
  const size_t length = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
  for (size_t offset = 8; offset + 4 <= length && offset + 4 <= count && offset < 256; offset += 4) {
    if (memcmp(bytes + offset, "avif", 4) == 0 || memcmp(bytes + offset, "avis", 4) == 0) return 1;
  }
  return 0;
}

int32_t mien_image_decode_heif(const char *library, const uint8_t *bytes, size_t count, const mien_image_limits *limits,
                               mien_image *image, char *error) {
  if (!mien_image_arguments(bytes, count, limits, image, error)) return MIEN_IMAGE_INVALID;
  if (!library) return mien_image_fail(MIEN_IMAGE_INVALID, error, "the library's name is null");
  functions heif;
  if (!load(library, &heif)) return mien_image_fail(MIEN_IMAGE_MISSING, error, "library");
  if (!heif.heif_have_decoder_for_format(is_avif(bytes, count) ? heif_compression_AV1 : heif_compression_HEVC)) {
    return mien_image_fail(MIEN_IMAGE_MISSING, error, "decoder");
  }
  resources held = {0};
  const int32_t status = decode(&heif, &held, bytes, count, limits, image, error);
  if (held.picture) heif.heif_image_release(held.picture);
  if (held.handle) heif.heif_image_handle_release(held.handle);
  if (held.options) heif.heif_decoding_options_free(held.options);
  if (held.context) heif.heif_context_free(held.context);
  if (status != MIEN_IMAGE_OK) mien_image_free(image);
  return status;
}
