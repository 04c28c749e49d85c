#include "video_reader.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include <fcntl.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

namespace {

/// Throws what is wrong with a device, so far as it can be told without using it.
void check(const std::string &path) {
  const int device = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) {
    switch (errno) {
      case ENOENT:
      case ENOTDIR: throw std::runtime_error("there is no such camera");
      case ENODEV:
      case ENXIO: throw std::runtime_error("the camera is not connected; plug it in again");
      case EBUSY: throw std::runtime_error("is in use by another program; close that first");
      case EACCES:
      case EPERM:
        throw std::runtime_error(
            "this user may not open it; add the user to the group video (sudo usermod -aG video $USER) and log in again");
      default: throw std::runtime_error(std::string("cannot be opened: ") + strerror(errno));
    }
  }
  struct Closing {
    int device;
    ~Closing() { close(device); }
  } closing{device};
  v4l2_capability capability{};
  if (ioctl(device, VIDIOC_QUERYCAP, &capability) < 0) {
    throw std::runtime_error(errno == ENODEV ? "the camera is not connected; plug it in again" : "is no camera");
  }
  const uint32_t abilities =
      capability.capabilities & V4L2_CAP_DEVICE_CAPS ? capability.device_caps : capability.capabilities;
  if (!(abilities & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE))) {
    throw std::runtime_error("gives no pictures: cameras have a second device for other data; try the one before it");
  }
  if (!(abilities & V4L2_CAP_VIDEO_CAPTURE)) return;
  v4l2_requestbuffers request{};
  request.count = 1;
  request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  request.memory = V4L2_MEMORY_MMAP;
  if (ioctl(device, VIDIOC_REQBUFS, &request) < 0 && errno == EBUSY) {
    throw std::runtime_error("is in use by another program; close that first (fuser -v " + path + " names it)");
  }
}

class CameraReader final : public mien_opencv_video_reader {
 public:
  explicit CameraReader(const std::string &path) {
    check(path);
    if (!capture_.open(path, cv::CAP_V4L2)) {
      throw std::runtime_error("gives no pictures that OpenCV can read; is another program using it?");
    }
    // Frames that wait in the driver are old when they are read.
    capture_.set(cv::CAP_PROP_BUFFERSIZE, 1);
    info.width = int32_t(property(cv::CAP_PROP_FRAME_WIDTH));
    info.height = int32_t(property(cv::CAP_PROP_FRAME_HEIGHT));
    info.frames_per_second = property(cv::CAP_PROP_FPS);
  }

  bool grab(double &seconds) override {
    if (!capture_.grab()) return false;
    seconds = property(cv::CAP_PROP_POS_MSEC) / 1000;
    return true;
  }

  const cv::Mat &retrieve() override {
    cv::Mat decoded;
    if (!capture_.retrieve(decoded) || decoded.empty()) throw std::runtime_error("there is no frame");
    if (decoded.type() != CV_8UC3) throw std::runtime_error("expected a frame of 8-bit colours");
    if (decoded.cols != info.width || decoded.rows != info.height) {
      cv::resize(decoded, decoded, cv::Size(info.width, info.height));
    }
    cv::cvtColor(decoded, frame_, cv::COLOR_BGR2RGB);
    return frame_;
  }

 private:
  double property(int name) const {
    const double value = capture_.get(name);
    return std::isfinite(value) && value > 0 ? value : 0;
  }

  cv::VideoCapture capture_;
  cv::Mat frame_;
};

}  // namespace

std::unique_ptr<mien_opencv_video_reader> openCamera(const std::string &path) {
  return std::make_unique<CameraReader>(path);
}
