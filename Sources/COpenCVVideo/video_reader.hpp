// What the parts of the video shim share: a reader is a file, an address or a camera.
#pragma once

#include "mien_video_functions.h"

#include <memory>
#include <string>

#include <opencv2/core.hpp>

/// Frames one after another.
struct mien_opencv_video_reader {
  mien_opencv_video_info info{};

  virtual ~mien_opencv_video_reader() = default;

  /// Decodes the next frame; false at the end. `seconds` is its place from the first frame's on, NaN where it is not known.
  virtual bool grab(double &seconds) = 0;

  /// The frame that was grabbed, RGB, of the size that `info` says; it lives until the next call.
  virtual const cv::Mat &retrieve() = 0;

  /// What was wrong so far; `failure` is made by strdup.
  virtual mien_opencv_video_faults faults() const { return {0, 0, nullptr}; }
};

/// Opens a file or an address; throws what it cannot open.
std::unique_ptr<mien_opencv_video_reader> openVideo(const mien_opencv_video_source &source);

/// Opens an animated WebP file; throws what it cannot open.
std::unique_ptr<mien_opencv_video_reader> openWebP(const std::string &path);

/// Opens a camera; throws what is wrong with it.
std::unique_ptr<mien_opencv_video_reader> openCamera(const std::string &path);

/// The sound of a file.
mien_opencv_video_sound findSound(const mien_opencv_video_source &source);
