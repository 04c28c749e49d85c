// A video file or address, opened by FFmpeg. Everything has internal linkage: one file includes it.
#pragma once

#include "video_reader.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
}

namespace {

using Clock = std::chrono::steady_clock;

/// How long an address may keep silent.
constexpr auto kPatience = std::chrono::seconds(20);

/// Containers that hold everything themselves. A playlist or script names other files.
constexpr char kFormats[] =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,yuv4mpegpipe,ivf,dv,mxf,h264,hevc,mpegvideo,"
    "m4v,mjpeg,gif,apng";

/// What addresses may give beside that: cameras' streams, and playlists of addresses.
constexpr char kNetworkFormats[] = ",rtsp,sdp,rtp,hls,applehttp,dash,mpjpeg,live_flv";
constexpr char kNetworkProtocols[] = "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtmp,rtmps,rtmpt,crypto,data";

/// The last thing that FFmpeg complained of on this thread; it names no file, and may name an address.
thread_local std::string complaint;

/// The size of a frame that was not decoded on this thread, as it is too large.
thread_local std::pair<int, int> refusedSize;

void keepComplaint(void *, int level, const char *format, va_list arguments) {
  if (level > AV_LOG_ERROR) return;
  char line[512];
  vsnprintf(line, sizeof line, format, arguments);
  // Where no container tells the size, only the complaint does.
  std::pair<int, int> size;
  const bool isRefusal = strstr(line, "exceeds specified max pixel count") != nullptr;
  if (isRefusal && sscanf(line, "Picture size %dx%d", &size.first, &size.second) == 2) refusedSize = size;
  complaint = line;
  while (!complaint.empty() && strchr("\n\r .", complaint.back())) complaint.pop_back();
}

std::string reason(int status) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  return av_strerror(status, text, sizeof text) == 0 ? text : "unknown error";
}

/// Most pixels of a frame of a codec. JPEG 2000 is not reduced after decoding but refused: a frame of 8K takes 10 to 20 s and
/// up to 1.5 GB, and its decoder cannot be interrupted.
int64_t maxPixels(const mien_opencv_video_source &source, AVCodecID codec) {
  const bool isBounded = codec == AV_CODEC_ID_JPEG2000 && source.kept_pixels > 0;
  return isBounded ? std::min(maxPixels(source), source.kept_pixels) : maxPixels(source);
}

/// An open container.
class Container {
 public:
  explicit Container(const mien_opencv_video_source &source) : isAddress_(source.is_address) {
    static std::once_flag once;
    std::call_once(once, [] { avformat_network_init(); });
    av_log_set_callback(keepComplaint);
    limitAllocations(maxPixels(source));
    complaint.clear();
    refusedSize = {};
    context_ = avformat_alloc_context();
    if (!context_) throw std::bad_alloc();
    AVDictionary *options = nullptr;
    const std::string formats = std::string(kFormats) + (isAddress_ ? kNetworkFormats : "");
    av_dict_set(&options, "format_whitelist", formats.c_str(), 0);
    av_dict_set(&options, "protocol_whitelist", isAddress_ ? kNetworkProtocols : "file", 0);
    if (isAddress_) {
      context_->interrupt_callback = {[](void *self) { return static_cast<Container *>(self)->isLate() ? 1 : 0; }, this};
      extendPatience();
      // Over TCP nothing is lost on the way; certificates are checked as browsers do.
      av_dict_set(&options, "rtsp_transport", "tcp", 0);
      av_dict_set(&options, "tls_verify", "1", 0);
    }
    // Lists of fragments (MP4) and keyframes (FLV) are for players that skip, and FFmpeg would believe any length.
    av_dict_set(&options, "use_mfra_for", "0", 0);
    if (source.format && !strcmp(source.format, "flv")) context_->flags |= AVFMT_FLAG_IGNIDX;
    // A camera is looked at for a second, not for five, before its pictures come. Those that come meanwhile are kept: the
    // caller passes over what is old.
    if (source.is_live) context_->max_analyze_duration = AV_TIME_BASE;
    const auto format = source.format ? av_find_input_format(source.format) : nullptr;
    const std::string location = isAddress_ ? source.location : std::string("file:") + source.location;
    // On failure the context is freed.
    const int status = avformat_open_input(&context_, location.c_str(), format, &options);
    av_dict_free(&options);
    if (status < 0) throw std::runtime_error(openingFailure(status));
    const int found = findStreams(source, isAddress_ ? 0 : lateVideos(location, format));
    if (found < 0 && context_->nb_streams == 0) throw failure(openingFailure(found));
  }

  ~Container() { avformat_close_input(&context_); }
  Container(const Container &) = delete;
  Container &operator=(const Container &) = delete;

