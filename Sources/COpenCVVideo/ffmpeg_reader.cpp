#include "video_reader.hpp"

#include "container.hpp"
#include "frame_budget.hpp"
#include "frame_converter.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/cpu.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
}

namespace {

/// Frames that threads decode side by side may have so many bytes: six of 4K at 8 bits. Larger frames are decoded one at a time.
constexpr int64_t kThreadBytes = 80 << 20;

struct ClosePacket {
  void operator()(AVPacket *packet) const { av_packet_free(&packet); }
};
struct CloseFrame {
  void operator()(AVFrame *frame) const { av_frame_free(&frame); }
};
struct CloseDecoder {
  void operator()(AVCodecContext *codec) const { avcodec_free_context(&codec); }
};

/// The picture of a song or a chapter: no film.
bool isCover(const AVStream &stream) {
  return stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS | AV_DISPOSITION_STILL_IMAGE);
}

/// Whether a codec is one of pictures, in which some containers hold covers like any other stream.
bool isPictureCodec(AVCodecID codec) {
  return codec == AV_CODEC_ID_MJPEG || codec == AV_CODEC_ID_PNG || codec == AV_CODEC_ID_BMP || codec == AV_CODEC_ID_GIF ||
         codec == AV_CODEC_ID_WEBP;
}

/// The film among the streams: not a cover, of several frames if there is such a one, the default or the largest.
AVStream *film(const Container &container, bool &hasCover) {
  AVStream *best = nullptr;
  std::array<int64_t, 5> bestRank{};
  for (unsigned i = 0; i < container->nb_streams; ++i) {
    AVStream *stream = container->streams[i];
    const AVCodecParameters &codec = *stream->codecpar;
    if (codec.codec_type != AVMEDIA_TYPE_VIDEO) continue;
    if (isCover(*stream)) {
      hasCover = true;
      continue;
    }
    const std::array<int64_t, 5> rank = {
        avcodec_find_decoder(codec.codec_id) != nullptr, stream->nb_frames != 1, !isPictureCodec(codec.codec_id),
        stream->disposition & AV_DISPOSITION_DEFAULT ? 1 : 0, int64_t(codec.width) * codec.height};
    if (!best || rank > bestRank) best = stream, bestRank = rank;
  }
  return best;
}

double rate(AVRational value) { return value.num > 0 && value.den > 0 ? av_q2d(value) : 0; }

class FFmpegReader final : public mien_opencv_video_reader {
 public:
  explicit FFmpegReader(const mien_opencv_video_source &source)
      : container_(source), packet_(av_packet_alloc()), frame_(av_frame_alloc()), isUntimed_(source.is_untimed),
        budget_(std::make_shared<FrameBudget>(source.decoder_bytes)) {
    if (!packet_ || !frame_) throw std::bad_alloc();
    bool hasCover = false;
    stream_ = film(container_, hasCover);
    if (!stream_) {
      throw std::runtime_error(hasCover ? "it holds a cover picture and no film" : "FFmpeg finds no video stream in it");
    }
    for (unsigned i = 0; i < container_->nb_streams; ++i) {
      if (container_->streams[i] != stream_) container_->streams[i]->discard = AVDISCARD_ALL;
    }
    checkSize(source, {stream_->codecpar->width, stream_->codecpar->height});
    openDecoder(source);
    isTransportStream_ = !strcmp(container_->iformat->name, "mpegts");

    if (!isUntimed_ && !source.is_live && rate(stream_->avg_frame_rate) <= 0) lookAhead();

    // The first frame tells what the container may not: the size, the shape of the pixels, the rate.
    hasFirst_ = decode();
    if (!hasFirst_) checkSize(source, refusedSize);
    if (!hasFirst_ && source.is_address && !failure_.empty()) {
      const bool canSkip = container_->pb && container_->pb->seekable & AVIO_SEEKABLE_NORMAL;
      throw std::runtime_error(
          canSkip ? failure_
                  : "its index is at its end, and the server does not send parts of files; download it first: "
                    "curl -fLO ADDRESS");
    }
    const AVCodecParameters &parameters = *stream_->codecpar;
    const int width = hasFirst_ ? frame_->width : parameters.width, height = hasFirst_ ? frame_->height : parameters.height;
    if (width <= 0 || height <= 0) throw std::runtime_error("FFmpeg finds no video stream that it can decode");
    converter_.emplace(width, height, aspect(), Orientation::of(displayMatrix()));
    info.whole_width = converter_->width();
    info.whole_height = converter_->height();
    info.reduction = reductionFor(source, info.whole_width, info.whole_height);
    converter_->reduce(info.reduction);
    info.width = converter_->width();
    info.height = converter_->height();
    findRate();
    findCount();
  }

