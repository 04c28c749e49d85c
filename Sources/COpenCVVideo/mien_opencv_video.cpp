#include "mien_video_functions.h"

#include "mien_opencv_guard.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include <dlfcn.h>

#include <opencv2/core.hpp>
#include <opencv2/core/core_c.h>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

struct mien_opencv_video_reader {
  cv::VideoCapture capture;
  int32_t quarter_turns = 0;
  cv::Mat frame;
};

struct mien_opencv_video_writer {
  cv::VideoWriter writer;
  cv::Size size;
  cv::Mat frame;
};

namespace {

/// Sets OpenCV up, once.
void prepare() {
  static std::once_flag once;
  std::call_once(once, prepareCore);
}

/// Runs `body`; whatever it throws becomes a status and a message.
template <typename Body>
int32_t guarded(char **error, Body &&body) noexcept {
  return guarded({MIEN_OPENCV_VIDEO_OK, MIEN_OPENCV_VIDEO_INVALID, MIEN_OPENCV_VIDEO_FAILED}, error, [&] {
    prepare();
    body();
  });
}

/// A property as a finite number of at least 0; 0 where the file does not tell.
double property(const cv::VideoCapture &capture, int name) {
  const double value = capture.get(name);
  return std::isfinite(value) && value > 0 ? value : 0;
}

/// Opens what `start` opens, and says what it is.
template <typename Start>
int32_t open(mien_opencv_video_reader **reader, mien_opencv_video_info *info, char **error, Start &&start) {
  return guarded(error, [&] {
    require(reader && info, "a pointer is null");
    auto opened = std::make_unique<mien_opencv_video_reader>();
    start(*opened);
    // A container may name any size; a frame of that many pixels fits no memory.
    const auto side = [&](int name) { return int32_t(std::min(property(opened->capture, name), 1e6)); };
    *info = {side(cv::CAP_PROP_FRAME_WIDTH), side(cv::CAP_PROP_FRAME_HEIGHT), property(opened->capture, cv::CAP_PROP_FPS),
             int64_t(std::min(property(opened->capture, cv::CAP_PROP_FRAME_COUNT), 1e15))};
    if (opened->quarter_turns % 2) std::swap(info->width, info->height);
    *reader = opened.release();
  });
}

int32_t readerOpen(const char *path, int32_t quarterTurns, mien_opencv_video_reader **reader,
                   mien_opencv_video_info *info, char **error) {
  return open(reader, info, error, [&](mien_opencv_video_reader &opened) {
    require(path, "a pointer is null");
    require(quarterTurns >= 0 && quarterTurns < 4, "expected 0 to 3 quarter turns");
    // Other back ends would take a pattern of pictures, a pipeline or an address for a file's name.
    if (!opened.capture.open(path, cv::CAP_FFMPEG)) {
      throw std::runtime_error("FFmpeg finds no video stream that it can decode");
    }
    opened.capture.set(cv::CAP_PROP_ORIENTATION_AUTO, 0);
    opened.quarter_turns = quarterTurns;
  });
}

int32_t cameraOpen(int32_t index, mien_opencv_video_reader **reader, mien_opencv_video_info *info, char **error) {
  return open(reader, info, error, [&](mien_opencv_video_reader &opened) {
    require(index >= 0 && index < 1000, "expected a camera's number of 0 to 999");
    if (!opened.capture.open(index, cv::CAP_V4L2)) throw std::runtime_error("there is no such camera, or it is in use");
    // Frames that wait in the driver are old when they are read.
    opened.capture.set(cv::CAP_PROP_BUFFERSIZE, 1);
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

int32_t readerRetrieve(mien_opencv_video_reader *reader, const uint8_t **pixels, int32_t *width, int32_t *height,
                       char **error) {
  return guarded(error, [&] {
    require(reader && pixels && width && height, "a pointer is null");
    cv::Mat decoded;
    if (!reader->capture.retrieve(decoded) || decoded.empty()) throw std::runtime_error("there is no frame");
    if (decoded.type() != CV_8UC3) throw std::runtime_error("expected a frame of 8-bit colours");
    if (reader->quarter_turns == 0) {
      cv::cvtColor(decoded, reader->frame, cv::COLOR_BGR2RGB);
    } else {
      cv::Mat coloured;
      cv::cvtColor(decoded, coloured, cv::COLOR_BGR2RGB);
      static constexpr cv::RotateFlags kTurns[] = {cv::ROTATE_90_CLOCKWISE, cv::ROTATE_180, cv::ROTATE_90_COUNTERCLOCKWISE};
      cv::rotate(coloured, reader->frame, kTurns[reader->quarter_turns - 1]);
    }
    *pixels = reader->frame.data;
    *width = reader->frame.cols;
    *height = reader->frame.rows;
  });
}

int32_t writerOpen(const char *path, int32_t width, int32_t height, double framesPerSecond,
                   mien_opencv_video_writer **writer, char **error) {
  return guarded(error, [&] {
    require(path && writer, "a pointer is null");
    require(width > 1 && height > 1, "expected a frame of at least 2 by 2 pixels");
    require(std::isfinite(framesPerSecond) && framesPerSecond > 0, "expected a number of frames a second above 0");
    auto opened = std::make_unique<mien_opencv_video_writer>();
    opened->size = cv::Size(width, height);
    // H.264 halves the resolution of colours, so both sides are even.
    const cv::Size even(width & ~1, height & ~1);
    if (!opened->writer.open(path, cv::CAP_FFMPEG, cv::VideoWriter::fourcc('a', 'v', 'c', '1'), framesPerSecond, even)) {
      throw std::runtime_error("FFmpeg cannot write H.264 there");
    }
    *writer = opened.release();
  });
}

int32_t writerWrite(mien_opencv_video_writer *writer, const uint8_t *pixels, size_t count, char **error) {
  return guarded(error, [&] {
    require(writer && pixels, "a pointer is null");
    require(count == size_t(writer->size.area()) * 3, "the byte count is not width * height * 3");
    const cv::Mat frame(writer->size, CV_8UC3, const_cast<uint8_t *>(pixels));
    const cv::Rect even(0, 0, writer->size.width & ~1, writer->size.height & ~1);
    cv::cvtColor(frame(even), writer->frame, cv::COLOR_RGB2BGR);
    writer->writer.write(writer->frame);
  });
}

void writerClose(mien_opencv_video_writer *writer) {
  guarded(nullptr, [&] {
    if (writer) writer->writer.release();
  });
  delete writer;
}

/// highgui's C interface, which needs no headers: it is loaded where a window is wanted, as it brings a whole toolkit.
struct Windows {
  void (*show)(const char *name, const CvArr *image);
  int (*make)(const char *name, int flags);
  double (*property)(const char *name, int property);
  int (*key)(int milliseconds);
  std::string open;

  static Windows &shared() {
    static Windows windows = load();
    return windows;
  }

 private:
  static Windows load() {
    void *library = nullptr;
    for (const char *name : {"libopencv_highgui.so.406", "libopencv_highgui.so.4.5d", "libopencv_highgui.so"}) {
      if ((library = dlopen(name, RTLD_NOW | RTLD_LOCAL))) break;
    }
    if (!library) {
      throw std::runtime_error("OpenCV's windows are not installed: install the package libopencv-highgui (of Debian 12, libopencv-highgui406)");
    }
    Windows windows{};
    const auto find = [&](auto &function, const char *name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      if (!function) throw std::runtime_error(std::string("OpenCV's highgui lacks ") + name);
    };
    find(windows.show, "cvShowImage");
    find(windows.make, "cvNamedWindow");
    find(windows.property, "cvGetWindowProperty");
    find(windows.key, "cvWaitKey");
    return windows;
  }
};

int32_t windowShow(const char *title, const uint8_t *pixels, size_t count, int32_t width, int32_t height, int32_t *key,
                   char **error) {
  return guarded(error, [&] {
    require(title && pixels && key, "a pointer is null");
    require(width > 0 && height > 0 && count == size_t(width) * size_t(height) * 3,
            "the byte count is not width * height * 3");
    // cv::WINDOW_AUTOSIZE with cv::WINDOW_GUI_NORMAL, and cv::WND_PROP_VISIBLE, of highgui.hpp.
    constexpr int kAutoSize = 1 | 0x10, kVisible = 4;
    Windows &windows = Windows::shared();
    if (windows.open == title && windows.property(title, kVisible) < 1) {
      windows.open.clear();
      *key = -2;
      return;
    }
    if (windows.open != title) windows.make(title, kAutoSize);
    windows.open = title;
    cv::Mat frame;
    cv::cvtColor(cv::Mat(height, width, CV_8UC3, const_cast<uint8_t *>(pixels)), frame, cv::COLOR_RGB2BGR);
    const CvMat image = cvMat(frame.rows, frame.cols, CV_8UC3, frame.data);
    windows.show(title, &image);
    *key = windows.key(1);
  });
}

void stringFree(char *string) { free(string); }

}  // namespace

const mien_opencv_video_functions_table *mien_opencv_video_functions(void) {
  static const mien_opencv_video_functions_table table = {
      MIEN_OPENCV_VIDEO_VERSION, stringFree, readerOpen, readerFree, readerGrab, readerRetrieve,
      cameraOpen,                writerOpen, writerWrite, writerClose, windowShow};
  return &table;
}