  AVFormatContext *operator->() const { return context_; }
  AVFormatContext *get() const { return context_; }

  void extendPatience() { deadline_ = (Clock::now() + kPatience).time_since_epoch().count(); }
  bool isLate() const { return Clock::now().time_since_epoch().count() > deadline_; }

  /// Why reading broke off.
  std::string readingFailure(int status) const {
    if (isAddress_ && isLate()) return "nothing came for 20 s";
    return isAddress_ ? "the connection broke off: " + reason(status) : reason(status);
  }

  /// Closes the container, for a constructor that gives up.
  std::runtime_error failure(const std::string &message) {
    avformat_close_input(&context_);
    return std::runtime_error(message);
  }

 private:
  /// Keeps FFmpeg from taking more memory at once than the largest frame has, of four samples of 16 bits per pixel: damaged files
  /// claim any size. The limit is the process's, so the highest that was asked for stays.
  static void limitAllocations(int64_t pixels) {
    static std::mutex mutex;
    static int64_t highest = 0;
    const std::lock_guard lock(mutex);
    highest = std::max(highest, std::min<int64_t>(pixels, INT_MAX / 8 - (8 << 20)));
    av_max_alloc(size_t(highest + (8 << 20)) * 8);
  }

  /// How many video streams a context names.
  static int64_t videos(const AVFormatContext &context) {
    return std::count_if(context.streams, context.streams + context.nb_streams, [](const AVStream *stream) {
      return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    });
  }

  /// How many video streams a file has that its beginning does not name, as MPEG streams may.
  int64_t lateVideos(const std::string &location, decltype(AVFormatContext::iformat) format) const {
    if (!(context_->ctx_flags & AVFMTCTX_NOHEADER)) return 0;
    AVFormatContext *scout = avformat_alloc_context();
    if (!scout) throw std::bad_alloc();
    scout->flags = context_->flags;
    AVDictionary *options = nullptr;
    av_dict_set(&options, "protocol_whitelist", "file", 0);
    av_dict_set(&options, "codec_whitelist", "none", 0);
    const int status = avformat_open_input(&scout, location.c_str(), format, &options);
    av_dict_free(&options);
    if (status < 0) return 0;
    avformat_find_stream_info(scout, nullptr);
    const int64_t late = videos(*scout) - videos(*context_);
    avformat_close_input(&scout);
    return late;
  }

  /// Looks into the streams; to know them, FFmpeg decodes the first frames of videos, unless these are too large. The
  /// decoders of all streams keep some at the same time, so many streams share what two may have. Nothing is decoded if there
  /// are more than 16, or many late ones, which limits do not reach.
  int findStreams(const mien_opencv_video_source &source, int64_t late) {
    const int64_t known = videos(*context_);
    // A decoder of another kind cannot be opened for a stream, and takes no memory; of sound with eight channels, the right
    // one takes 3 MB, and a small file can have hundreds of streams.
    context_->audio_codec = context_->subtitle_codec = avcodec_find_decoder(AV_CODEC_ID_RAWVIDEO);
    if (known > 16 || (late > 0 && known + late > 2)) {
      // With options for each stream, FFmpeg would forget this at the end of a short file.
      av_opt_set(context_, "codec_whitelist", "none", 0);
      return avformat_find_stream_info(context_, nullptr);
    }
    std::vector<AVDictionary *> options(context_->nb_streams);
    for (size_t i = 0; i < options.size(); ++i) {
      int64_t pixels = maxPixels(source, context_->streams[i]->codecpar->codec_id);
      if (known > 2) pixels = std::max<int64_t>(pixels / known * 2, 1);
      av_dict_set_int(&options[i], "max_pixels", pixels, 0);
    }
    const int found = avformat_find_stream_info(context_, options.empty() ? nullptr : options.data());
    for (auto &each : options) av_dict_free(&each);
    return found;
  }

  std::string openingFailure(int status) const {
    if (!isAddress_) return "FFmpeg finds no video stream that it can decode";
    if (isLate()) return "no answer within 20 s";
    if (status == AVERROR_INVALIDDATA || status == AVERROR(EINVAL)) return "FFmpeg finds no video there";
    if (status == AVERROR_PROTOCOL_NOT_FOUND) return "this FFmpeg does not know the protocol";
    if (status != AVERROR(EIO)) return reason(status);
    // The name is not known, the certificate is not trusted: only the complaint tells.
    const bool namesAddress = complaint.find("://") != std::string::npos || complaint.find('@') != std::string::npos;
    return complaint.empty() || namesAddress ? "it cannot be reached" : complaint;
  }

  AVFormatContext *context_ = nullptr;
  bool isAddress_;
  std::atomic<Clock::rep> deadline_{0};
};

}  // namespace
