#include "mien_opencv.h"

#include "mien_opencv_guard.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <limits>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <malloc.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>

struct mien_opencv_buffer {
  std::vector<uint8_t> encoded;
  // Continuous where it is not empty, so that its rows follow one another without padding.
  cv::Mat image;
};

struct mien_opencv_cascade {
  cv::CascadeClassifier classifier;
};

namespace {

constexpr int kFont = cv::FONT_HERSHEY_DUPLEX;
constexpr int kMaxTextBytes = 1024;
/// Bytes of a picture that are converted at a time.
constexpr size_t kBlockBytes = 16 << 20;

/// Sets OpenCV up, once.
void prepare() {
  static std::once_flag once;
  std::call_once(once, prepareCore);
}

/// Runs `body`; whatever it throws becomes a status and a message.
template <typename Body>
int32_t guarded(char **error, Body &&body) noexcept {
  return guarded({MIEN_OPENCV_OK, MIEN_OPENCV_INVALID, MIEN_OPENCV_FAILED}, error, [&] {
    prepare();
    body();
  });
}

/// The caller's pixels as a matrix that borrows them; checks every size first.
template <typename Picture>
cv::Mat borrow(const Picture *picture) {
  require(picture && picture->pixels, "the picture is null");
  require(picture->channels == 1 || picture->channels == 3, "expected 1 or 3 channels");
  require(picture->width > 0 && picture->height > 0, "the picture has no pixels");
  // 31 + 31 + 2 bits: the product fits in 64.
  const uint64_t bytes = uint64_t(picture->width) * uint64_t(picture->height) * uint64_t(picture->channels);
  require(bytes == picture->count, "the byte count is not width * height * channels");
  return cv::Mat(picture->height, picture->width, CV_8UC(picture->channels),
                 const_cast<uint8_t *>(picture->pixels));
}

cv::Scalar color(uint32_t rgb, int channels) {
  const double red = (rgb >> 16) & 255, green = (rgb >> 8) & 255, blue = rgb & 255;
  if (channels == 1) return cv::Scalar(0.299 * red + 0.587 * green + 0.114 * blue);
  return cv::Scalar(red, green, blue);
}

/// Keeps std::cerr silent as long as one of these lives: imdecode writes there what decoders throw.
class QuietErrorStream {
 public:
  QuietErrorStream() {
    const std::lock_guard<std::mutex> lock(mutex());
    if (holders()++ == 0) buffer() = std::cerr.rdbuf(nullptr);
  }
  ~QuietErrorStream() {
    const std::lock_guard<std::mutex> lock(mutex());
    if (--holders() > 0) return;
    std::cerr.rdbuf(buffer());
    std::cerr.clear();
  }
  QuietErrorStream(const QuietErrorStream &) = delete;
  QuietErrorStream &operator=(const QuietErrorStream &) = delete;

 private:
  static std::mutex &mutex() { static std::mutex it; return it; }
  static int &holders() { static int it = 0; return it; }
  static std::streambuf *&buffer() { static std::streambuf *it = nullptr; return it; }
};

/// OpenCV's imgcodecs, loaded when a picture first needs it: it pulls more than a hundred libraries, which would cost every
/// program a tenth of a second at its start. JPEG, PNG, GIF and HEIC pictures are read without it.
struct Codecs {
  cv::Mat (*decode)(cv::InputArray, int);
  decltype(&cv::imencode) encode;

  static const Codecs &shared() {
    static const Codecs codecs;
    return codecs;
  }

 private:
  Codecs() {
    const std::string name = "libopencv_imgcodecs.so";
    // As Debian and OpenCV itself name the version in use.
    const std::string debian = name + "." + std::to_string(CV_VERSION_MAJOR) + "0" + std::to_string(CV_VERSION_MINOR);
    const std::string upstream =
        name + "." + std::to_string(CV_VERSION_MAJOR) + "." + std::to_string(CV_VERSION_MINOR);
    void *library = nullptr;
    for (const auto &each : {debian, upstream, name}) {
      if ((library = dlopen(each.c_str(), RTLD_NOW | RTLD_LOCAL))) break;
    }
    if (!library) {
      throw std::runtime_error(debian + " cannot be loaded; install OpenCV's imgcodecs (Debian: libopencv-imgcodecs" +
                               debian.substr(name.size() + 1) + ")");
    }
    // cv::imdecode(InputArray, int), and cv::imencode.
    find(library, "_ZN2cv8imdecodeERKNS_11_InputArrayEi", decode);
    find(library,
         "_ZN2cv8imencodeERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERKNS_11_InputArrayERSt6vectorIhSaIhEERKSB_"
         "IiSaIiEE",
         encode);
  }

