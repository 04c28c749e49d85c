#include "mien_torch_internal.hpp"
#include "mien_torch_kernels.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/GradMode.h>
#include <torch/version.h>

#include <dlfcn.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using mien::copied;
using mien::get;
using mien::guarded;
using mien::list;

std::optional<at::Tensor> optional(const mien_torch_tensor *tensor) {
  return tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt;
}

void give(mien_torch_tensor **out, at::Tensor value) {
  if (!out) throw std::invalid_argument("null out-parameter");
  *out = new mien_torch_tensor{std::move(value)};
}

/// Runs `body`, which makes one tensor, and hands that to the caller.
template <typename Body>
int32_t make(mien_torch_tensor **out, char **error, Body body) noexcept {
  return guarded(error, [&] { give(out, body()); });
}

at::ScalarType scalar_type(mien_torch_type type) {
  switch (type) {
    case MIEN_TORCH_U8: return at::kByte;
    case MIEN_TORCH_I64: return at::kLong;
    case MIEN_TORCH_F32: return at::kFloat;
    case MIEN_TORCH_BF16: return at::kBFloat16;
  }
  throw std::invalid_argument("unknown element type");
}

/// Where tensors are made.
std::atomic<bool> on_cuda = false;
/// Whether autocast may compute in bf16.
std::atomic<bool> in_bf16 = false;

at::TensorOptions options(at::ScalarType type) {
  return at::TensorOptions().dtype(type).device(on_cuda ? at::kCUDA : at::kCPU);
}

at::IntArrayRef sizes_of(const int64_t *sizes, int32_t rank) {
  if (rank < 0 || (rank > 0 && !sizes)) throw std::invalid_argument("bad sizes");
  return {sizes, static_cast<size_t>(rank)};
}

/// Whether the kernels of our own take a tensor.
bool has_kernels(const at::Tensor &x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

/// The random numbers of `seed` for the device of `x`.
at::Generator seeded_generator(const at::Tensor &x, uint64_t seed) {
  auto generator = x.is_cuda() ? at::globalContext().defaultGenerator(at::kCUDA) : at::detail::createCPUGenerator();
  generator.set_current_seed(seed);
  return generator;
}

/// `x`, in memory as `model`, of the same shape, is.
at::Tensor with_layout_of(const at::Tensor &model, const at::Tensor &x) {
  return x.strides() == model.strides() ? x : at::empty_like(model).copy_(x);
}

/// The parameters that have gradients: those that an optimiser moves.
struct Moving {
  std::vector<at::Tensor> values, gradients;

  Moving(mien_torch_tensor *const *parameters, int32_t count) {
    const auto all = list(parameters, count);
    for (size_t i = 0; i < all.size(); ++i) {
      if (!all[i].grad().defined()) continue;
      values.push_back(all[i]);
      gradients.push_back(all[i].grad());
      indices.push_back(i);
    }
  }

  /// Of a list with one tensor a parameter, those of the moving ones.
  std::vector<at::Tensor> matching(mien_torch_tensor *const *states) const {
    if (!states) throw std::invalid_argument("null tensor list");
    std::vector<at::Tensor> found;
    for (const size_t i : indices) found.push_back(get(states[i]));
    return found;
  }

 private:
  std::vector<size_t> indices;
};

using Adam = void (*)(at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList, at::TensorList,
                      double, double, double, double, double, bool, bool, const std::optional<at::Tensor> &,
                      const std::optional<at::Tensor> &);

}  // namespace

void mien_torch_string_free(char *text) noexcept { std::free(text); }
void mien_torch_free(mien_torch_tensor *tensor) noexcept { delete tensor; }

int32_t mien_torch_configure(int32_t threads, char **error) noexcept {
  return guarded(error, [&] {
    if (threads < 1) throw std::invalid_argument("threads must be at least 1");
    at::set_num_threads(threads);
    at::globalContext().setFlushDenormal(true);
  });
}

int32_t mien_torch_keep_freed_memory(char **error) noexcept {
  return guarded(error, [&] {
    // Activations are tens of megabytes and freed every step: keep them in the heap, since fresh mappings would have to
    // be zeroed page by page each time.
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  });
}

