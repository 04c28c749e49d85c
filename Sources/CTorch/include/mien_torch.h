/// The part of libtorch that Mien trains with, as plain C.
///
/// Rules for every function:
/// - it returns 0 on success, and -1 after a failure: then `*error` holds a message that the caller frees with
///   `mien_torch_string_free`, and no other out-parameter was written;
/// - a tensor returned through an out-parameter is owned by the caller, who frees it with `mien_torch_free`;
/// - tensors passed in are borrowed, never freed and, unless the name says so (`_inplace`, `_step`), never changed;
/// - no C++ exception leaves it;
/// - gradient recording is a state of the calling thread: call all of these from one thread.
#ifndef MIEN_TORCH_H
#define MIEN_TORCH_H

#include <stdint.h>

#ifdef __cplusplus
#define MIEN_NOEXCEPT noexcept
extern "C" {
#else
#define MIEN_NOEXCEPT
#endif

/// A reference to a tensor; several may share storage. Reference counts are atomic, so freeing is safe on any thread.
typedef struct mien_torch_tensor mien_torch_tensor;

/// Element types. The numbers are this header's own.
typedef enum mien_torch_type {
  MIEN_TORCH_U8 = 0,
  MIEN_TORCH_I64 = 1,
  MIEN_TORCH_F32 = 2,
  MIEN_TORCH_BF16 = 3,
} mien_torch_type;

/// How samples outside a picture are filled when it is warped.
typedef enum mien_torch_fill {
  MIEN_TORCH_FILL_ZERO = 0,
  MIEN_TORCH_FILL_NEAREST = 1,
  MIEN_TORCH_FILL_REFLECT = 2,
} mien_torch_fill;

/// Frees a message. Null is allowed.
void mien_torch_string_free(char *text) MIEN_NOEXCEPT;
/// Frees one reference to a tensor. Null is allowed.
void mien_torch_free(mien_torch_tensor *tensor) MIEN_NOEXCEPT;

/// Sets how many threads an operation may use, and flushes denormal numbers to zero on the calling thread.
int32_t mien_torch_configure(int32_t threads, char **error) MIEN_NOEXCEPT;
/// Has the whole process keep freed memory for reuse, through glibc's `mallopt`. Call it once, before other threads start.
int32_t mien_torch_keep_freed_memory(char **error) MIEN_NOEXCEPT;
/// Loads libtorch's CUDA libraries, by the name `libtorch_cuda.so`, and has tensors be made on the first CUDA device from
/// then on. Call it before any tensor is made: libtorch decides once whether there is CUDA. Fails if the libraries or a
/// device are missing.
///
/// Where `autotune` is not 0, cuDNN times its algorithms when it meets a new shape and keeps the fastest.
int32_t mien_torch_use_cuda(int32_t autotune, char **error) MIEN_NOEXCEPT;
/// Has convolutions and matrix products compute in bf16 where autocast is enabled, and in TF32 elsewhere on CUDA (1), or
/// all of them in f32 (0, as at the start of the process).
int32_t mien_torch_use_bf16(int32_t enabled, char **error) MIEN_NOEXCEPT;
/// Enables (1) or disables (0) autocast for the calling thread. Disabling it drops the converted weights. It has no effect
/// without `mien_torch_use_bf16`.
int32_t mien_torch_set_autocast(int32_t enabled, char **error) MIEN_NOEXCEPT;
/// Copies libtorch's version text into a new string that the caller frees.
int32_t mien_torch_version(char **out, char **error) MIEN_NOEXCEPT;
/// Turns the recording of gradients on (1) or off (0) for the calling thread; `*previous` gets the old state.
int32_t mien_torch_set_gradients(int32_t enabled, int32_t *previous, char **error) MIEN_NOEXCEPT;

/// Makes a tensor of `type` and `sizes[0..<rank]` that holds a copy of `bytes` (row-major).
/// Fails where `byte_count` is not what type and sizes take.
int32_t mien_torch_from_bytes(mien_torch_type type, const int64_t *sizes, int32_t rank, const void *bytes,
                              int64_t byte_count, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Copies the elements, row-major, to `bytes`; fails where `byte_count` is not exactly what they take.
int32_t mien_torch_to_bytes(const mien_torch_tensor *x, void *bytes, int64_t byte_count, char **error) MIEN_NOEXCEPT;
/// Makes an f32 tensor filled with `value`.
int32_t mien_torch_full(const int64_t *sizes, int32_t rank, float value, mien_torch_tensor **out,
                        char **error) MIEN_NOEXCEPT;
/// Writes the rank to `*rank` and, where it is at most `capacity`, the sizes to `sizes`; and the element type.
int32_t mien_torch_shape(const mien_torch_tensor *x, int64_t *sizes, int32_t capacity, int32_t *rank,
                         mien_torch_type *type, char **error) MIEN_NOEXCEPT;
/// The tensor's elements as another type.
int32_t mien_torch_cast(const mien_torch_tensor *x, mien_torch_type type, mien_torch_tensor **out,
                        char **error) MIEN_NOEXCEPT;
/// The same elements without history; shares storage.
int32_t mien_torch_detach(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Copies `source` into `target_inplace`, without history.
int32_t mien_torch_copy_inplace(mien_torch_tensor *target_inplace, const mien_torch_tensor *source,
                                char **error) MIEN_NOEXCEPT;

/// Marks a tensor without history as one that gradients are wanted for.
int32_t mien_torch_require_gradient_inplace(mien_torch_tensor *x, char **error) MIEN_NOEXCEPT;
/// Runs back-propagation from the scalar `loss`; gradients add up in the tensors that ask for them.
int32_t mien_torch_backward(const mien_torch_tensor *loss, char **error) MIEN_NOEXCEPT;
/// The gradient of `x`, sharing storage; `*out` is null where there is none yet.
int32_t mien_torch_gradient(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Drops the gradients of `count` tensors.
int32_t mien_torch_clear_gradients_inplace(mien_torch_tensor *const *tensors, int32_t count, char **error) MIEN_NOEXCEPT;

/// Elementwise sum, with broadcasting.
int32_t mien_torch_add(const mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                       char **error) MIEN_NOEXCEPT;
/// Elementwise difference, with broadcasting.
int32_t mien_torch_subtract(const mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                            char **error) MIEN_NOEXCEPT;
/// Elementwise product, with broadcasting.
int32_t mien_torch_multiply(const mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                            char **error) MIEN_NOEXCEPT;
/// Elementwise quotient, with broadcasting.
int32_t mien_torch_divide(const mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                          char **error) MIEN_NOEXCEPT;
/// Each element, which must not be negative, to the power `exponent`.
int32_t mien_torch_power(const mien_torch_tensor *x, double exponent, mien_torch_tensor **out,
                         char **error) MIEN_NOEXCEPT;
/// e to the power of each element.
int32_t mien_torch_exponential(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// `x * scale + offset`.
int32_t mien_torch_affine(const mien_torch_tensor *x, float scale, float offset, mien_torch_tensor **out,
                          char **error) MIEN_NOEXCEPT;
/// Values limited to low…high.
int32_t mien_torch_clamp(const mien_torch_tensor *x, float low, float high, mien_torch_tensor **out,
                         char **error) MIEN_NOEXCEPT;
/// Rectifier.
int32_t mien_torch_relu(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// `relu(a + b)`; `a`'s storage may be overwritten and must have been made by an operation that does not need its
/// result again in back-propagation (batch norm, convolution). `*out` is a new reference.
int32_t mien_torch_add_relu_inplace(mien_torch_tensor *a, const mien_torch_tensor *b, mien_torch_tensor **out,
                                    char **error) MIEN_NOEXCEPT;
/// Rectifier that may overwrite `x`, under the same condition.
int32_t mien_torch_relu_inplace(mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Logistic function.
int32_t mien_torch_sigmoid(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Softmax over dimension `dim`.
int32_t mien_torch_softmax(const mien_torch_tensor *x, int64_t dim, mien_torch_tensor **out,
                           char **error) MIEN_NOEXCEPT;
/// Logarithm of softmax over dimension `dim`.
int32_t mien_torch_log_softmax(const mien_torch_tensor *x, int64_t dim, mien_torch_tensor **out,
                               char **error) MIEN_NOEXCEPT;
/// Sum over dimension `dim`.
int32_t mien_torch_sum(const mien_torch_tensor *x, int64_t dim, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Sum of all elements, a scalar.
int32_t mien_torch_sum_all(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Mean over the dimensions `dims[0..<count]`, kept with size 1 where `keep` is not 0.
int32_t mien_torch_mean(const mien_torch_tensor *x, const int64_t *dims, int32_t count, int32_t keep,
                        mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// The same elements in another shape; one size may be -1.
int32_t mien_torch_reshape(const mien_torch_tensor *x, const int64_t *sizes, int32_t rank, mien_torch_tensor **out,
                           char **error) MIEN_NOEXCEPT;
/// Dimensions in another order.
int32_t mien_torch_permute(const mien_torch_tensor *x, const int64_t *dims, int32_t rank, mien_torch_tensor **out,
                           char **error) MIEN_NOEXCEPT;
/// Rows `indices` (i64 [K]) of dimension 0.
int32_t mien_torch_take_rows(const mien_torch_tensor *x, const mien_torch_tensor *indices, mien_torch_tensor **out,
                             char **error) MIEN_NOEXCEPT;
/// Rows `start` to `start + count` of dimension 0; shares storage.
int32_t mien_torch_narrow(const mien_torch_tensor *x, int64_t start, int64_t count, mien_torch_tensor **out,
                          char **error) MIEN_NOEXCEPT;
/// An [N, C, H, W] tensor stored with channels innermost.
int32_t mien_torch_channels_last(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;

/// 2-D convolution of x [N, C, H, W] by w [O, C / groups, KH, KW]; `bias` [O] may be null.
int32_t mien_torch_conv2d(const mien_torch_tensor *x, const mien_torch_tensor *w, const mien_torch_tensor *bias,
                          int64_t stride, int64_t padding, int64_t groups, mien_torch_tensor **out,
                          char **error) MIEN_NOEXCEPT;
/// Batch normalisation over dimension 1; where `training` is not 0 the running statistics are updated in place.
int32_t mien_torch_batch_norm(const mien_torch_tensor *x, const mien_torch_tensor *weight,
                              const mien_torch_tensor *bias, mien_torch_tensor *running_mean_inplace,
                              mien_torch_tensor *running_variance_inplace, int32_t training, double momentum,
                              double epsilon, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// x [N, I] times w [O, I] transposed, plus `bias` [O], which may be null.
int32_t mien_torch_linear(const mien_torch_tensor *x, const mien_torch_tensor *w, const mien_torch_tensor *bias,
                          mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Largest value of each window of [N, C, H, W].
int32_t mien_torch_max_pool2d(const mien_torch_tensor *x, int64_t kernel, int64_t stride, int64_t padding,
                              mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Mean of each window of [N, C, H, W]; padding does not count.
int32_t mien_torch_average_pool2d(const mien_torch_tensor *x, int64_t kernel, int64_t stride, int64_t padding,
                                  mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// x [N, C, H, W] with zeros added: `channels` after its own, `rows` at the bottom and `columns` at the right.
int32_t mien_torch_pad(const mien_torch_tensor *x, int64_t channels, int64_t rows, int64_t columns,
                       mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Each element zeroed with `probability`, the rest divided by its complement; the draw is that of `seed` alone.
int32_t mien_torch_dropout(const mien_torch_tensor *x, double probability, uint64_t seed, mien_torch_tensor **out,
                           char **error) MIEN_NOEXCEPT;
/// Warps x [N, C, H, W] by one 2x3 matrix an image, theta [N, 2, 3], that maps output to input coordinates in -1…1
/// (the outer edges of the border pixels are at -1 and 1); bilinear. The result is [N, C, height, width].
int32_t mien_torch_warp(const mien_torch_tensor *x, const mien_torch_tensor *theta, int64_t height, int64_t width,
                        mien_torch_fill fill, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Standard normal numbers of the shape, type and device of `x`; the draw is that of `seed` alone.
int32_t mien_torch_normal_like(const mien_torch_tensor *x, uint64_t seed, mien_torch_tensor **out,
                               char **error) MIEN_NOEXCEPT;

/// One step of stochastic gradient descent on each parameter that has a gradient (Sutskever et al. 2013 in the form
/// that takes the learning rate outside the velocity):
/// g += decay * p; v = momentum * v + g; p -= rate * (nesterov ? g + momentum * v : v).
int32_t mien_torch_sgd_step(mien_torch_tensor *const *parameters, mien_torch_tensor *const *velocities, int32_t count,
                            double learning_rate, double momentum, double weight_decay, int32_t nesterov,
                            char **error) MIEN_NOEXCEPT;
/// One step of Adam (Kingma and Ba 2015) on each parameter that has a gradient, the `step`th from 1:
/// m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
/// p -= rate * m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + epsilon).
/// Weight decay is added to g, or, where `decoupled` is not 0, taken from p directly (Loshchilov and Hutter 2019):
/// p -= rate * decay * p.
int32_t mien_torch_adam_step(mien_torch_tensor *const *parameters, mien_torch_tensor *const *first_moments,
                             mien_torch_tensor *const *second_moments, int32_t count, int64_t step,
                             double learning_rate, double beta1, double beta2, double epsilon, double weight_decay,
                             int32_t decoupled, char **error) MIEN_NOEXCEPT;
/// One step of RMSprop (Tieleman and Hinton 2012) on each parameter that has a gradient:
/// g += decay * p; s = rho * s + (1 - rho) * g^2; v = momentum * v + g / (sqrt(s) + epsilon); p -= rate * v.
/// `velocities` may be null where `momentum` is 0.
int32_t mien_torch_rmsprop_step(mien_torch_tensor *const *parameters, mien_torch_tensor *const *squares,
                                mien_torch_tensor *const *velocities, int32_t count, double learning_rate, double rho,
                                double momentum, double epsilon, double weight_decay, char **error) MIEN_NOEXCEPT;
/// Adds `scales[i] * parameters[i]` to the gradient of each parameter that has one.
int32_t mien_torch_add_to_gradients_inplace(mien_torch_tensor *const *parameters, const double *scales, int32_t count,
                                            char **error) MIEN_NOEXCEPT;
/// What a training step is told of, as one f32 tensor [1 + 2 * count], so that a device is waited for once: the scalar
/// `loss`, then for each of `count` heads the rows of `targets` [N, K] that do not sum to 0, and how many of them have
/// their largest target where `logits` [N, K] are largest.
int32_t mien_torch_tally(const mien_torch_tensor *loss, mien_torch_tensor *const *logits,
                         mien_torch_tensor *const *targets, int32_t count, mien_torch_tensor **out,
                         char **error) MIEN_NOEXCEPT;
/// Scales all gradients so that their joint L2 norm is at most `maximum`. It does not wait for a CUDA device.
int32_t mien_torch_clip_gradients_inplace(mien_torch_tensor *const *parameters, int32_t count, double maximum,
                                          char **error) MIEN_NOEXCEPT;
/// `target += weight * (source - target)` for `count` pairs, without history.
int32_t mien_torch_lerp_inplace(mien_torch_tensor *const *targets, mien_torch_tensor *const *sources, int32_t count,
                                double weight, char **error) MIEN_NOEXCEPT;

/// `x` where it is above 0, `slope * x` elsewhere.
int32_t mien_torch_leaky_relu(const mien_torch_tensor *x, double slope, mien_torch_tensor **out,
                              char **error) MIEN_NOEXCEPT;
/// The same with a slope for each index of dimension 1 of x [N, C, …]; `slopes` has C elements in any shape.
int32_t mien_torch_parametric_relu(const mien_torch_tensor *x, const mien_torch_tensor *slopes,
                                   mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// `x * sigmoid(x)`.
int32_t mien_torch_silu(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// `x` times the normal distribution function of `x`, by the error function.
int32_t mien_torch_gelu(const mien_torch_tensor *x, mien_torch_tensor **out, char **error) MIEN_NOEXCEPT;
/// Largest value over the dimensions `dims[0..<count]`.
int32_t mien_torch_maximum(const mien_torch_tensor *x, const int64_t *dims, int32_t count, mien_torch_tensor **out,
                           char **error) MIEN_NOEXCEPT;
/// Fractional max-pooling of x [N, C, H, W] to [N, C, side, side] with windows of `kernel` x `kernel`; `samples`
/// [N, C, 2] in 0..<1 place the columns (0) and rows (1) of each map's windows.
int32_t mien_torch_fractional_max_pool2d(const mien_torch_tensor *x, int64_t kernel, int64_t side,
                                         const mien_torch_tensor *samples, mien_torch_tensor **out,
                                         char **error) MIEN_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