  template <typename Function>
  static void find(void *library, const char *name, Function &function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (!function) throw std::runtime_error(std::string("OpenCV's imgcodecs lacks ") + name);
  }
};

/// Samples of 16 bits or of floating-point numbers as bytes; alpha, the fourth channel, keeps the scale of its type.
template <typename Unsupported>
cv::Mat toBytes(const cv::Mat &source, mien_opencv_range &range, Unsupported &&unsupported) {
  range.is_float = source.depth() == CV_32F || source.depth() == CV_64F;
  if (!range.is_float && source.depth() != CV_16U) {
    throw unsupported("its samples are signed numbers or of 32 bits");
  }
  // Some rows at a time, so that the copies stay small beside the picture.
  const int step = int(std::max(size_t(1), kBlockBytes / (source.elemSize() * size_t(source.cols))));
  std::vector<cv::Mat> planes;
  const auto split = [&](const cv::Range &rows) {
    cv::Mat block = source.rowRange(rows);
    if (range.is_float) {
      cv::Mat numbers;
      block.convertTo(numbers, CV_32F);
      // What is no number is black.
      cv::patchNaNs(numbers, 0);
      block = numbers;
    }
    cv::split(block, planes);
  };
  range.smallest = std::numeric_limits<double>::max();
  range.largest = std::numeric_limits<double>::lowest();
  const size_t colors = source.channels() == 4 ? 3 : source.channels();
  for (int row = 0; row < source.rows; row += step) {
    split(cv::Range(row, std::min(source.rows, row + step)));
    for (size_t index = 0; index < colors; ++index) {
      double smallest = 0, largest = 0;
      cv::minMaxLoc(planes[index], &smallest, &largest);
      range.smallest = std::min(range.smallest, smallest);
      range.largest = std::max(range.largest, largest);
    }
  }
  const double usual = range.is_float ? 1 : 65535;
  range.is_scaled = range.is_float ? range.largest > 1 : range.largest > 0 && range.largest < 4096;
  const double white = range.is_scaled ? range.largest : usual;
  if (!std::isfinite(white)) throw unsupported("its samples are infinite");
  cv::Mat result(source.size(), CV_8UC(source.channels()));
  for (int row = 0; row < source.rows; row += step) {
    const cv::Range rows(row, std::min(source.rows, row + step));
    split(rows);
    for (size_t index = 0; index < planes.size(); ++index) {
      planes[index].convertTo(planes[index], CV_8U, 255.0 / (index < colors ? white : usual));
    }
    cv::Mat target = result.rowRange(rows);
    cv::merge(planes, target);
  }
  return result;
}

/// 4-channel 8-bit BGRA over white.
cv::Mat overWhite(const cv::Mat &source, mien_opencv_range &range) {
  cv::Mat result(source.size(), CV_8UC3);
  bool isVisible = false;
  for (int row = 0; row < source.rows; ++row) {
    const uint8_t *from = source.ptr(row);
    uint8_t *to = result.ptr(row);
    for (int column = 0; column < source.cols; ++column, from += 4, to += 3) {
      const int alpha = from[3];
      isVisible = isVisible || alpha > 0;
      for (int channel = 0; channel < 3; ++channel) {
        to[channel] = uint8_t((from[channel] * alpha + 255 * (255 - alpha) + 127) / 255);
      }
    }
  }
  range.is_invisible = !isVisible;
  return result;
}

/// EXIF's eight orientations: what must be done to the stored picture to see it upright.
cv::Mat upright(const cv::Mat &stored, int orientation) {
  cv::Mat result;
  switch (orientation) {
    case 2: cv::flip(stored, result, 1); break;
    case 3: cv::rotate(stored, result, cv::ROTATE_180); break;
    case 4: cv::flip(stored, result, 0); break;
    case 5: cv::transpose(stored, result); break;
    case 6: cv::rotate(stored, result, cv::ROTATE_90_CLOCKWISE); break;
    case 7: {
      cv::Mat transposed;
      cv::transpose(stored, transposed);
      cv::rotate(transposed, result, cv::ROTATE_180);
      break;
    }
    case 8: cv::rotate(stored, result, cv::ROTATE_90_COUNTERCLOCKWISE); break;
    default: result = stored;
  }
  return result;
}

double fontScale(double capHeight, int thickness) {
  return cv::getFontScaleFromHeight(kFont, int(std::lround(capHeight)), thickness);
}

int fontThickness(double capHeight) { return std::max(1, int(std::lround(capHeight / 14))); }

void requireText(const char *text, double capHeight) {
  require(text != nullptr, "the text is null");
  require(strnlen(text, kMaxTextBytes + 1) <= size_t(kMaxTextBytes), "the text is longer than 1024 bytes");
  require(std::isfinite(capHeight) && capHeight >= 1 && capHeight <= 10000, "expected a text height of 1 to 10000");
}

}  // namespace

