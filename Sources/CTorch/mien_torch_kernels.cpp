#include "mien_torch_kernels.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

// The loops are compiled once for each level of the processor; the loader chooses.
#define MIEN_PER_PROCESSOR __attribute__((target_clones("default", "avx2", "avx512f")))

namespace mien {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Elements below which a second thread costs more than it saves.
constexpr int64_t grain = 32768;

/// Whether `value` takes the place of `best`: as in libtorch, of equals the first wins, and what is no number stays.
inline bool wins(float value, float best) { return (value > best) | (value != value); }

/// The maxima of the 2x2 windows of two rows of [columns, channels] values, and which place of its window each is from.
MIEN_PER_PROCESSOR
void pool_rows(const float *__restrict top, const float *__restrict bottom, float *__restrict out,
               uint8_t *__restrict place, int64_t columns, int64_t channels) {
  for (int64_t column = 0; column < columns; ++column) {
    for (int64_t i = 0; i < channels; ++i) {
      const float b = top[channels + i], c = bottom[i], d = bottom[channels + i];
      float best = top[i];
      int32_t from = 0;
      from = wins(b, best) ? 1 : from;
      best = wins(b, best) ? b : best;
      from = wins(c, best) ? 2 : from;
      best = wins(c, best) ? c : best;
      from = wins(d, best) ? 3 : from;
      best = wins(d, best) ? d : best;
      out[i] = best;
      place[i] = static_cast<uint8_t>(from);
    }
    top += 2 * channels, bottom += 2 * channels, out += channels, place += channels;
  }
}

/// The way back: each gradient to the place that won, zero to the other three.
MIEN_PER_PROCESSOR
void spread_rows(const float *__restrict gradient, const uint8_t *__restrict place, float *__restrict top,
                 float *__restrict bottom, int64_t columns, int64_t channels) {
  for (int64_t column = 0; column < columns; ++column) {
    for (int64_t i = 0; i < channels; ++i) {
      const float value = gradient[i];
      const int32_t from = place[i];
      top[i] = from == 0 ? value : 0;
      top[channels + i] = from == 1 ? value : 0;
      bottom[i] = from == 2 ? value : 0;
      bottom[channels + i] = from == 3 ? value : 0;
    }
    top += 2 * channels, bottom += 2 * channels, gradient += channels, place += channels;
  }
}

class MaxPool : public torch::autograd::Function<MaxPool> {
 public:
  static at::Tensor forward(AutogradContext *context, const at::Tensor &input) {
    const auto x = input.contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t count = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
    const int64_t rows = height / 2, columns = width / 2;
    const auto layout = x.options().memory_format(at::MemoryFormat::ChannelsLast);
    auto out = at::empty({count, channels, rows, columns}, layout);
    auto places = at::empty({count, channels, rows, columns}, layout.dtype(at::kByte));
    const float *from = static_cast<const float *>(x.const_data_ptr());
    float *to = out.mutable_data_ptr<float>();
    uint8_t *place = places.mutable_data_ptr<uint8_t>();
    const int64_t line = width * channels;
    at::parallel_for(0, count * rows, grain / (4 * columns * channels) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float *top = from + (row / rows * height + row % rows * 2) * line;
        const int64_t target = row * columns * channels;
        pool_rows(top, top + line, to + target, place + target, columns, channels);
      }
    });
    context->saved_data["height"] = height;
    context->saved_data["width"] = width;
    context->save_for_backward({places});
    return out;
  }

  static variable_list backward(AutogradContext *context, const variable_list &gradients) {
    const auto places = context->get_saved_variables()[0];
    const auto gradient = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const int64_t height = context->saved_data["height"].toInt(), width = context->saved_data["width"].toInt();
    const int64_t count = places.size(0), channels = places.size(1), rows = places.size(2), columns = places.size(3);
    const auto layout = gradient.options().memory_format(at::MemoryFormat::ChannelsLast);
    const bool covers = height == 2 * rows && width == 2 * columns;
    auto result = covers ? at::empty({count, channels, height, width}, layout)
                         : at::zeros({count, channels, height, width}, gradient.options())
                               .contiguous(at::MemoryFormat::ChannelsLast);
    const float *from = static_cast<const float *>(gradient.const_data_ptr());
    const uint8_t *place = static_cast<const uint8_t *>(places.const_data_ptr());
    float *to = result.mutable_data_ptr<float>();
    const int64_t line = width * channels;
    at::parallel_for(0, count * rows, grain / (4 * columns * channels) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float *top = to + (row / rows * height + row % rows * 2) * line;
        const int64_t source = row * columns * channels;
        spread_rows(from + source, place + source, top, top + line, columns, channels);
      }
    });
    return {result};
  }
};

