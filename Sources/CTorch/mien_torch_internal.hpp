#pragma once

#include "mien_torch.h"

#include <ATen/ATen.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <vector>

struct mien_torch_tensor {
  at::Tensor value;
};

/// What the parts of the shim share.
namespace mien {

inline char *copied(const char *text) {
  const size_t size = std::strlen(text) + 1;
  auto *copy = static_cast<char *>(std::malloc(size));
  if (copy) std::memcpy(copy, text, size);
  return copy;
}

inline void report(char **error, const char *text) {
  if (error) *error = copied(text);
}

/// The one exception boundary.
template <typename Body>
int32_t guarded(char **error, Body body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error &failure) {
    report(error, failure.what_without_backtrace());
  } catch (const std::exception &failure) {
    report(error, failure.what());
  } catch (...) {
    report(error, "unknown C++ exception");
  }
  return -1;
}

inline const at::Tensor &get(const mien_torch_tensor *tensor) {
  if (!tensor) throw std::invalid_argument("null tensor");
  return tensor->value;
}

inline std::vector<at::Tensor> list(mien_torch_tensor *const *tensors, int32_t count) {
  if (count < 0 || (count > 0 && !tensors)) throw std::invalid_argument("bad tensor list");
  std::vector<at::Tensor> values;
  values.reserve(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; ++i) values.push_back(get(tensors[i]));
  return values;
}

}  // namespace mien