int32_t mien_torch_use_bf16(int32_t enabled, char **error) noexcept {
  return guarded(error, [&] {
    in_bf16 = enabled != 0;
    at::globalContext().setAllowTF32CuDNN(enabled != 0);
  });
}

int32_t mien_torch_use_cuda(int32_t autotune, char **error) noexcept {
  return guarded(error, [&] {
    if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) {
      const char *reason = dlerror();
      throw std::runtime_error(std::string("the CUDA libraries cannot be loaded: ") + (reason ? reason : "no reason"));
    }
    if (at::detail::getCUDAHooks().deviceCount() < 1) throw std::runtime_error("no CUDA device was found");
    at::globalContext().setBenchmarkCuDNN(autotune != 0);
    on_cuda = true;
  });
}

int32_t mien_torch_set_autocast(int32_t enabled, char **error) noexcept {
  return guarded(error, [&] {
    if (!in_bf16) return;
    const auto device = on_cuda ? at::kCUDA : at::kCPU;
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::set_autocast_enabled(device, enabled != 0);
    if (!enabled) at::autocast::clear_cache();
  });
}

int32_t mien_torch_version(char **out, char **error) noexcept {
  return guarded(error, [&] {
    if (!out) throw std::invalid_argument("null out-parameter");
    *out = copied(TORCH_VERSION);
  });
}

int32_t mien_torch_set_gradients(int32_t enabled, int32_t *previous, char **error) noexcept {
  return guarded(error, [&] {
    const bool before = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(enabled != 0);
    if (previous) *previous = before ? 1 : 0;
  });
}

int32_t mien_torch_from_bytes(mien_torch_type type, const int64_t *sizes, int32_t rank, const void *bytes,
                              int64_t byte_count, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] {
    auto tensor = at::empty(sizes_of(sizes, rank), at::TensorOptions().dtype(scalar_type(type)));
    if (static_cast<int64_t>(tensor.nbytes()) != byte_count || (byte_count > 0 && !bytes)) {
      throw std::invalid_argument("expected " + std::to_string(tensor.nbytes()) + " bytes, found " +
                                  std::to_string(byte_count));
    }
    if (byte_count > 0) std::memcpy(tensor.mutable_data_ptr(), bytes, static_cast<size_t>(byte_count));
    return tensor.to(options(tensor.scalar_type()));
  });
}

int32_t mien_torch_to_bytes(const mien_torch_tensor *x, void *bytes, int64_t byte_count, char **error) noexcept {
  return guarded(error, [&] {
    const auto plain = get(x).detach().cpu().contiguous();
    if (static_cast<int64_t>(plain.nbytes()) != byte_count || (byte_count > 0 && !bytes)) {
      throw std::invalid_argument("expected room for " + std::to_string(plain.nbytes()) + " bytes, found " +
                                  std::to_string(byte_count));
    }
    if (byte_count > 0) std::memcpy(bytes, plain.const_data_ptr(), static_cast<size_t>(byte_count));
  });
}

int32_t mien_torch_full(const int64_t *sizes, int32_t rank, float value, mien_torch_tensor **out,
                        char **error) noexcept {
  return make(out, error, [&] { return at::full(sizes_of(sizes, rank), value, options(at::kFloat)); });
}

int32_t mien_torch_shape(const mien_torch_tensor *x, int64_t *sizes, int32_t capacity, int32_t *rank,
                         mien_torch_type *type, char **error) noexcept {
  return guarded(error, [&] {
    const auto &tensor = get(x);
    if (!rank || !type || (capacity > 0 && !sizes)) throw std::invalid_argument("null out-parameter");
    switch (tensor.scalar_type()) {
      case at::kByte: *type = MIEN_TORCH_U8; break;
      case at::kLong: *type = MIEN_TORCH_I64; break;
      case at::kFloat: *type = MIEN_TORCH_F32; break;
      case at::kBFloat16: *type = MIEN_TORCH_BF16; break;
      default: throw std::invalid_argument("an element type that is not u8, i64, f32 or bf16");
    }
    *rank = static_cast<int32_t>(tensor.dim());
    if (*rank <= capacity) {
      for (int32_t i = 0; i < *rank; ++i) sizes[i] = tensor.size(i);
    }
  });
}

int32_t mien_torch_cast(const mien_torch_tensor *x, mien_torch_type type, mien_torch_tensor **out,
                        char **error) noexcept {
  return make(out, error, [&] { return get(x).to(scalar_type(type)); });
}

