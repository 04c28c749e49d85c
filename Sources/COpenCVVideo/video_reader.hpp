// What the parts of the video shim share: a reader is a file, an address or a camera.
#pragma once

#include "mien_video_functions.h"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include <opencv2/core.hpp>

/// A limit of the source is exceeded: becomes the status MIEN_OPENCV_VIDEO_LIMIT.
struct LimitExceeded : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Most pixels of a stored frame.
inline int64_t maxPixels(const mien_opencv_video_source &source) {
  return source.max_pixels > 0 ? source.max_pixels : 200'000'000;
}

/// Refuses frames of more than `most` pixels; `kind` says which frames are meant.
inline void checkSize(int64_t most, int64_t width, int64_t height, const std::string &kind = "") {
  if (width <= 0 || height <= 0 || width <= most / height) return;
  throw LimitExceeded("has " + kind + "frames of " + std::to_string(width) + "x" + std::to_string(height) +
                      " pixels, more than the limit of " + std::to_string(most) +
                      " pixels; shrink it first: ffmpeg -i IN -vf scale=-2:2160 out.mp4");
}

/// By how much frames are reduced to be kept: 1, 2, 4 or 8.
inline int reductionFor(const mien_opencv_video_source &source, int64_t width, int64_t height) {
  int reduction = 1;
  const auto side = [&](int64_t whole) { return (whole + reduction - 1) / reduction; };
  while (source.kept_pixels > 0 && reduction < 8 && side(width) > source.kept_pixels / side(height)) reduction *= 2;
  return reduction;
}

/// Frames one after another.
struct mien_opencv_video_reader {
  mien_opencv_video_info info{};

  virtual ~mien_opencv_video_reader() = default;

  /// Decodes the next frame; false at the end. `seconds` is its place from the first frame's on, NaN where it is not known.
  virtual bool grab(double &seconds) = 0;

  /// The frame that was grabbed, RGB, of the size that `info` says; it lives until the next call.
  virtual const cv::Mat &retrieve() = 0;

  /// What was wrong so far; `failure` is made by strdup.
  virtual mien_opencv_video_faults faults() const { return {0, 0, nullptr, 0}; }
};

/// Opens a file or an address; throws what it cannot open.
std::unique_ptr<mien_opencv_video_reader> openVideo(const mien_opencv_video_source &source);

/// Opens an animated WebP file; throws what it cannot open.
std::unique_ptr<mien_opencv_video_reader> openWebP(const mien_opencv_video_source &source);

/// Opens a camera; throws what is wrong with it.
std::unique_ptr<mien_opencv_video_reader> openCamera(const std::string &path);

/// The sound of a file.
mien_opencv_video_sound findSound(const mien_opencv_video_source &source);