  bool grab(double &seconds) override {
    if (!std::exchange(hasFirst_, false) && !decode()) return false;
    seconds = time();
    ++shown_;
    if (frame_->flags & AV_FRAME_FLAG_CORRUPT || frame_->decode_error_flags) ++damaged_;
    return true;
  }

  const cv::Mat &retrieve() override {
    if (frame_->width <= 0) throw std::runtime_error("there is no frame");
    return converter_->convert(*frame_);
  }

  mien_opencv_video_faults faults() const override {
    const bool isAtEnd = isDraining_ && !hasFirst_;
    const bool isFaulty = errors_ > 0 || damaged_ > 0;
    const int64_t missing = isFaulty && isAtEnd ? std::max<int64_t>(packets_ - shown_, 0) : 0;
    return {damaged_, missing, failure_.empty() ? nullptr : strdup(failure_.c_str()), isDamage_ ? 1 : 0};
  }

 private:
  void checkSize(const mien_opencv_video_source &source, std::pair<int, int> size) const {
    const AVCodecID codec = stream_->codecpar->codec_id;
    const std::string kind = codec == AV_CODEC_ID_JPEG2000 ? "JPEG 2000 " : "";
    ::checkSize(maxPixels(source, codec), size.first, size.second, kind);
  }

  void openDecoder(const mien_opencv_video_source &source) {
    const auto *decoder = avcodec_find_decoder(stream_->codecpar->codec_id);
    if (!decoder) throw std::runtime_error("FFmpeg finds no video stream that it can decode");
    codec_.reset(avcodec_alloc_context3(decoder));
    if (!codec_ || avcodec_parameters_to_context(codec_.get(), stream_->codecpar) < 0) throw std::bad_alloc();
    codec_->pkt_timebase = stream_->time_base;
    codec_->thread_count = std::min(16, std::max(1, av_cpu_count()));
    codec_->max_pixels = maxPixels(source, stream_->codecpar->codec_id);
    budget_->install(*codec_);
    const int64_t frameBytes = bytesPerFrame();
    checkKept(source, frameBytes);
    // A frame of which a part is missing is better than none, and is counted.
    codec_->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
    // Threads that each decode a frame of their own also keep one each; those that share a frame do not.
    const int64_t threads = kThreadBytes / std::max<int64_t>(frameBytes, 1);
    if (source.is_live || threads < 2) {
      codec_->thread_type = FF_THREAD_SLICE;
    } else {
      codec_->thread_count = int(std::min<int64_t>(codec_->thread_count, threads));
    }
    if (source.is_live || (threads < 2 && isAV1())) codec_->flags |= AV_CODEC_FLAG_LOW_DELAY;
    if (avcodec_open2(codec_.get(), decoder, nullptr) < 0) {
      throw std::runtime_error("FFmpeg finds no video stream that it can decode");
    }
  }

  bool isAV1() const { return stream_->codecpar->codec_id == AV_CODEC_ID_AV1; }

  /// Bytes of a decoded frame, as far as the container tells.
  int64_t bytesPerFrame() const {
    const AVCodecParameters &codec = *stream_->codecpar;
    if (codec.width <= 0 || codec.height <= 0) return 0;
    const int bytes = av_image_get_buffer_size(AVPixelFormat(codec.format), codec.width, codec.height, 1);
    return bytes > 0 ? bytes : int64_t(codec.width) * codec.height * 3 / 2;
  }

  /// Refuses what the budget cannot see: dav1d's frames, of which 8 are kept besides the newest.
  void checkKept(const mien_opencv_video_source &source, int64_t frameBytes) const {
    if (source.decoder_bytes > 0 && isAV1() && frameBytes > source.decoder_bytes / 9) throw tooMuchKept();
  }

