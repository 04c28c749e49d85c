#include "frame_converter.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include <opencv2/imgproc.hpp>

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

Orientation Orientation::of(const int32_t *matrix) {
  Orientation orientation;
  if (!matrix) return orientation;
  // A step to the right in the stored frame leads to (a, b) where it is shown, a step down to (c, d).
  const int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  orientation.isTransposed = std::abs(b) > std::abs(a);
  orientation.isMirrored = (orientation.isTransposed ? c : a) < 0;
  orientation.isUpsideDown = (orientation.isTransposed ? b : d) < 0;
  return orientation;
}

namespace {

/// The brightest light that is told apart, in units of reference white: 1000 nits.
constexpr float kBrightest = 1000.0f / 203;

/// Light up to here stays as it is; what is brighter bends towards white.
constexpr float kKnee = 0.6f;

float compressed(float light) {
  return light <= kKnee ? light : kKnee + (1 - kKnee) * (1 - std::exp((kKnee - light) / (1 - kKnee)));
}

/// BT.2100's inverse opto-electronic transfer function of HLG, 0 to 1.
float lightOfHLG(float signal) {
  constexpr float a = 0.17883277f, b = 1 - 4 * a;
  const float c = 0.5f - a * std::log(4 * a);
  return signal <= 0.5f ? signal * signal / 3 : (std::exp((signal - c) / a) + b) / 12;
}

/// BT.2100's electro-optical transfer function of PQ, in units of reference white.
float lightOfPQ(float signal) {
  constexpr float m1 = 0.1593017578125f, m2 = 78.84375f, c1 = 0.8359375f, c2 = 18.8515625f, c3 = 18.6875f;
  const float power = std::pow(signal, 1 / m2);
  return 10000.0f / 203 * std::pow(std::max(power - c1, 0.0f) / (c2 - c3 * power), 1 / m1);
}

/// Light of 0 to 1 as a value of BT.1886.
uint32_t shownValue(float light) {
  return uint32_t(std::lround(255 * std::pow(std::clamp(light, 0.0f, 1.0f), 1 / 2.4f)));
}

/// RGB of a signal of 0 to 1, in the lower three bytes.
uint32_t shownColour(ToneMap::Transfer transfer, float luma, float cb, float cr) {
  const bool isHLG = transfer == ToneMap::Transfer::hlg;
  const auto light = [&](float signal) {
    signal = std::clamp(signal, 0.0f, 1.0f);
    return isHLG ? lightOfHLG(signal) : lightOfPQ(signal);
  };
  float red = light(luma + 1.4746f * cr), green = light(luma - 0.16455f * cb - 0.57135f * cr),
        blue = light(luma + 1.8814f * cb);
  float factor = 1;
  if (isHLG) {
    // A display of 1000 nits shows a scene's luminance to the power of 1.2.
    const float scene = 0.2627f * red + 0.678f * green + 0.0593f * blue;
    factor = kBrightest * std::pow(std::max(scene, 1e-6f), 0.2f);
  }
  const float largest = std::min(factor * std::max({red, green, blue}), kBrightest);
  if (largest > 0) factor *= compressed(largest) / largest;
  red *= factor, green *= factor, blue *= factor;
  // From the primaries of BT.2020 to those of BT.709 (BT.2087).
  return shownValue(1.6605f * red - 0.5876f * green - 0.0728f * blue) |
         shownValue(-0.1246f * red + 1.1329f * green - 0.0083f * blue) << 8 |
         shownValue(-0.0182f * red - 0.1006f * green + 1.1187f * blue) << 16;
}

}  // namespace

ToneMap::ToneMap(Transfer transfer, bool isFullRange) {
  const float offset = isFullRange ? 0 : 64, lumaRange = isFullRange ? 1023 : 876, chromaRange = isFullRange ? 1023 : 896;
  table_.resize(size_t(kChromaSteps) * kChromaSteps * kLumaSteps);
  auto *entry = table_.data();
  for (int blue = 0; blue < kChromaSteps; ++blue) {
    for (int red = 0; red < kChromaSteps; ++red) {
      const float cb = float(8 * blue - 512) / chromaRange, cr = float(8 * red - 512) / chromaRange;
      for (int luma = 0; luma < kLumaSteps; ++luma) {
        *entry++ = shownColour(transfer, (float(16 * luma) - offset) / lumaRange, cb, cr);
      }
    }
  }
}