int32_t mien_opencv_set_threads(int32_t threads, char **error) {
  return guarded(error, [&] {
    require(threads >= 1, "expected at least 1 thread");
    cv::setNumThreads(threads);
  });
}

void mien_opencv_keep_freed_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 256 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
}

void mien_opencv_string_free(char *string) { free(string); }

void mien_opencv_buffer_free(mien_opencv_buffer *buffer) { delete buffer; }

const uint8_t *mien_opencv_buffer_bytes(const mien_opencv_buffer *buffer) {
  if (!buffer) return nullptr;
  return buffer->image.empty() ? buffer->encoded.data() : buffer->image.data;
}

size_t mien_opencv_buffer_count(const mien_opencv_buffer *buffer) {
  if (!buffer) return 0;
  return buffer->image.empty() ? buffer->encoded.size() : buffer->image.total() * buffer->image.elemSize();
}

int32_t mien_opencv_buffer_width(const mien_opencv_buffer *buffer) { return buffer ? buffer->image.cols : 0; }
int32_t mien_opencv_buffer_height(const mien_opencv_buffer *buffer) { return buffer ? buffer->image.rows : 0; }
int32_t mien_opencv_buffer_channels(const mien_opencv_buffer *buffer) {
  return buffer && !buffer->image.empty() ? buffer->image.channels() : 0;
}

int32_t mien_opencv_decode(const uint8_t *bytes, size_t count, int32_t drop_alpha, mien_opencv_buffer **image,
                           mien_opencv_range *range, char **error) {
  bool isUnsupported = false;
  const auto unsupported = [&](const std::string &what) {
    isUnsupported = true;
    return std::runtime_error(what);
  };
  const int32_t status = guarded(error, [&] {
    require(bytes && image && range, "a pointer is null");
    require(count > 0 && count <= size_t(std::numeric_limits<int>::max()), "expected 1 to 2^31 - 1 bytes");
    const Codecs &codecs = Codecs::shared();
    const cv::Mat file(1, int(count), CV_8UC1, const_cast<uint8_t *>(bytes));
    // IMREAD_UNCHANGED is the only mode that keeps grey grey, keeps alpha and leaves the orientation alone.
    const int mode = drop_alpha ? cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION : cv::IMREAD_UNCHANGED;
    cv::Mat decoded;
    {
      const QuietErrorStream quiet;
      decoded = codecs.decode(file, mode);
    }
    if (decoded.empty()) throw std::runtime_error("the decoder found damaged data");
    mien_opencv_range found{};
    if (decoded.depth() != CV_8U) decoded = toBytes(decoded, found, unsupported);
    if (decoded.channels() == 4) decoded = overWhite(decoded, found);
    if (decoded.channels() == 3) {
      cv::cvtColor(decoded, decoded, cv::COLOR_BGR2RGB);
    } else if (decoded.channels() != 1) {
      throw unsupported("expected 1, 3 or 4 channels, found " + std::to_string(decoded.channels()));
    }
    if (!decoded.isContinuous()) decoded = decoded.clone();
    *image = new mien_opencv_buffer{{}, decoded};
    *range = found;
  });
  return status == MIEN_OPENCV_FAILED && isUnsupported ? MIEN_OPENCV_UNSUPPORTED : status;
}

int32_t mien_opencv_turn(const mien_opencv_picture *picture, int32_t orientation, uint8_t *output, size_t output_count,
                         char **error) {
  return guarded(error, [&] {
    require(orientation >= 1 && orientation <= 8, "expected an orientation of 1 to 8");
    const cv::Mat source = borrow(picture);
    const bool isOnItsSide = orientation > 4;
    const mien_opencv_canvas canvas{output, output_count, isOnItsSide ? picture->height : picture->width,
                                    isOnItsSide ? picture->width : picture->height, picture->channels};
    cv::Mat target = borrow(&canvas);
    upright(source, orientation).copyTo(target);
  });
}