  LimitExceeded tooMuchKept() const {
    const AVCodecParameters &codec = *stream_->codecpar;
    return LimitExceeded(
        "needs more than " + std::to_string(budget_->limit() >> 20) + " MiB of decoded frames at a time, of " +
        std::to_string(codec.width) + "x" + std::to_string(codec.height) +
        " pixels each; shrink it first: ffmpeg -i IN -vf scale=-2:2160 out.mp4");
  }

  /// Decodes the next frame into frame_; false at the end.
  bool decode() {
    while (true) {
      const int status = avcodec_receive_frame(codec_.get(), frame_.get());
      if (budget_->isExceeded()) throw tooMuchKept();
      if (status == 0) return true;
      if (status == AVERROR_EOF) return false;
      if (status == AVERROR(EAGAIN)) {
        if (isDraining_) return false;
        feed();
      } else if (status == AVERROR(ENOMEM)) {
        throw std::bad_alloc();
      } else {
        if (++errors_ > 1'000'000) return false;
      }
    }
  }

  /// Reads some packets to tell the rate by their time stamps, where the container tells none: browsers' recordings.
  void lookAhead() {
    std::vector<int64_t> stamps;
    while (ahead_.size() < 32 && readPacket()) {
      if (packet_->pts != AV_NOPTS_VALUE) stamps.push_back(packet_->pts);
      ahead_.emplace_back(av_packet_clone(packet_.get()));
      av_packet_unref(packet_.get());
      if (!ahead_.back()) throw std::bad_alloc();
    }
    std::sort(stamps.begin(), stamps.end());
    if (stamps.size() < 2 || stamps.back() == stamps.front()) return;
    measuredRate_ = double(stamps.size() - 1) / (double(stamps.back() - stamps.front()) * av_q2d(stream_->time_base));
  }

  /// Hands the decoder the next packet of the film, or the end.
  void feed() {
    if (!ahead_.empty()) {
      packet_ = std::move(ahead_.front());
      ahead_.pop_front();
    } else if (isBrokenOff_ || !readPacket()) {
      isDraining_ = true;
      avcodec_send_packet(codec_.get(), nullptr);
      return;
    }
    if (!(packet_->flags & AV_PKT_FLAG_DISCARD)) ++packets_;
    if (avcodec_send_packet(codec_.get(), packet_.get()) < 0) ++errors_;
    av_packet_unref(packet_.get());
  }

  /// Reads the next packet of the film into packet_; false at the end.
  bool readPacket() {
    for (int failures = 0;;) {
      container_.extendPatience();
      const int status = av_read_frame(container_.get(), packet_.get());
      if (status == AVERROR(EAGAIN)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        if (++failures > 4000) return breakOff("nothing came for 20 s");
        continue;
      }
      if (status == AVERROR_EOF) return breakOff("");
      if (status < 0) {
        // A damaged place, behind which there may be more.
        ++errors_;
        isDamage_ = status == AVERROR_INVALIDDATA;
        if (!isDamage_ || ++failures > 100) return breakOff(container_.readingFailure(status));
        continue;
      }
      const bool isFilm = packet_->stream_index == stream_->index && packet_->size > 0;
      // Cut off in the middle, but for transport streams, which mark lost parts so.
      const bool isCut = packet_->flags & AV_PKT_FLAG_CORRUPT && !isTransportStream_;
      if (isFilm && !isCut) return true;
      av_packet_unref(packet_.get());
    }
  }

  bool breakOff(const std::string &failure) {
    failure_ = failure;
    isBrokenOff_ = true;
    return false;
  }

  /// Seconds from the first frame to this one.
  double time() {
    if (isUntimed_) return double(shown_) / info.frames_per_second;
    const int64_t stamp = frame_->best_effort_timestamp;
    if (stamp == AV_NOPTS_VALUE) return shown_ == 0 ? 0 : std::numeric_limits<double>::quiet_NaN();
    if (!firstStamp_) firstStamp_ = stamp;
    return double(stamp - *firstStamp_) * av_q2d(stream_->time_base);
  }