void ToneMap::apply(const AVFrame &frame, cv::Mat &shown) const {
  shown.create(frame.height, frame.width, CV_8UC3);
  // Chroma between two steps goes to either in turn, so that areas keep their mean.
  static constexpr uint32_t kDither[2][4] = {{0, 4, 1, 5}, {6, 2, 7, 3}};
  const auto line = [&](int plane, int row) {
    return reinterpret_cast<const uint16_t *>(frame.data[plane] + ptrdiff_t(row) * frame.linesize[plane]);
  };
  cv::parallel_for_(cv::Range(0, frame.height), [&](const cv::Range &rows) {
    for (int row = rows.start; row < rows.end; ++row) {
      const uint16_t *luma = line(0, row), *blue = line(1, row / 2), *red = line(2, row / 2);
      const uint32_t *dither = kDither[row / 2 % 2];
      uint8_t *pixel = shown.ptr<uint8_t>(row);
      for (int column = 0; column < frame.width; ++column, pixel += 3) {
        // Ten bits, whatever a damaged frame holds.
        const uint32_t y = luma[column] & 1023, cb = blue[column / 2] & 1023, cr = red[column / 2] & 1023;
        const uint32_t extra = dither[column / 2 % 4];
        const uint32_t *entry =
            &table_[(size_t((cb + extra) >> 3) * kChromaSteps + ((cr + extra) >> 3)) * kLumaSteps + (y >> 4)];
        const uint32_t low = entry[0], high = entry[1], share = y & 15;
        for (int i = 0; i < 3; ++i) {
          pixel[i] = uint8_t(((low >> 8 * i & 255) * (16 - share) + (high >> 8 * i & 255) * share + 8) >> 4);
        }
      }
    }
  });
}

namespace {

/// Where something moved between the fields, samples of the later one lie outside their neighbours of the earlier one, above
/// and below: they are brought in, but for the threshold. What stands still keeps its resolution.
template <typename Sample>
void mend(const Sample *above, Sample *row, const Sample *below, int count, int threshold) {
  for (int i = 0; i < count; ++i) {
    const int low = std::min<int>(above[i], below[i]) - threshold, high = std::max<int>(above[i], below[i]) + threshold;
    row[i] = Sample(std::clamp<int>(row[i], low, high));
  }
}

template <typename Sample>
void mendPlane(uint8_t *data, ptrdiff_t stride, int rows, int count, int first, int threshold) {
  const auto row = [&](int y) { return reinterpret_cast<Sample *>(data + y * stride); };
  for (int y = first; y < rows; y += 2) {
    // At the edges both neighbours are the one that there is.
    mend<Sample>(row(y > 0 ? y - 1 : y + 1), row(y), row(y + 1 < rows ? y + 1 : y - 1), count, threshold);
  }
}

bool isInterlaced(const AVFrame &frame) {
#ifdef AV_FRAME_FLAG_INTERLACED
  return frame.flags & AV_FRAME_FLAG_INTERLACED;
#else
  return frame.interlaced_frame;
#endif
}

bool isTopFieldFirst(const AVFrame &frame) {
#ifdef AV_FRAME_FLAG_TOP_FIELD_FIRST
  return frame.flags & AV_FRAME_FLAG_TOP_FIELD_FIRST;
#else
  return frame.top_field_first;
#endif
}

/// Samples that rows can be compared by: whole bytes, or whole words in this machine's order.
bool isComparable(const AVPixFmtDescriptor &format) {
  const uint64_t others = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT |
                          AV_PIX_FMT_FLAG_BAYER;
  if (format.flags & others) return false;
  return format.comp[0].depth <= 8 || (!(format.flags & AV_PIX_FMT_FLAG_BE) && format.comp[0].depth <= 16);
}

/// The matrix by which a frame's colours are coded; where it does not say, that of its resolution, as players take it.
int coefficients(const AVFrame &frame) {
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709: return SWS_CS_ITU709;
    case AVCOL_SPC_FCC: return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M: return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: return SWS_CS_BT2020;
    case AVCOL_SPC_UNSPECIFIED: return frame.height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
    default: return SWS_CS_ITU601;
  }
}

