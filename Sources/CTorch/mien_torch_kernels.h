// Operations that libtorch has, made faster on the CPU for what small convolutional networks need.
#pragma once

#include <ATen/ATen.h>

namespace mien {

/// Maximum of 2x2 at stride 2 of x [N, C, H, W], f32 on the CPU; comes channels-last.
at::Tensor max_pool_2x2(const at::Tensor &x);

/// Each element of x, f32 on the CPU, zeroed with `probability`, the rest divided by its complement. Whether an element
/// is kept is a function of `seed` and its place, so that nothing needs to be stored for the way back.
at::Tensor dropout(const at::Tensor &x, double probability, uint64_t seed);

/// One step of RMSprop on one parameter, f32 on the CPU, dense and of one layout; `velocity` may be undefined.
void rmsprop_step(at::Tensor parameter, const at::Tensor &gradient, at::Tensor square, at::Tensor velocity,
                  double learning_rate, double rho, double momentum, double epsilon, double weight_decay);

}  // namespace mien