  double aspect() const {
    const AVRational ratio = av_guess_sample_aspect_ratio(container_.get(), stream_, hasFirst_ ? frame_.get() : nullptr);
    return ratio.num > 0 && ratio.den > 0 ? av_q2d(ratio) : 1;
  }

  const int32_t *displayMatrix() const {
#if LIBAVFORMAT_VERSION_MAJOR >= 59
    size_t size = 0;
#else
    int size = 0;
#endif
    const uint8_t *matrix = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, &size);
    return matrix && size >= 9 * sizeof(int32_t) ? reinterpret_cast<const int32_t *>(matrix) : nullptr;
  }

  void findRate() {
    if (isUntimed_) {
      // What the demuxer says is nothing but its default.
      info.frames_per_second = rate(codec_->framerate);
      info.is_rate_assumed = info.frames_per_second <= 0 || info.frames_per_second > 1000;
      if (info.is_rate_assumed) info.frames_per_second = 25;
      return;
    }
    info.frames_per_second = rate(stream_->avg_frame_rate);
    if (info.frames_per_second <= 0) info.frames_per_second = measuredRate_;
  }

  void findCount() {
    if (isUntimed_) return;
    int64_t count = stream_->nb_frames;
    if (count <= 0 && info.frames_per_second > 0) {
      double seconds = 0;
      if (stream_->duration > 0) {
        seconds = double(stream_->duration) * av_q2d(stream_->time_base);
      } else if (container_->duration > 0 && container_->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE) {
        seconds = double(container_->duration) / AV_TIME_BASE;
      }
      count = int64_t(std::min(seconds * info.frames_per_second + 0.5, 1e15));
    }
    info.frame_count = std::max<int64_t>(count, 0);
  }

  Container container_;
  AVStream *stream_ = nullptr;
  std::unique_ptr<AVCodecContext, CloseDecoder> codec_;
  std::unique_ptr<AVPacket, ClosePacket> packet_;
  std::unique_ptr<AVFrame, CloseFrame> frame_;
  std::optional<FrameConverter> converter_;
  std::optional<int64_t> firstStamp_;
  std::string failure_;
  /// Whether it is the data that could not be read last, and not the file.
  bool isDamage_ = false;
  /// Whether frame_ was decoded when the file was opened and not grabbed yet.
  bool hasFirst_ = false;
  bool isUntimed_;
  std::shared_ptr<FrameBudget> budget_;
  bool isTransportStream_ = false;
  /// Packets that were read when the file was opened.
  std::deque<std::unique_ptr<AVPacket, ClosePacket>> ahead_;
  double measuredRate_ = 0;
  /// Whether there is nothing more to read.
  bool isBrokenOff_ = false;
  /// Whether the decoder was told so.
  bool isDraining_ = false;
  int64_t packets_ = 0;
  int64_t shown_ = 0;
  int64_t damaged_ = 0;
  int64_t errors_ = 0;
};

}  // namespace

std::unique_ptr<mien_opencv_video_reader> openVideo(const mien_opencv_video_source &source) {
  return std::make_unique<FFmpegReader>(source);
}

mien_opencv_video_sound findSound(const mien_opencv_video_source &source) {
  const Container container(source);
  bool hasCover = false;
  const AVStream *video = film(container, hasCover);
  mien_opencv_video_sound sound{0, -1, 0};
  int bestRank = -1;
  for (unsigned i = 0; i < container->nb_streams; ++i) {
    const AVStream *stream = container->streams[i];
    if (stream->codecpar->codec_type != AVMEDIA_TYPE_AUDIO) continue;
    ++sound.count;
    if (!avcodec_find_decoder(stream->codecpar->codec_id)) continue;
    const int rank = stream->disposition & AV_DISPOSITION_DEFAULT ? 1 : 0;
    if (rank > bestRank) sound.stream = int32_t(i), bestRank = rank;
  }
  if (video && video->start_time != AV_NOPTS_VALUE && container->start_time != AV_NOPTS_VALUE) {
    const double start = double(video->start_time) * av_q2d(video->time_base);
    sound.video_start = std::max(0.0, start - double(container->start_time) / AV_TIME_BASE);
  }
  return sound;
}