int32_t mien_torch_detach(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return get(x).detach(); });
}

int32_t mien_torch_copy_inplace(mien_torch_tensor *target, const mien_torch_tensor *source, char **error) noexcept {
  return guarded(error, [&] {
    c10::NoGradGuard no_gradient;
    if (get(target).sizes() != get(source).sizes()) throw std::invalid_argument("copy between different shapes");
    target->value.copy_(get(source));
  });
}

int32_t mien_torch_require_gradient_inplace(mien_torch_tensor *x, char **error) noexcept {
  return guarded(error, [&] { get(x).set_requires_grad(true); });
}

int32_t mien_torch_backward(const mien_torch_tensor *loss, char **error) noexcept {
  return guarded(error, [&] { get(loss).backward(); });
}

int32_t mien_torch_gradient(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return guarded(error, [&] {
    const auto &gradient = get(x).grad();
    if (!out) throw std::invalid_argument("null out-parameter");
    if (gradient.defined()) {
      give(out, gradient);
    } else {
      *out = nullptr;
    }
  });
}

int32_t mien_torch_clear_gradients_inplace(mien_torch_tensor *const *tensors, int32_t count, char **error) noexcept {
  return guarded(error, [&] {
    for (auto &tensor : list(tensors, count)) tensor.mutable_grad() = at::Tensor();
  });
}

int32_t mien_torch_add(const mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                       char **error) noexcept {
  return make(out, error, [&] { return at::add(get(a), get(b)); });
}

int32_t mien_torch_subtract(const mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                            char **error) noexcept {
  return make(out, error, [&] { return at::sub(get(a), get(b)); });
}

int32_t mien_torch_multiply(const mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                            char **error) noexcept {
  return make(out, error, [&] { return at::mul(get(a), get(b)); });
}

int32_t mien_torch_divide(const mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                          char **error) noexcept {
  return make(out, error, [&] { return at::div(get(a), get(b)); });
}

int32_t mien_torch_power(const mien_torch_tensor *x, double exponent, mien_torch_tensor **out,
                         char **error) noexcept {
  return make(out, error, [&] { return at::pow(get(x), exponent); });
}

int32_t mien_torch_exponential(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::exp(get(x)); });
}

int32_t mien_torch_affine(const mien_torch_tensor *x, float scale, float offset, mien_torch_tensor **out,
                          char **error) noexcept {
  return make(out, error, [&] {
    auto scaled = at::mul(get(x), scale);
    return offset == 0 ? scaled : at::add(scaled, offset);
  });
}

int32_t mien_torch_clamp(const mien_torch_tensor *x, float low, float high, mien_torch_tensor **out,
                         char **error) noexcept {
  return make(out, error, [&] { return at::clamp(get(x), low, high); });
}

int32_t mien_torch_relu(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::relu(get(x)); });
}

int32_t mien_torch_add_relu_inplace(mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                                    char **error) noexcept {
  return make(out, error, [&] {
    auto sum = get(a);
    sum.add_(get(b));
    return at::relu_(sum);
  });
}

int32_t mien_torch_relu_inplace(mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] {
    auto value = get(x);
    return at::relu_(value);
  });
}

int32_t mien_torch_sigmoid(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::sigmoid(get(x)); });
}

int32_t mien_torch_softmax(const mien_torch_tensor *x, int64_t dim, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::softmax(get(x), dim); });
}

int32_t mien_torch_log_softmax(const mien_torch_tensor *x, int64_t dim, mien_torch_tensor **out,
                               char **error) noexcept {
  return make(out, error, [&] { return at::log_softmax(get(x), dim); });
}

int32_t mien_torch_sum(const mien_torch_tensor *x, int64_t dim, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::sum(get(x), {dim}); });
}

int32_t mien_torch_sum_all(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::sum(get(x)); });
}

int32_t mien_torch_mean(const mien_torch_tensor *x, const int64_t *dims, int32_t count, int32_t keep,
                        mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::mean(get(x), sizes_of(dims, count), keep != 0); });
}

int32_t mien_torch_reshape(const mien_torch_tensor *x, const int64_t *sizes, int32_t rank, mien_torch_tensor **out,
                           char **error) noexcept {
  return make(out, error, [&] { return at::reshape(get(x), sizes_of(sizes, rank)); });
}

