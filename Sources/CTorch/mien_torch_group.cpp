#include "mien_torch_group.h"

#include "mien_torch_internal.hpp"

// The torch wheel has gloo inside, but not its headers; gloo_types.hpp declares what this one mentions.
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <cmath>
#include <string>

struct mien_torch_group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> processes;
  int32_t size;
};

namespace {

using mien::get;
using mien::guarded;
using mien::list;

mien_torch_group &checked(mien_torch_group *group) {
  if (!group) throw std::invalid_argument("null group");
  return *group;
}

void sum(mien_torch_group &group, at::Tensor values) {
  std::vector<at::Tensor> tensors{std::move(values)};
  group.processes->allreduce(tensors)->wait();
}

std::string text(const char *value) {
  if (!value) throw std::invalid_argument("null text");
  return value;
}

}  // namespace

int32_t mien_torch_group_join(const mien_torch_group_options *options, mien_torch_group **out,
                              char **error) noexcept {
  return guarded(error, [&] {
    if (!options || !out) throw std::invalid_argument("null argument");
    if (options->size < 1 || options->rank < 0 || options->rank >= options->size) {
      throw std::invalid_argument("rank " + std::to_string(options->rank) + " of " + std::to_string(options->size));
    }
    if (!(options->timeout_seconds > 0 && options->timeout_seconds < 1e7)) {
      throw std::invalid_argument("a timeout that is not above 0");
    }
    const auto timeout = std::chrono::milliseconds(std::llround(options->timeout_seconds * 1000));
    c10d::TCPStoreOptions place;
    place.port = options->port;
    place.isServer = options->hosts_store != 0;
    place.numWorkers = static_cast<size_t>(options->size);
    place.waitWorkers = false;
    place.timeout = timeout;
    const auto store = c10::make_intrusive<c10d::PrefixStore>(
        text(options->prefix), c10::make_intrusive<c10d::TCPStore>(text(options->host), place));
    store->setTimeout(timeout);
    auto processes = c10::make_intrusive<c10d::ProcessGroupGloo>(
        c10::make_intrusive<c10d::PrefixStore>("gloo", store), options->rank, options->size,
        c10d::ProcessGroupGloo::Options::create_default(timeout));
    *out = new mien_torch_group{store, std::move(processes), options->size};
  });
}

void mien_torch_group_free(mien_torch_group *group) noexcept {
  guarded(nullptr, [&] { delete group; });
}

int32_t mien_torch_group_average_inplace(mien_torch_group *group, mien_torch_tensor *const *parameters,
                                         int32_t parameter_count, mien_torch_tensor *const *values,
                                         int32_t value_count, char **error) noexcept {
  return guarded(error, [&] {
    c10::NoGradGuard no_gradient;
    auto &processes = checked(group);
    auto tensors = list(values, value_count);
    for (const auto &parameter : list(parameters, parameter_count)) {
      if (parameter.grad().defined()) tensors.push_back(parameter.grad());
    }
    if (tensors.empty()) return;
    std::vector<at::Tensor> rows;
    rows.reserve(tensors.size());
    for (const auto &tensor : tensors) {
      if (tensor.scalar_type() != at::kFloat) throw std::invalid_argument("a tensor that is not f32");
      rows.push_back(tensor.detach().reshape({-1}));
    }
    // Gloo sums in the memory of the CPU, wherever the tensors are.
    auto all = at::cat(rows).cpu();
    sum(processes, all);
    all.div_(processes.size);
    all = all.to(tensors[0].device());
    int64_t start = 0;
    for (auto &tensor : tensors) {
      tensor.copy_(all.narrow(0, start, tensor.numel()).view(tensor.sizes()));
      start += tensor.numel();
    }
  });
}

int32_t mien_torch_group_sum_inplace(mien_torch_group *group, double *values, int32_t count, char **error) noexcept {
  return guarded(error, [&] {
    if (count < 0 || (count > 0 && !values)) throw std::invalid_argument("bad list of numbers");
    if (count == 0) return;
    sum(checked(group), at::from_blob(values, {count}, at::kDouble));
  });
}

int32_t mien_torch_group_set(mien_torch_group *group, const char *key, const void *bytes, int64_t count,
                             char **error) noexcept {
  return guarded(error, [&] {
    if (count < 0 || (count > 0 && !bytes)) throw std::invalid_argument("bad bytes");
    const auto *first = static_cast<const uint8_t *>(bytes);
    checked(group).store->set(text(key), std::vector<uint8_t>(first, first + count));
  });
}

int32_t mien_torch_group_get(mien_torch_group *group, const char *key, void **bytes, int64_t *count,
                             char **error) noexcept {
  return guarded(error, [&] {
    if (!bytes || !count) throw std::invalid_argument("null out-parameter");
    const auto found = checked(group).store->get(text(key));
    auto *copy = std::malloc(found.size() + 1);
    if (!copy) throw std::bad_alloc();
    std::memcpy(copy, found.data(), found.size());
    *bytes = copy;
    *count = static_cast<int64_t>(found.size());
  });
}

void mien_torch_bytes_free(void *bytes) noexcept { std::free(bytes); }