/// RGB composited on white.
void overWhite(const cv::Mat &transparent, cv::Mat &opaque) {
  opaque.create(transparent.size(), CV_8UC3);
  for (int row = 0; row < transparent.rows; ++row) {
    const uint8_t *from = transparent.ptr<uint8_t>(row);
    uint8_t *to = opaque.ptr<uint8_t>(row);
    for (int column = 0; column < transparent.cols; ++column, from += 4, to += 3) {
      for (int i = 0; i < 3; ++i) to[i] = uint8_t((from[i] * from[3] + 255 * (255 - from[3]) + 127) / 255);
    }
  }
}

/// The format without the old way of saying that its range is full.
AVPixelFormat plain(int format, bool &isFullRange) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P: isFullRange = true; return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: isFullRange = true; return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: isFullRange = true; return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P: isFullRange = true; return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P: isFullRange = true; return AV_PIX_FMT_YUV411P;
    default: return AVPixelFormat(format);
  }
}

}  // namespace

FrameConverter::FrameConverter(int width, int height, double aspect, Orientation orientation)
    : shown_(width, height), orientation_(orientation) {
  // Enlarged, so that nothing is lost. Beyond any format in use the number is taken for a mistake.
  if (!(aspect > 0.2 && aspect < 5) || std::abs(aspect - 1) < 1e-3) return;
  if (aspect > 1) shown_.width = int(std::lround(width * aspect));
  if (aspect < 1) shown_.height = int(std::lround(height / aspect));
}

void FrameConverter::reduce(int reduction) {
  shown_ = cv::Size((shown_.width + reduction - 1) / reduction, (shown_.height + reduction - 1) / reduction);
}

const AVFrame &FrameConverter::whole(const AVFrame &frame) {
  const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(AVPixelFormat(frame.format));
  if (!isInterlaced(frame) || frame.height < 4 || !format || !isComparable(*format)) return frame;
  deinterlaced_.reset(av_frame_clone(&frame));
  if (!deinterlaced_ || av_frame_make_writable(deinterlaced_.get()) < 0) throw std::bad_alloc();
  const int depth = format->comp[0].depth;
  const int first = isTopFieldFirst(frame) ? 1 : 0;
  const int threshold = 2 << std::max(0, depth - 8);
  for (int plane = 0; plane < 4 && deinterlaced_->data[plane]; ++plane) {
    const bool isChroma = plane == 1 || plane == 2;
    const int rows = isChroma ? AV_CEIL_RSHIFT(frame.height, format->log2_chroma_h) : frame.height;
    const int bytes = av_image_get_linesize(AVPixelFormat(frame.format), frame.width, plane);
    if (rows < 2 || bytes <= 0) continue;
    uint8_t *data = deinterlaced_->data[plane];
    const ptrdiff_t stride = deinterlaced_->linesize[plane];
    if (depth <= 8) {
      mendPlane<uint8_t>(data, stride, rows, bytes, first, threshold);
    } else {
      mendPlane<uint16_t>(data, stride, rows, bytes / 2, first, threshold);
    }
  }
  return *deinterlaced_;
}