/// Two rounds of a bijection whose every output bit depends on every input bit.
inline uint32_t mixed(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x21f0aaadu;
  x = (x ^ (x >> 15)) * 0x735a2d97u;
  return x ^ (x >> 15);
}

MIEN_PER_PROCESSOR
void drop(const float *from, float *to, int64_t begin, int64_t end, uint32_t first, uint32_t second,
          uint32_t threshold, float scale) {
  for (int64_t i = begin; i < end; ++i) {
    const uint32_t draw = mixed(mixed(static_cast<uint32_t>(i) + first) ^ second);
    to[i] = draw >= threshold ? from[i] * scale : 0;
  }
}

at::Tensor dropped(const at::Tensor &x, double probability, int64_t seed) {
  auto out = at::empty_like(x);
  const float *from = static_cast<const float *>(x.const_data_ptr());
  float *to = out.mutable_data_ptr<float>();
  // A probability just below 1 would round to 2^32, which 32 bits hold as 0.
  const auto threshold = static_cast<uint32_t>(std::min(std::llround(probability * 4294967296.0), 4294967295LL));
  const auto scale = static_cast<float>(1 / (1 - probability));
  const auto first = static_cast<uint32_t>(seed), second = static_cast<uint32_t>(seed >> 32);
  at::parallel_for(0, x.numel(), grain, [&](int64_t begin, int64_t end) {
    drop(from, to, begin, end, mixed(first), mixed(second + 1), threshold, scale);
  });
  return out;
}

class Dropout : public torch::autograd::Function<Dropout> {
 public:
  static at::Tensor forward(AutogradContext *context, const at::Tensor &input, double probability, int64_t seed) {
    const auto x = input.is_non_overlapping_and_dense() ? input : input.contiguous();
    context->saved_data["probability"] = probability;
    context->saved_data["seed"] = seed;
    context->saved_data["strides"] = x.strides().vec();
    return dropped(x, probability, seed);
  }

  static variable_list backward(AutogradContext *context, const variable_list &gradients) {
    auto gradient = gradients[0];
    // An element's place is that in memory.
    const auto strides = context->saved_data["strides"].toIntVector();
    if (gradient.strides() != at::IntArrayRef(strides)) {
      gradient = at::empty_strided(gradient.sizes(), strides, gradient.options()).copy_(gradient);
    }
    return {dropped(gradient, context->saved_data["probability"].toDouble(), context->saved_data["seed"].toInt()), {}, {}};
  }
};

struct RMSpropRule {
  float rate, rho, momentum, epsilon, decay;
};

MIEN_PER_PROCESSOR
void rmsprop(float *__restrict value, const float *__restrict gradient, float *__restrict square,
             float *__restrict velocity, int64_t count, RMSpropRule rule) {
  for (int64_t i = 0; i < count; ++i) {
    const float slope = gradient[i] + rule.decay * value[i];
    square[i] = rule.rho * square[i] + (1 - rule.rho) * slope * slope;
    // The library's square root could set errno, which would keep the loop from being vectorised.
    float move = slope / (__builtin_elementwise_sqrt(square[i]) + rule.epsilon);
    if (velocity) velocity[i] = move = rule.momentum * velocity[i] + move;
    value[i] -= rule.rate * move;
  }
}

}  // namespace

at::Tensor max_pool_2x2(const at::Tensor &x) { return MaxPool::apply(x); }

at::Tensor dropout(const at::Tensor &x, double probability, uint64_t seed) {
  return Dropout::apply(x, probability, static_cast<int64_t>(seed));
}

void rmsprop_step(at::Tensor parameter, const at::Tensor &gradient, at::Tensor square, at::Tensor velocity,
                  double learning_rate, double rho, double momentum, double epsilon, double weight_decay) {
  const RMSpropRule rule{static_cast<float>(learning_rate), static_cast<float>(rho), static_cast<float>(momentum),
                         static_cast<float>(epsilon), static_cast<float>(weight_decay)};
  float *value = parameter.mutable_data_ptr<float>(), *squares = square.mutable_data_ptr<float>();
  float *velocities = velocity.defined() ? velocity.mutable_data_ptr<float>() : nullptr;
  const float *slopes = static_cast<const float *>(gradient.const_data_ptr());
  at::parallel_for(0, parameter.numel(), grain, [&](int64_t begin, int64_t end) {
    rmsprop(value + begin, slopes + begin, squares + begin, velocities ? velocities + begin : nullptr, end - begin,
            rule);
  });
}

}  // namespace mien