int32_t mien_torch_permute(const mien_torch_tensor *x, const int64_t *dims, int32_t rank, mien_torch_tensor **out,
                           char **error) noexcept {
  return make(out, error, [&] { return at::permute(get(x), sizes_of(dims, rank)); });
}

int32_t mien_torch_take_rows(const mien_torch_tensor *x, const mien_torch_tensor *indices, mien_torch_tensor **out,
                             char **error) noexcept {
  return make(out, error, [&] { return at::index_select(get(x), 0, get(indices)); });
}

int32_t mien_torch_narrow(const mien_torch_tensor *x, int64_t start, int64_t count, mien_torch_tensor **out,
                          char **error) noexcept {
  return make(out, error, [&] { return at::narrow(get(x), 0, start, count); });
}

int32_t mien_torch_channels_last(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] {
    auto value = get(x).contiguous(at::MemoryFormat::ChannelsLast);
    // With one channel both layouts hold the same bytes; these strides let what follows see the one that is meant.
    if (value.size(1) == 1) {
      value = value.as_strided(value.sizes(), {value.size(2) * value.size(3), 1, value.size(3), 1});
    }
    return value;
  });
}

int32_t mien_torch_conv2d(const mien_torch_tensor *x, const mien_torch_tensor *w, const mien_torch_tensor *bias,
                          int64_t stride, int64_t padding, int64_t groups, mien_torch_tensor **out,
                          char **error) noexcept {
  return make(out, error, [&] {
    return at::conv2d(get(x), get(w), optional(bias), {stride, stride}, {padding, padding}, {1, 1}, groups);
  });
}

int32_t mien_torch_batch_norm(const mien_torch_tensor *x, const mien_torch_tensor *weight,
                              const mien_torch_tensor *bias, mien_torch_tensor *running_mean,
                              mien_torch_tensor *running_variance, int32_t training, double momentum, double epsilon,
                              mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] {
    return at::batch_norm(get(x), get(weight), get(bias), get(running_mean), get(running_variance), training != 0,
                          momentum, epsilon, false);
  });
}

int32_t mien_torch_linear(const mien_torch_tensor *x, const mien_torch_tensor *w, const mien_torch_tensor *bias,
                          mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::linear(get(x), get(w), optional(bias)); });
}

int32_t mien_torch_max_pool2d(const mien_torch_tensor *x, int64_t kernel, int64_t stride, int64_t padding,
                              mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] {
    const auto &input = get(x);
    if (kernel == 2 && stride == 2 && padding == 0 && has_kernels(input) && input.dim() == 4 && input.size(2) > 1 &&
        input.size(3) > 1) {
      return mien::max_pool_2x2(input);
    }
    return at::max_pool2d(input, {kernel, kernel}, {stride, stride}, {padding, padding});
  });
}

int32_t mien_torch_average_pool2d(const mien_torch_tensor *x, int64_t kernel, int64_t stride, int64_t padding,
                                  mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] {
    return at::avg_pool2d(get(x), {kernel, kernel}, {stride, stride}, {padding, padding}, false, false);
  });
}

int32_t mien_torch_dropout(const mien_torch_tensor *x, double probability, uint64_t seed, mien_torch_tensor **out,
                           char **error) noexcept {
  return make(out, error, [&] {
    if (!(probability >= 0 && probability < 1)) throw std::invalid_argument("dropout probability must be in 0..<1");
    // In bf16 the same elements are dropped as in f32.
    const auto input = get(x).is_cpu() && get(x).scalar_type() == at::kBFloat16 ? get(x).to(at::kFloat) : get(x);
    if (has_kernels(input)) return mien::dropout(input, probability, seed);
    const auto mask = at::empty_like(input.detach()).bernoulli_(1 - probability, seeded_generator(input, seed));
    return at::mul(input, mask.div_(1 - probability));
  });
}

int32_t mien_torch_warp(const mien_torch_tensor *x, const mien_torch_tensor *theta, int64_t height, int64_t width,
                        mien_torch_fill fill, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] {
    const int64_t bilinear = 0;
    const auto &input = get(x);
    if (input.dim() != 4) throw std::invalid_argument("expected pictures [N, C, H, W]");
    const auto grid = at::affine_grid_generator(get(theta), {input.size(0), input.size(1), height, width}, false);
    return at::grid_sampler(input, grid, bilinear, static_cast<int64_t>(fill), false);
  });
}

