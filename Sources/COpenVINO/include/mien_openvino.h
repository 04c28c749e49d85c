// A C interface to the parts of OpenVINO that Mien uses: compiling a model from memory for the CPU and running it.
//
// Conventions
// - A function returns MIEN_OPENVINO_OK or another status and then leaves its results as they were.
// - `error` is always last. It may be NULL. On failure *error is set to a message that the caller frees with
//   mien_openvino_string_free; on success it is left alone.
// - No C++ exception leaves a function; a null pointer or a size that does not fit is MIEN_OPENVINO_INVALID.
// - Tensors are 32-bit floats, row-major, and copied: nothing that a caller passes is kept.
// - A model may be used from several threads at a time, a request from one.

#ifndef MIEN_OPENVINO_H
#define MIEN_OPENVINO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The call did what it says.
#define MIEN_OPENVINO_OK 0
/// An argument is null, out of range, or does not fit the others or the model.
#define MIEN_OPENVINO_INVALID 1
/// OpenVINO refused or failed.
#define MIEN_OPENVINO_FAILED 2

/// A model compiled for the CPU, owned by its caller.
typedef struct mien_openvino_model mien_openvino_model;

/// Room for one run of a model at a time, owned by its caller. It may outlive its model's handle.
typedef struct mien_openvino_request mien_openvino_request;

/// Frees a message. NULL is ignored.
void mien_openvino_string_free(char *message);

/// Sets *version to OpenVINO's version text, which the caller frees with mien_openvino_string_free.
int32_t mien_openvino_version(char **version, char **error);

/// Compiles the ONNX file in `bytes` for the CPU in 32-bit precision.
/// `threads` is how many threads one run may use; 0: as many as there are cores.
/// Sets *model to a handle that the caller frees with mien_openvino_model_free.
int32_t mien_openvino_model_compile(const uint8_t *bytes, size_t count, int32_t threads, mien_openvino_model **model,
                                    char **error);

/// Frees a model. NULL is ignored.
void mien_openvino_model_free(mien_openvino_model *model);

/// Sets *inputs and *outputs to how many of each the model has. The model stays the caller's.
int32_t mien_openvino_model_ports(const mien_openvino_model *model, size_t *inputs, size_t *outputs, char **error);

/// Writes the sizes of the input or output called `name` to sizes[0..<*rank], -1 for one known at run time.
/// `capacity` is the room at `sizes`; a tensor of more axes is MIEN_OPENVINO_INVALID, as is one that is not f32.
/// `is_output` is 0 for an input, else an output. The model stays the caller's.
int32_t mien_openvino_model_shape(const mien_openvino_model *model, const char *name, int32_t is_output,
                                  int64_t *sizes, size_t capacity, size_t *rank, char **error);

/// Makes a request. Sets *request to a handle that the caller frees with mien_openvino_request_free.
int32_t mien_openvino_request_create(mien_openvino_model *model, mien_openvino_request **request, char **error);

/// Frees a request. NULL is ignored.
void mien_openvino_request_free(mien_openvino_request *request);

/// Runs the model on the input called `name` and waits for it.
/// `values` holds the product of sizes[0..<rank] floats, which `count` must be; they are copied.
int32_t mien_openvino_request_run(mien_openvino_request *request, const char *name, const float *values, size_t count,
                                  const int64_t *sizes, size_t rank, char **error);

/// Copies the output called `name` of the last run to values[0..<count]; `count` must be its exact size.
int32_t mien_openvino_request_output(mien_openvino_request *request, const char *name, float *values, size_t count,
                                     char **error);

#ifdef __cplusplus
}
#endif

#endif
