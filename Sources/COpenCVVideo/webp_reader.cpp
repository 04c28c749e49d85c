#include "video_reader.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <opencv2/imgproc.hpp>

#include <webp/demux.h>

namespace {

/// The bytes of a file.
std::vector<uint8_t> contents(const std::string &path) {
  struct Closing {
    FILE *file;
    ~Closing() { fclose(file); }
  };
  FILE *file = fopen(path.c_str(), "rbe");
  if (!file) throw std::runtime_error(std::string("cannot be opened: ") + strerror(errno));
  const Closing closing{file};
  std::vector<uint8_t> bytes;
  std::vector<uint8_t> piece(1 << 16);
  while (const size_t count = fread(piece.data(), 1, piece.size(), file)) {
    // The format's own limit, and a guard against a pipe without an end.
    if (bytes.size() + count > (size_t(1) << 32)) throw std::runtime_error("is larger than a WebP file can be");
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + ptrdiff_t(count));
  }
  if (ferror(file)) throw std::runtime_error(std::string("cannot be read: ") + strerror(errno));
  return bytes;
}

/// The frames of an animated WebP file, which FFmpeg 5.1 to 7.1 do not decode, by libwebp's demuxer. Each is the whole
/// picture as it is shown, composited on white.
class WebPReader final : public mien_opencv_video_reader {
 public:
  explicit WebPReader(const mien_opencv_video_source &source) : bytes_(contents(source.location)) {
    const WebPData data{bytes_.data(), bytes_.size()};
    const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> file(WebPDemux(&data), &WebPDemuxDelete);
    if (!file) throw std::runtime_error("the file is damaged or not whole");
    const uint64_t width = WebPDemuxGetI(file.get(), WEBP_FF_CANVAS_WIDTH);
    const uint64_t height = WebPDemuxGetI(file.get(), WEBP_FF_CANVAS_HEIGHT);
    checkSize(maxPixels(source), int64_t(width), int64_t(height));
    info.reduction = reductionFor(source, int64_t(width), int64_t(height));
    info.whole_width = int32_t(width);
    info.whole_height = int32_t(height);
    info.width = (info.whole_width + info.reduction - 1) / info.reduction;
    info.height = (info.whole_height + info.reduction - 1) / info.reduction;
    info.frame_count = int64_t(WebPDemuxGetI(file.get(), WEBP_FF_FRAME_COUNT));
    int64_t milliseconds = 0;
    WebPIterator frame{};
    for (bool has = WebPDemuxGetFrame(file.get(), 1, &frame); has; has = WebPDemuxNextFrame(&frame)) {
      milliseconds += frame.duration;
    }
    WebPDemuxReleaseIterator(&frame);
    if (milliseconds > 0) info.frames_per_second = 1000.0 * double(info.frame_count) / double(milliseconds);
    WebPAnimDecoderOptions options;
    if (!WebPAnimDecoderOptionsInit(&options)) throw std::runtime_error("libwebp is of another version");
    options.color_mode = MODE_RGBA;
    decoder_.reset(WebPAnimDecoderNew(&data, &options));
    if (!decoder_) throw std::runtime_error("the file is damaged, or there is no memory for it");
    frame_.create(info.whole_height, info.whole_width, CV_8UC3);
  }

  bool grab(double &seconds) override {
    if (isDamaged_ || !WebPAnimDecoderHasMoreFrames(decoder_.get())) return false;
    int end = 0;
    if (!WebPAnimDecoderGetNext(decoder_.get(), &canvas_, &end)) {
      isDamaged_ = true;
      return false;
    }
    // libwebp says when a frame's time is over.
    seconds = start_ / 1000.0;
    start_ = end;
    grabbed_ += 1;
    return true;
  }

  const cv::Mat &retrieve() override {
    if (!canvas_) throw std::runtime_error("there is no frame");
    const uint8_t *from = canvas_;
    for (int row = 0; row < frame_.rows; row++) {
      uint8_t *to = frame_.ptr(row);
      for (int column = 0; column < frame_.cols; column++, from += 4, to += 3) {
        const int alpha = from[3];
        for (int channel = 0; channel < 3; channel++) {
          to[channel] = uint8_t((from[channel] * alpha + 255 * (255 - alpha) + 127) / 255);
        }
      }
    }
    if (info.reduction == 1) return frame_;
    cv::resize(frame_, reduced_, cv::Size(info.width, info.height), 0, 0, cv::INTER_AREA);
    return reduced_;
  }

  mien_opencv_video_faults faults() const override {
    if (!isDamaged_) return {0, 0, nullptr, 0};
    return {0, info.frame_count - grabbed_, strdup("the file is damaged from here on"), 1};
  }

 private:
  std::vector<uint8_t> bytes_;
  std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder_{nullptr, &WebPAnimDecoderDelete};
  uint8_t *canvas_ = nullptr;
  cv::Mat frame_;
  cv::Mat reduced_;
  int start_ = 0;
  int64_t grabbed_ = 0;
  bool isDamaged_ = false;
};

}  // namespace

std::unique_ptr<mien_opencv_video_reader> openWebP(const mien_opencv_video_source &source) {
  return std::make_unique<WebPReader>(source);
}
