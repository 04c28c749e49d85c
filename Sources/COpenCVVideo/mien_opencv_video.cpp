#include "video_reader.hpp"

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
#include <malloc.h>

#include <opencv2/core.hpp>
#include <opencv2/core/core_c.h>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

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
  int32_t known = MIEN_OPENCV_VIDEO_OK;
  const int32_t status = guarded({MIEN_OPENCV_VIDEO_OK, MIEN_OPENCV_VIDEO_INVALID, MIEN_OPENCV_VIDEO_FAILED}, error, [&] {
    prepare();
    try {
      body();
    } catch (const LimitExceeded &) {
      known = MIEN_OPENCV_VIDEO_LIMIT;
      throw;
    }
  });
  return known != MIEN_OPENCV_VIDEO_OK ? known : status;
}

/// Whether libwebp reads the source, not FFmpeg.
bool isWebP(const mien_opencv_video_source &source) {
  return source.format && std::string(source.format) == "webp";
}

void check(const mien_opencv_video_source *source) {
  require(source && source->location, "a pointer is null");
}

int32_t readerOpen(const mien_opencv_video_source *source, mien_opencv_video_reader **reader,
                   mien_opencv_video_info *info, char **error) {
  return guarded(error, [&] {
    check(source);
    require(reader && info, "a pointer is null");
    auto opened = isWebP(*source) ? openWebP(*source) : openVideo(*source);
    *info = opened->info;
    *reader = opened.release();
  });
}

int32_t cameraOpen(const char *path, mien_opencv_video_reader **reader, mien_opencv_video_info *info, char **error) {
  return guarded(error, [&] {
    require(path && reader && info, "a pointer is null");
    auto opened = openCamera(path);
    opened->info.reduction = 1;
    opened->info.whole_width = opened->info.width;
    opened->info.whole_height = opened->info.height;
    *info = opened->info;
    *reader = opened.release();
  });
}

void readerFree(mien_opencv_video_reader *reader) {
  delete reader;
  // Frames and decoders of a large video are many small and middling pieces, which glibc keeps.
  malloc_trim(0);
}

int32_t readerGrab(mien_opencv_video_reader *reader, int32_t *hasFrame, double *seconds, char **error) {
  return guarded(error, [&] {
    require(reader && hasFrame && seconds, "a pointer is null");
    double time = 0;
    *hasFrame = reader->grab(time) ? 1 : 0;
    *seconds = *hasFrame ? time : 0;
  });
}

int32_t readerRetrieve(mien_opencv_video_reader *reader, uint8_t *pixels, size_t count, char **error) {
  return guarded(error, [&] {
    require(reader && pixels, "a pointer is null");
    const cv::Mat &frame = reader->retrieve();
    const size_t row = size_t(frame.cols) * 3;
    require(count == row * size_t(frame.rows), "the byte count is not width * height * 3");
    for (int y = 0; y < frame.rows; ++y) memcpy(pixels + size_t(y) * row, frame.ptr(y), row);
  });
}

int32_t readerFaults(const mien_opencv_video_reader *reader, mien_opencv_video_faults *faults, char **error) {
  return guarded(error, [&] {
    require(reader && faults, "a pointer is null");
    *faults = reader->faults();
  });
}

int32_t soundFind(const mien_opencv_video_source *source, mien_opencv_video_sound *sound, char **error) {
  return guarded(error, [&] {
    check(source);
    require(sound, "a pointer is null");
    *sound = isWebP(*source) ? mien_opencv_video_sound{0, -1, 0} : findSound(*source);
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
      readerFaults,              soundFind,  cameraOpen, writerOpen, writerWrite, writerClose, windowShow};
  return &table;
}