int32_t mien_torch_normal_like(const mien_torch_tensor *x, uint64_t seed, mien_torch_tensor **out,
                               char **error) noexcept {
  return make(out, error, [&] {
    const auto input = get(x).detach();
    return at::empty_like(input).normal_(0, 1, seeded_generator(input, seed));
  });
}

int32_t mien_torch_sgd_step(mien_torch_tensor *const *parameters, mien_torch_tensor *const *velocities, int32_t count,
                            double learning_rate, double momentum, double weight_decay, int32_t nesterov,
                            char **error) noexcept {
  return guarded(error, [&] {
    c10::NoGradGuard no_gradient;
    const Moving moving(parameters, count);
    if (moving.values.empty()) return;
    const auto buffers = moving.matching(velocities);
    at::_fused_sgd_(moving.values, moving.gradients, buffers, weight_decay, momentum, learning_rate, 0.0, nesterov != 0,
                    false, false);
  });
}

int32_t mien_torch_adam_step(mien_torch_tensor *const *parameters, mien_torch_tensor *const *first_moments,
                             mien_torch_tensor *const *second_moments, int32_t count, int64_t step,
                             double learning_rate, double beta1, double beta2, double epsilon, double weight_decay,
                             int32_t decoupled, char **error) noexcept {
  return guarded(error, [&] {
    c10::NoGradGuard no_gradient;
    if (step < 1) throw std::invalid_argument("Adam's step counts from 1");
    const Moving moving(parameters, count);
    if (moving.values.empty()) return;
    const auto first = moving.matching(first_moments), second = moving.matching(second_moments);
    const auto number = at::full({}, static_cast<double>(step), moving.values[0].options().dtype(at::kFloat));
    const std::vector<at::Tensor> steps(moving.values.size(), number);
    (decoupled ? static_cast<Adam>(at::_fused_adamw_) : static_cast<Adam>(at::_fused_adam_))(
        moving.values, moving.gradients, first, second, {}, steps, learning_rate, beta1, beta2, weight_decay, epsilon,
        false, false, {}, {});
  });
}

int32_t mien_torch_rmsprop_step(mien_torch_tensor *const *parameters, mien_torch_tensor *const *squares,
                                mien_torch_tensor *const *velocities, int32_t count, double learning_rate, double rho,
                                double momentum, double epsilon, double weight_decay, char **error) noexcept {
  return guarded(error, [&] {
    c10::NoGradGuard no_gradient;
    const Moving moving(parameters, count);
    if (moving.values.empty()) return;
    const auto mean_squares = moving.matching(squares);
    std::vector<at::Tensor> buffers;
    if (momentum > 0) buffers = moving.matching(velocities);
    if (std::all_of(moving.values.begin(), moving.values.end(), has_kernels)) {
      for (size_t i = 0; i < moving.values.size(); ++i) {
        const auto &value = moving.values[i];
        mien::rmsprop_step(value.detach(), with_layout_of(value, moving.gradients[i]), mean_squares[i],
                           momentum > 0 ? buffers[i] : at::Tensor(), learning_rate, rho, momentum, epsilon,
                           weight_decay);
      }
      return;
    }
    auto gradients = moving.gradients;
    if (weight_decay != 0) gradients = at::_foreach_add(gradients, moving.values, weight_decay);
    at::_foreach_mul_(mean_squares, rho);
    at::_foreach_addcmul_(mean_squares, gradients, gradients, 1 - rho);
    auto roots = at::_foreach_sqrt(mean_squares);
    at::_foreach_add_(roots, epsilon);
    if (momentum > 0) {
      at::_foreach_mul_(buffers, momentum);
      at::_foreach_addcdiv_(buffers, gradients, roots);
      at::_foreach_add_(moving.values, buffers, -learning_rate);
    } else {
      at::_foreach_addcdiv_(moving.values, gradients, roots, -learning_rate);
    }
  });
}