void FrameConverter::scale(const AVFrame &frame, AVPixelFormat target, uint8_t *const *planes, const int *strides) {
  bool isFullRange = frame.color_range == AVCOL_RANGE_JPEG;
  const AVPixelFormat format = plain(frame.format, isFullRange);
  const SwsContext *last = context_.get();
  // Without this flag, frames that are scaled are two levels too dark.
  const bool isScaled = frame.width != shown_.width || frame.height != shown_.height;
  const int flags = SWS_BICUBIC | (isScaled ? SWS_FULL_CHR_H_INT : 0);
  context_.reset(sws_getCachedContext(
      context_.release(), frame.width, frame.height, format, shown_.width, shown_.height, target, flags, nullptr, nullptr,
      nullptr));
  if (!context_) throw std::runtime_error("FFmpeg cannot convert the frame's kind of pixels");
  const int matrix = coefficients(frame);
  if (context_.get() != last || matrix != matrix_ || isFullRange != isFullRange_) {
    const bool keepsRange = target == AV_PIX_FMT_YUV420P10;
    // Fails for frames that are RGB already, which need no matrix.
    sws_setColorspaceDetails(
        context_.get(), sws_getCoefficients(matrix), isFullRange, sws_getCoefficients(keepsRange ? matrix : SWS_CS_DEFAULT),
        keepsRange ? isFullRange : 1, 0, 1 << 16, 1 << 16);
    matrix_ = matrix, isFullRange_ = isFullRange;
  }
  if (sws_scale(context_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides) != shown_.height) {
    throw std::runtime_error("FFmpeg cannot convert the frame's kind of pixels");
  }
}

const cv::Mat &FrameConverter::toneMapped(const AVFrame &frame) {
  if (!toneMap_) {
    const bool isHLG = frame.color_trc == AVCOL_TRC_ARIB_STD_B67;
    toneMap_ = std::make_unique<ToneMap>(
        isHLG ? ToneMap::Transfer::hlg : ToneMap::Transfer::pq, frame.color_range == AVCOL_RANGE_JPEG);
  }
  if (frame.format == AV_PIX_FMT_YUV420P10 && frame.width == shown_.width && frame.height == shown_.height) {
    toneMap_->apply(frame, packed_);
    return packed_;
  }
  if (!tenBits_) {
    tenBits_.reset(av_frame_alloc());
    if (!tenBits_) throw std::bad_alloc();
    tenBits_->format = AV_PIX_FMT_YUV420P10;
    tenBits_->width = shown_.width;
    tenBits_->height = shown_.height;
    if (av_frame_get_buffer(tenBits_.get(), 64) < 0) throw std::bad_alloc();
  }
  scale(frame, AV_PIX_FMT_YUV420P10, tenBits_->data, tenBits_->linesize);
  toneMap_->apply(*tenBits_, packed_);
  return packed_;
}

const cv::Mat &FrameConverter::convert(const AVFrame &stored) {
  const AVFrame &frame = whole(stored);
  const AVPixFmtDescriptor *description = av_pix_fmt_desc_get(AVPixelFormat(frame.format));
  if (!description) throw std::runtime_error("FFmpeg does not tell the frame's kind of pixels");
  const bool isYUV = !(description->flags & AV_PIX_FMT_FLAG_RGB);
  cv::Mat shown;
  if (isYUV && (frame.color_trc == AVCOL_TRC_ARIB_STD_B67 || frame.color_trc == AVCOL_TRC_SMPTE2084)) {
    shown = toneMapped(frame);
  } else {
    // Rows end on 64 bytes: the conversion writes whole vectors.
    const bool hasAlpha = description->flags & AV_PIX_FMT_FLAG_ALPHA || frame.format == AV_PIX_FMT_PAL8;
    scaled_.create(shown_.height + 1, (shown_.width + 63) / 64 * 64, hasAlpha ? CV_8UC4 : CV_8UC3);
    uint8_t *planes[4] = {scaled_.data};
    const int strides[4] = {int(scaled_.step)};
    scale(frame, hasAlpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24, planes, strides);
    shown = scaled_(cv::Rect(0, 0, shown_.width, shown_.height));
    if (hasAlpha) {
      overWhite(shown, packed_);
      shown = packed_;
    }
  }

  if (orientation_.isTransposed) {
    cv::transpose(shown, turned_);
    shown = turned_;
  }
  if (orientation_.isMirrored || orientation_.isUpsideDown) {
    const bool isBoth = orientation_.isMirrored && orientation_.isUpsideDown;
    cv::flip(shown, mirrored_, isBoth ? -1 : orientation_.isMirrored ? 1 : 0);
    shown = mirrored_;
  }
  result_ = shown;
  return result_;
}