int32_t mien_opencv_encode(const mien_opencv_picture *picture, const char *extension, int32_t quality,
                           mien_opencv_buffer **file, char **error) {
  return guarded(error, [&] {
    require(extension && file, "a pointer is null");
    const bool isJPEG = std::strcmp(extension, ".jpg") == 0;
    require(isJPEG || std::strcmp(extension, ".png") == 0, "expected .png or .jpg");
    require(!isJPEG || (quality >= 1 && quality <= 100), "expected a quality of 1 to 100");
    cv::Mat image = borrow(picture);
    if (image.channels() == 3) {
      cv::Mat swapped;
      cv::cvtColor(image, swapped, cv::COLOR_RGB2BGR);
      image = swapped;
    }
    std::vector<int> parameters;
    if (isJPEG) parameters = {cv::IMWRITE_JPEG_QUALITY, quality};
    std::vector<uint8_t> encoded;
    if (!Codecs::shared().encode(extension, image, encoded, parameters)) throw std::runtime_error("the encoder failed");
    *file = new mien_opencv_buffer{std::move(encoded), cv::Mat()};
  });
}

int32_t mien_opencv_resize(const mien_opencv_picture *picture, int32_t width, int32_t height, int32_t by_area,
                           uint8_t *output, size_t output_count, char **error) {
  return guarded(error, [&] {
    const cv::Mat source = borrow(picture);
    const mien_opencv_canvas canvas{output, output_count, width, height, picture->channels};
    cv::Mat target = borrow(&canvas);
    const bool averages = by_area != 0 && width <= source.cols && height <= source.rows;
    cv::resize(source, target, target.size(), 0, 0, averages ? cv::INTER_AREA : cv::INTER_LINEAR);
  });
}

int32_t mien_opencv_halve(const mien_opencv_picture *picture, uint8_t *output, size_t output_count, char **error) {
  return guarded(error, [&] {
    const cv::Mat source = borrow(picture);
    require(source.cols > 1 && source.rows > 1, "expected a picture of at least 2x2 pixels");
    const mien_opencv_canvas canvas{output, output_count, source.cols / 2, source.rows / 2, picture->channels};
    cv::Mat target = borrow(&canvas);
    cv::resize(source(cv::Rect(0, 0, 2 * target.cols, 2 * target.rows)), target, target.size(), 0, 0, cv::INTER_AREA);
  });
}

int32_t mien_opencv_crop_turned(const mien_opencv_picture *picture, double center_x, double center_y, double side,
                                double degrees, int32_t size, uint8_t *output, size_t output_count, char **error) {
  return guarded(error, [&] {
    const cv::Mat source = borrow(picture);
    const mien_opencv_canvas canvas{output, output_count, size, size, picture->channels};
    cv::Mat target = borrow(&canvas);
    require(std::isfinite(center_x) && std::isfinite(center_y) && std::abs(center_x) < 1e9 && std::abs(center_y) < 1e9,
            "expected a centre of finite numbers");
    require(side >= 0.5 && side <= 1e6 && std::isfinite(degrees), "expected a side of 0.5 to 1,000,000 and an angle");
    const double angle = degrees * CV_PI / 180, cosine = std::cos(angle), sine = std::sin(angle);
    // Only the part that is looked at: OpenCV warps pictures of up to 32,767 pixels a side.
    const double reach = side / 2 * (std::abs(cosine) + std::abs(sine)) + 2;
    const auto part = [&](double center, int limit) {
      const int first = std::clamp(int(std::floor(std::max(center - reach, 0.0))), 0, limit - 1);
      const int last = std::clamp(int(std::ceil(std::min(center + reach, double(limit)))), first + 1, limit);
      return cv::Range(first, last);
    };
    const cv::Range columns = part(center_x, source.cols), rows = part(center_y, source.rows);
    require(columns.size() < 32767 && rows.size() < 32767, "expected a part of at most 32,766 pixels a side");
    const int samples = std::clamp(int(std::ceil(side / size)), 1, std::max(1, std::min(16, 8192 / size)));
    const double step = side / (double(size) * samples);
    // From the centre of a sample to the centre of a pixel of the part.
    const auto origin = [&](double center, double x, double y, int first) {
      return center - first - 0.5 + (0.5 * step - side / 2) * (x + y);
    };
    const cv::Matx23d matrix(step * cosine, -step * sine, origin(center_x, cosine, -sine, columns.start), step * sine,
                             step * cosine, origin(center_y, sine, cosine, rows.start));
    cv::Mat warped = samples == 1 ? target : cv::Mat();
    cv::warpAffine(source(rows, columns), warped, matrix, cv::Size(size * samples, size * samples),
                   cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REPLICATE);
    if (samples > 1) cv::resize(warped, target, target.size(), 0, 0, cv::INTER_AREA);
  });
}