int32_t mien_torch_add_to_gradients_inplace(mien_torch_tensor *const *parameters, const double *scales, int32_t count,
                                            char **error) noexcept {
  return guarded(error, [&] {
    c10::NoGradGuard no_gradient;
    const auto values = list(parameters, count);
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i].grad().defined()) values[i].mutable_grad().add_(values[i].detach(), scales[i]);
    }
  });
}

int32_t mien_torch_tally(const mien_torch_tensor *loss, mien_torch_tensor *const *logits,
                         mien_torch_tensor *const *targets, int32_t count, mien_torch_tensor **out,
                         char **error) noexcept {
  return make(out, error, [&] {
    c10::NoGradGuard no_gradient;
    const auto guesses = list(logits, count), truths = list(targets, count);
    std::vector<at::Tensor> values{get(loss).detach().reshape({}).to(at::kFloat)};
    for (size_t i = 0; i < guesses.size(); ++i) {
      const auto counts = truths[i].sum(1).gt(0);
      const auto right = guesses[i].argmax(1).eq(truths[i].argmax(1)).logical_and(counts);
      values.push_back(counts.sum().to(at::kFloat));
      values.push_back(right.sum().to(at::kFloat));
    }
    return at::stack(values);
  });
}

int32_t mien_torch_clip_gradients_inplace(mien_torch_tensor *const *parameters, int32_t count, double maximum,
                                          char **error) noexcept {
  return guarded(error, [&] {
    c10::NoGradGuard no_gradient;
    std::vector<at::Tensor> gradients;
    for (const auto &tensor : list(parameters, count)) {
      if (tensor.grad().defined()) gradients.push_back(tensor.grad());
    }
    if (gradients.empty()) throw std::invalid_argument("no gradient to clip");
    const auto joint = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)));
    if (joint.is_cuda()) {
      // Reading the norm would wait for all that was launched.
      at::_foreach_mul_(gradients, joint.add(1e-6).reciprocal().mul(maximum).clamp_max(1));
      return;
    }
    const double total = joint.item<double>();
    if (total > maximum) at::_foreach_mul_(gradients, maximum / (total + 1e-6));
  });
}

int32_t mien_torch_lerp_inplace(mien_torch_tensor *const *targets, mien_torch_tensor *const *sources, int32_t count,
                                double weight, char **error) noexcept {
  return guarded(error, [&] {
    c10::NoGradGuard no_gradient;
    at::_foreach_lerp_(list(targets, count), list(sources, count), weight);
  });
}

int32_t mien_torch_leaky_relu(const mien_torch_tensor *x, double slope, mien_torch_tensor **out,
                              char **error) noexcept {
  return make(out, error, [&] { return at::leaky_relu(get(x), slope); });
}

int32_t mien_torch_parametric_relu(const mien_torch_tensor *x, const mien_torch_tensor *slopes,
                                   mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::prelu(get(x), get(slopes).reshape({-1})); });
}

int32_t mien_torch_silu(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::silu(get(x)); });
}

int32_t mien_torch_gelu(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] { return at::gelu(get(x)); });
}

int32_t mien_torch_maximum(const mien_torch_tensor *x, const int64_t *dims, int32_t count, mien_torch_tensor **out,
                           char **error) noexcept {
  return make(out, error, [&] { return at::amax(get(x), sizes_of(dims, count)); });
}

int32_t mien_torch_pad(const mien_torch_tensor *x, int64_t channels, int64_t rows, int64_t columns,
                       mien_torch_tensor **out, char **error) noexcept {
  return make(out, error, [&] {
    const auto &input = get(x);
    if (input.dim() != 4 || channels < 0 || rows < 0 || columns < 0) {
      throw std::invalid_argument("expected maps [N, C, H, W] and no fewer than 0 zeros");
    }
    return at::constant_pad_nd(input, {0, columns, 0, rows, 0, channels}).contiguous(input.suggest_memory_format());
  });
}

int32_t mien_torch_fractional_max_pool2d(const mien_torch_tensor *x, int64_t kernel, int64_t side,
                                         const mien_torch_tensor *samples, mien_torch_tensor **out,
                                         char **error) noexcept {
  return make(out, error, [&] {
    const auto &input = get(x);
    const auto pooled = std::get<0>(at::fractional_max_pool2d(input, {kernel, kernel}, {side, side}, get(samples)));
    // libtorch's comes in the plain order.
    return pooled.contiguous(input.suggest_memory_format());
  });
}
