#include <stdlib.h>
#include <string.h>

#include <gif_lib.h>

#include "rows.h"

// Files of more pictures are not counted to the end.
#define MAX_FRAMES 100000

typedef struct {
  const uint8_t *bytes;
  size_t count, offset;
} source;

static int read_bytes(GifFileType *file, GifByteType *target, int length) {
  source *from = file->UserData;
  const size_t left = from->count - from->offset;
  const size_t taken = (size_t)length < left ? (size_t)length : left;
  memcpy(target, from->bytes + from->offset, taken);
  from->offset += taken;
  return (int)taken;
}

/// Repeats the rows of an interlaced frame that are there in those below them that are not.
static void fill_gaps(const GifImageDesc *frame, const uint8_t *done, mien_image *image) {
  const size_t length = (size_t)image->width * 3;
  for (int row = 1; row < frame->Height; ++row) {
    const int32_t y = frame->Top + row;
    if (done[row] || y < 1 || y >= image->full_height) continue;
    memcpy(image->pixels + (size_t)y * length, image->pixels + (size_t)(y - 1) * length, length);
  }
}

/// Draws the frame whose description was just read on the canvas; 0 where its data end early or are damaged.
static int draw(GifFileType *file, int transparent, const mien_image_limits *limits, mien_image *image) {
  const GifImageDesc *frame = &file->Image;
  const ColorMapObject *colors = frame->ColorMap ? frame->ColorMap : file->SColorMap;
  if (!colors || frame->Width <= 0 || frame->Height <= 0) return 0;
  GifPixelType *line = malloc((size_t)frame->Width);
  uint8_t *done = calloc((size_t)frame->Height, 1);
  if (!line || !done) {
    free(line);
    free(done);
    return 0;
  }
  static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
  int is_whole = 1, has_visible = 0;
  for (int pass = frame->Interlace ? 0 : 3; pass < 4 && is_whole; ++pass) {
    const int start = frame->Interlace ? starts[pass] : 0, step = frame->Interlace ? steps[pass] : 1;
    for (int row = start; row < frame->Height; row += step) {
      if (!mien_image_goes_on(limits) || DGifGetLine(file, line, frame->Width) == GIF_ERROR) {
        is_whole = 0;
        break;
      }
      const int32_t y = frame->Top + row;
      done[row] = 1;
      if (!frame->Interlace) image->good_rows = y + 1 < image->full_height ? y + 1 : image->full_height;
      if (y < 0 || y >= image->full_height) continue;
      for (int column = 0; column < frame->Width; ++column) {
        const int32_t x = frame->Left + column;
        if (x < 0 || x >= image->full_width || line[column] == transparent || line[column] >= colors->ColorCount) continue;
        const GifColorType *color = colors->Colors + line[column];
        uint8_t *pixel = image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * 3;
        pixel[0] = color->Red;
        pixel[1] = color->Green;
        pixel[2] = color->Blue;
        has_visible = 1;
      }
    }
  }
  free(line);
  if (!is_whole && frame->Interlace && done[0]) {
    image->is_coarse = 1;
    image->good_rows = image->full_height;
    fill_gaps(frame, done, image);
  }
  free(done);
  image->is_invisible = is_whole && !has_visible;
  if (is_whole) image->good_rows = image->full_height;
  return is_whole;
}

/// Passes over a frame's data.
static int skip(GifFileType *file) {
  int size;
  GifByteType *block = NULL;
  if (DGifGetCode(file, &size, &block) == GIF_ERROR) return 0;
  while (block) {
    if (DGifGetCodeNext(file, &block) == GIF_ERROR) return 0;
  }
  return 1;
}

static int32_t decode(GifFileType *file, const mien_image_limits *limits, mien_image *image, char *error) {
  int transparent = -1;
  image->frames = 0;
  for (;;) {
    GifRecordType type;
    int is_whole = DGifGetRecordType(file, &type) != GIF_ERROR;
    if (is_whole && type == TERMINATE_RECORD_TYPE) break;
    if (is_whole && type == EXTENSION_RECORD_TYPE) {
      int code;
      GifByteType *block = NULL;
      is_whole = DGifGetExtension(file, &code, &block) != GIF_ERROR;
      GraphicsControlBlock control;
      if (is_whole && block && code == GRAPHICS_EXT_FUNC_CODE && image->frames == 0 &&
          DGifExtensionToGCB(block[0], block + 1, &control) != GIF_ERROR) {
        transparent = control.TransparentColor;
      }
      while (is_whole && block) is_whole = DGifGetExtensionNext(file, &block) != GIF_ERROR;
    } else if (is_whole && type == IMAGE_DESC_RECORD_TYPE) {
      is_whole = DGifGetImageDesc(file) != GIF_ERROR;
      if (is_whole && image->frames == 0) {
        // The canvas is enlarged to hold all of the first frame, as browsers do.
        const int right = file->Image.Left + file->Image.Width, bottom = file->Image.Top + file->Image.Height;
        int32_t status = mien_image_set_size(image, file->SWidth > right ? file->SWidth : right,
                                             file->SHeight > bottom ? file->SHeight : bottom,
                                             limits->pixels < limits->whole_pixels ? limits->pixels : limits->whole_pixels,
                                             error);
        if (status == MIEN_IMAGE_OK) status = mien_image_allocate(image, 3, error);
        if (status != MIEN_IMAGE_OK) return status;
        memset(image->pixels, 255, (size_t)image->width * (size_t)image->height * 3);
        is_whole = draw(file, transparent, limits, image);
        if (!is_whole && !mien_image_goes_on(limits)) return mien_image_fail(MIEN_IMAGE_STOPPED, error, "it was stopped");
        ++image->frames;
      } else if (is_whole) {
        is_whole = skip(file);
        if (is_whole && ++image->frames >= MAX_FRAMES) break;
      }
    }
    if (is_whole) continue;
    // Later frames that are damaged cost nothing.
    if (image->frames > 0 && image->good_rows > 0) break;
    const char *words = GifErrorString(file->Error);
    return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "%s", words ? words : "its data end early");
  }
  if (image->frames == 0) return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "there is no picture in it");
  return MIEN_IMAGE_OK;
}

int32_t mien_image_decode_gif(const uint8_t *bytes, size_t count, const mien_image_limits *limits, mien_image *image,
                              char *error) {
  if (!mien_image_arguments(bytes, count, limits, image, error)) return MIEN_IMAGE_INVALID;
  source from = {bytes, count, 0};
  int code = 0;
  GifFileType *file = DGifOpen(&from, read_bytes, &code);
  if (!file) {
    const char *words = GifErrorString(code);
    return mien_image_fail(MIEN_IMAGE_DAMAGED, error, "%s", words ? words : "its header is damaged");
  }
  const int32_t status = decode(file, limits, image, error);
  image->has_flaws = image->is_coarse || image->good_rows < image->full_height;
  image->is_cut = image->has_flaws && from.offset == from.count;
  DGifCloseFile(file, &code);
  if (status != MIEN_IMAGE_OK) mien_image_free(image);
  return status;
}
