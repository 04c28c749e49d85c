// Turns decoded frames into upright RGB of 8 bits with square pixels.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <opencv2/core.hpp>

extern "C" {
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

/// How a stored frame is turned to be shown: its rows and columns swapped first, then mirrored.
struct Orientation {
  bool isTransposed = false;
  bool isMirrored = false;
  bool isUpsideDown = false;

  /// Nearest to what a display matrix of FFmpeg's says (16.16 fixed point, 3x3); NULL is upright.
  static Orientation of(const int32_t *matrix);
};

/// HDR signals of BT.2100 as SDR of BT.709: reference white of 203 nits (BT.2408) stays just under white, what is brighter is
/// compressed.
class ToneMap {
 public:
  enum class Transfer { hlg, pq };
  ToneMap(Transfer transfer, bool isFullRange);

  /// Shows 4:2:0 of ten bits, by the matrix of BT.2020, as RGB of 8 bits.
  void apply(const AVFrame &frame, cv::Mat &shown) const;

 private:
  /// RGB in the lower three bytes by blue chroma, red chroma and luma of the signal, in steps of 8, 8 and 16 of 1024.
  static constexpr int kChromaSteps = 129, kLumaSteps = 65;
  std::vector<uint32_t> table_;
};

/// Converts the frames of one stream.
class FrameConverter {
 public:
  /// For frames of a stored size, shown turned and with pixels `aspect` times as wide as high.
  FrameConverter(int width, int height, double aspect, Orientation orientation);

  /// Has `convert` give frames of 1/2, 1/4 or 1/8 of the sides, rounded up.
  void reduce(int reduction);

  /// Size of what `convert` gives.
  int width() const { return orientation_.isTransposed ? shown_.height : shown_.width; }
  int height() const { return orientation_.isTransposed ? shown_.width : shown_.height; }

  /// The frame as RGB; it lives until the next call.
  const cv::Mat &convert(const AVFrame &frame);

 private:
  const AVFrame &whole(const AVFrame &frame);
  void scale(const AVFrame &frame, AVPixelFormat target, uint8_t *const *planes, const int *strides);
  const cv::Mat &toneMapped(const AVFrame &frame);

  struct FreeContext {
    void operator()(SwsContext *context) const { sws_freeContext(context); }
  };
  struct FreeFrame {
    void operator()(AVFrame *frame) const { av_frame_free(&frame); }
  };

  cv::Size shown_;
  Orientation orientation_;
  std::unique_ptr<SwsContext, FreeContext> context_;
  std::unique_ptr<AVFrame, FreeFrame> deinterlaced_;
  std::unique_ptr<AVFrame, FreeFrame> tenBits_;
  std::unique_ptr<ToneMap> toneMap_;
  int matrix_ = -1;
  bool isFullRange_ = false;
  cv::Mat scaled_;
  cv::Mat packed_;
  cv::Mat turned_;
  cv::Mat mirrored_;
  cv::Mat result_;
};
