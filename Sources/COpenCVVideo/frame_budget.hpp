// Bounds the memory of a decoder.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>

extern "C" {
#include <libavcodec/avcodec.h>
}

/// Counts the bytes of the frames that a decoder keeps, and refuses it more than there may be. Outlives the decoder: frames
/// that it gave may be released later.
class FrameBudget : public std::enable_shared_from_this<FrameBudget> {
 public:
  /// For `limit` bytes; 0 for any number.
  explicit FrameBudget(int64_t limit) : limit_(limit) {}

  /// Has a decoder that is not open yet ask for its frames here.
  void install(AVCodecContext &codec) {
    if (limit_ <= 0) return;
    codec.opaque = this;
    codec.get_buffer2 = [](AVCodecContext *codec, AVFrame *frame, int flags) {
      const int status = avcodec_default_get_buffer2(codec, frame, flags);
      if (status < 0 || static_cast<FrameBudget *>(codec->opaque)->take(*frame)) return status;
      av_frame_unref(frame);
      return AVERROR(ENOMEM);
    };
  }

  int64_t limit() const { return limit_; }
  bool isExceeded() const { return isExceeded_; }

 private:
  struct Share {
    std::shared_ptr<FrameBudget> budget;
    AVBufferRef *buffer;
  };

  /// Counts a frame's buffers until they are released.
  bool take(AVFrame &frame) {
    for (auto *&buffer : frame.buf) {
      if (!buffer) continue;
      const int64_t size = int64_t(buffer->size);
      if (used_.fetch_add(size) + size > limit_) {
        used_ -= size;
        isExceeded_ = true;
        return false;
      }
      auto *share = new (std::nothrow) Share{shared_from_this(), buffer};
      auto *counted = share ? av_buffer_create(buffer->data, buffer->size, release, share, 0) : nullptr;
      if (!counted) {
        delete share;
        used_ -= size;
        return false;
      }
      buffer = counted;
    }
    return true;
  }

  static void release(void *opaque, uint8_t *) {
    auto *share = static_cast<Share *>(opaque);
    share->budget->used_ -= int64_t(share->buffer->size);
    av_buffer_unref(&share->buffer);
    delete share;
  }

  const int64_t limit_;
  std::atomic<int64_t> used_{0};
  std::atomic<bool> isExceeded_{false};
};
