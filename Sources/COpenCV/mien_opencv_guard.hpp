// What the shims over OpenCV share, COpenCV and COpenCVVideo: arguments are checked, and no C++ exception leaves a
// function. Everything has internal linkage, since the two stand in libraries of their own.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>

#include <opencv2/core.hpp>
#include <opencv2/core/ocl.hpp>
#include <opencv2/core/utils/logger.hpp>

namespace {

/// An argument that does not fit: becomes the status `invalid`.
struct InvalidArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool holds, const char *expectation) {
  if (!holds) throw InvalidArgument(expectation);
}

void report(char **error, const char *message) noexcept {
  if (error) *error = strdup(message);
}

/// Turns OpenCV's process-wide defaults into what a library needs: errors as exceptions only, and no OpenCL probing.
void prepareCore() {
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  cv::redirectError([](int, const char *, const char *, const char *, int, void *) { return 0; });
  cv::ocl::setUseOpenCL(false);
}

/// What a function of a shim returns.
struct Statuses {
  int32_t ok, invalid, failed;
};

/// Runs `body`; whatever it throws becomes a status and a message.
template <typename Body>
int32_t guarded(const Statuses &statuses, char **error, Body &&body) noexcept {
  try {
    body();
    return statuses.ok;
  } catch (const InvalidArgument &invalid) {
    report(error, invalid.what());
    return statuses.invalid;
  } catch (const cv::Exception &failure) {
    report(error, failure.err.empty() ? failure.what() : failure.err.c_str());
  } catch (const std::bad_alloc &) {
    report(error, "out of memory");
  } catch (const std::exception &failure) {
    report(error, failure.what());
  } catch (...) {
    report(error, "unknown C++ exception");
  }
  return statuses.failed;
}

}  // namespace
