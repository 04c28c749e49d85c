#include "mien_video_functions.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>

#include <opencv2/core.hpp>
#include <opencv2/core/ocl.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/videoio.hpp>

struct mien_opencv_video_reader {
  cv::VideoCapture capture;
  cv::Mat frame;
};

namespace {

/// An argument that does not fit: becomes MIEN_OPENCV_VIDEO_INVALID.
struct InvalidArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool holds, const char *expectation) {
  if (!holds) throw InvalidArgument(expectation);
}

void report(char **error, const char *message) noexcept {
  if (error) *error = strdup(message);
}

/// Errors as exceptions only, and FFmpeg quiet: what it has to say names no file.
void prepare() {
  static std::once_flag once;
  std::call_once(once, [] {
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::redirectError([](int, const char *, const char *, const char *, int, void *) { return 0; });
    cv::ocl::setUseOpenCL(false);
    // Read once, when OpenCV opens its first file; -8 is FFmpeg's AV_LOG_QUIET.
    setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
  });
}

/// Runs `body`; whatever it throws becomes a status and a message.
template <typename Body>
int32_t guarded(char **error, Body &&body) noexcept {
  try {
    prepare();
    body();
    return MIEN_OPENCV_VIDEO_OK;
  } catch (const InvalidArgument &invalid) {
    report(error, invalid.what());
    return MIEN_OPENCV_VIDEO_INVALID;
  } catch (const cv::Exception &failure) {
    report(error, failure.err.empty() ? failure.what() : failure.err.c_str());
  } catch (const std::bad_alloc &) {
    report(error, "out of memory");
  } catch (const std::exception &failure) {
    report(error, failure.what());
  } catch (...) {
    report(error, "unknown C++ exception");
  }
  return MIEN_OPENCV_VIDEO_FAILED;
}

/// A property as a finite number of at least 0; 0 where the file does not tell.
double property(const cv::VideoCapture &capture, int name) {
  const double value = capture.get(name);
  return std::isfinite(value) && value > 0 ? value : 0;
}

int32_t readerOpen(const char *path, mien_opencv_video_reader **reader, mien_opencv_video_info *info, char **error) {
  return guarded(error, [&] {
    require(path && reader && info, "a pointer is null");
    auto *opened = new mien_opencv_video_reader();
    try {
      // Other back ends would take a pattern of pictures, a pipeline or an address for a file's name.
      if (!opened->capture.open(path, cv::CAP_FFMPEG)) {
        throw std::runtime_error("FFmpeg finds no video stream that it can decode");
      }
      opened->capture.set(cv::CAP_PROP_ORIENTATION_AUTO, 1);
      *info = {int32_t(property(opened->capture, cv::CAP_PROP_FRAME_WIDTH)),
               int32_t(property(opened->capture, cv::CAP_PROP_FRAME_HEIGHT)),
               property(opened->capture, cv::CAP_PROP_FPS),
               int64_t(std::min(property(opened->capture, cv::CAP_PROP_FRAME_COUNT), 1e15))};
    } catch (...) {
      delete opened;
      throw;
    }
    *reader = opened;
  });
}

void readerFree(mien_opencv_video_reader *reader) { delete reader; }

int32_t readerGrab(mien_opencv_video_reader *reader, int32_t *hasFrame, double *milliseconds, char **error) {
  return guarded(error, [&] {
    require(reader && hasFrame && milliseconds, "a pointer is null");
    *hasFrame = reader->capture.grab() ? 1 : 0;
    *milliseconds = *hasFrame ? property(reader->capture, cv::CAP_PROP_POS_MSEC) : 0;
  });
}

/// OpenCV delivers BGR; the copy that swaps is the copy out of its buffer.
void swapRedAndBlue(const cv::Mat &source, cv::Mat &target) {
  target.create(source.size(), CV_8UC3);
  for (int row = 0; row < source.rows; ++row) {
    const uint8_t *from = source.ptr(row);
    uint8_t *to = target.ptr(row);
    for (int column = 0; column < source.cols; ++column, from += 3, to += 3) {
      to[0] = from[2];
      to[1] = from[1];
      to[2] = from[0];
    }
  }
}

int32_t readerRetrieve(mien_opencv_video_reader *reader, const uint8_t **pixels, int32_t *width, int32_t *height,
                       char **error) {
  return guarded(error, [&] {
    require(reader && pixels && width && height, "a pointer is null");
    cv::Mat decoded;
    if (!reader->capture.retrieve(decoded) || decoded.empty()) throw std::runtime_error("there is no frame");
    if (decoded.type() != CV_8UC3) throw std::runtime_error("expected a frame of 8-bit colours");
    swapRedAndBlue(decoded, reader->frame);
    *pixels = reader->frame.data;
    *width = reader->frame.cols;
    *height = reader->frame.rows;
  });
}

void stringFree(char *string) { free(string); }

}  // namespace

const mien_opencv_video_functions_table *mien_opencv_video_functions(void) {
  static const mien_opencv_video_functions_table table = {
      MIEN_OPENCV_VIDEO_VERSION, stringFree, readerOpen, readerFree, readerGrab, readerRetrieve};
  return &table;
}