int32_t mien_opencv_cascade_load(const char *path, mien_opencv_cascade **cascade, char **error) {
  return guarded(error, [&] {
    require(path && cascade, "a pointer is null");
    cv::CascadeClassifier classifier;
    if (!classifier.load(path) || classifier.empty()) throw std::runtime_error("is not a cascade that OpenCV can read");
    *cascade = new mien_opencv_cascade{std::move(classifier)};
  });
}

void mien_opencv_cascade_free(mien_opencv_cascade *cascade) { delete cascade; }

int32_t mien_opencv_cascade_detect(mien_opencv_cascade *cascade, const mien_opencv_picture *grey, double scale_factor,
                                   int32_t min_neighbors, int32_t min_side, int32_t max_side,
                                   mien_opencv_detection **detections, size_t *count, char **error) {
  return guarded(error, [&] {
    require(cascade && detections && count, "a pointer is null");
    require(std::isfinite(scale_factor) && scale_factor >= 1.01 && scale_factor <= 10,
            "expected a scale factor of 1.01 to 10");
    require(min_neighbors >= 0 && min_side >= 0 && max_side >= 0, "expected numbers of at least 0");
    const cv::Mat source = borrow(grey);
    require(source.channels() == 1, "expected a grey picture");
    cv::Mat equalized;
    cv::equalizeHist(source, equalized);
    std::vector<cv::Rect> rectangles;
    std::vector<int> neighbors;
    cascade->classifier.detectMultiScale(equalized, rectangles, neighbors, scale_factor, min_neighbors, 0,
                                         cv::Size(min_side, min_side), cv::Size(max_side, max_side));
    mien_opencv_detection *found = nullptr;
    if (!rectangles.empty()) {
      found = static_cast<mien_opencv_detection *>(calloc(rectangles.size(), sizeof(mien_opencv_detection)));
      if (!found) throw std::bad_alloc();
    }
    for (size_t index = 0; index < rectangles.size(); ++index) {
      const cv::Rect &box = rectangles[index];
      found[index] = {box.x, box.y, box.width, box.height, index < neighbors.size() ? neighbors[index] : 0};
    }
    *detections = found;
    *count = rectangles.size();
  });
}

void mien_opencv_detections_free(mien_opencv_detection *detections) { free(detections); }

int32_t mien_opencv_draw_rectangle(const mien_opencv_canvas *canvas, int32_t x, int32_t y, int32_t width,
                                   int32_t height, int32_t thickness, uint32_t rgb, char **error) {
  return guarded(error, [&] {
    cv::Mat target = borrow(canvas);
    require(width >= 0 && height >= 0 && thickness >= 0, "expected sizes of at least 0");
    const auto fill = [&](int64_t left, int64_t top, int64_t right, int64_t bottom) {
      left = std::max<int64_t>(left, 0);
      top = std::max<int64_t>(top, 0);
      right = std::min<int64_t>(right, target.cols);
      bottom = std::min<int64_t>(bottom, target.rows);
      if (left >= right || top >= bottom) return;
      target(cv::Rect(int(left), int(top), int(right - left), int(bottom - top))).setTo(color(rgb, target.channels()));
    };
    const int64_t left = x, top = y, right = left + width, bottom = top + height;
    if (thickness == 0 || 2 * int64_t(thickness) >= std::min(width, height)) return fill(left, top, right, bottom);
    fill(left, top, right, top + thickness);
    fill(left, bottom - thickness, right, bottom);
    fill(left, top, left + thickness, bottom);
    fill(right - thickness, top, right, bottom);
  });
}

int32_t mien_opencv_measure_text(const char *text, double cap_height, int32_t *width, int32_t *descent, char **error) {
  return guarded(error, [&] {
    requireText(text, cap_height);
    require(width && descent, "a pointer is null");
    const int thickness = fontThickness(cap_height);
    int below = 0;
    *width = cv::getTextSize(text, kFont, fontScale(cap_height, thickness), thickness, &below).width;
    *descent = below;
  });
}

int32_t mien_opencv_draw_text(const mien_opencv_canvas *canvas, const char *text, int32_t x, int32_t y,
                              double cap_height, uint32_t rgb, char **error) {
  return guarded(error, [&] {
    requireText(text, cap_height);
    cv::Mat target = borrow(canvas);
    const int thickness = fontThickness(cap_height);
    cv::putText(target, text, cv::Point(x, y), kFont, fontScale(cap_height, thickness), color(rgb, target.channels()),
                thickness, cv::LINE_AA);
  });
}

void mien_opencv_version(int32_t *major, int32_t *minor, int32_t *revision) {
  *major = cv::getVersionMajor();
  *minor = cv::getVersionMinor();
  *revision = cv::getVersionRevision();
}
