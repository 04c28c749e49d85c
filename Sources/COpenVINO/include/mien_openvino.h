// A C interface to the parts of OpenVINO that Mien uses: reading a network, changing its input, compiling it for the CPU,
// keeping what was compiled, and running it.
//
// Conventions
// - A function returns MIEN_OPENVINO_OK or another status and then leaves its results as they were.
// - `error` is always last. It may be NULL. On failure *error is set to a message that the caller frees with
//   mien_openvino_string_free; on success it is left alone.
// - No C++ exception leaves a function; a null pointer or a size that does not fit is MIEN_OPENVINO_INVALID.
// - Tensors are row-major and copied: nothing that a caller passes is kept. They hold 32-bit floats, but for an input that
//   mien_openvino_graph_take_bytes has changed.
// - A graph is used by one thread at a time. A model may be used from several threads at a time, a request from one.

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

/// A network that was read and can still be changed, owned by its caller.
typedef struct mien_openvino_graph mien_openvino_graph;

/// Bytes that the library made, owned by their caller.
typedef struct mien_openvino_buffer mien_openvino_buffer;

/// A model compiled for the CPU, owned by its caller.
typedef struct mien_openvino_model mien_openvino_model;

/// Room for one run of a model at a time, owned by its caller. It may outlive its model's handle.
typedef struct mien_openvino_request mien_openvino_request;

/// Frees a message. NULL is ignored.
void mien_openvino_string_free(char *message);

/// Sets *version to OpenVINO's version text, which the caller frees with mien_openvino_string_free.
int32_t mien_openvino_version(char **version, char **error);

/// Sets *processor to the name of this processor and the kinds of numbers that it computes with fast, which the caller
/// frees with mien_openvino_string_free. A compiled model fits another machine only where this text is the same.
int32_t mien_openvino_processor(char **processor, char **error);

/// Reads the ONNX file in `bytes`. Sets *graph to a handle that the caller frees with mien_openvino_graph_free.
int32_t mien_openvino_graph_read(const uint8_t *bytes, size_t count, mien_openvino_graph **graph, char **error);

/// Reads the file at `path`, whose extension tells its format: .tflite, .onnx or .xml.
/// Sets *graph to a handle that the caller frees with mien_openvino_graph_free.
int32_t mien_openvino_graph_read_file(const char *path, mien_openvino_graph **graph, char **error);

/// Frees a graph. NULL is ignored.
void mien_openvino_graph_free(mien_openvino_graph *graph);

/// Prepares a convolutional network for inputs of any size: a Reshape that an output ends with is cut off, so that the
/// output keeps its axes of places, and an Interpolate to a fixed size becomes one by the same factor. Outputs keep their
/// names. A network without either is left as it is.
int32_t mien_openvino_graph_make_convolutional(mien_openvino_graph *graph, char **error);

/// Gives the graph's one input the sizes sizes[0..<rank], each above 0.
int32_t mien_openvino_graph_reshape(mien_openvino_graph *graph, const int64_t *sizes, size_t rank, char **error);

/// Makes the graph's one input take bytes of 0...255, which it turns into value * scale + offset itself.
int32_t mien_openvino_graph_take_bytes(mien_openvino_graph *graph, float scale, float offset, char **error);

/// Compiles a graph for the CPU. The graph stays the caller's.
/// `threads` is how many threads one run may use; 0: as many as there are cores.
/// `rounds` is 1 if the model may compute in bf16 on processors with instructions for it (AVX-512 BF16, AMX), which takes
/// about half the time; 0: always in 32 bits, so that processors agree.
/// Sets *model to a handle that the caller frees with mien_openvino_model_free.
int32_t mien_openvino_graph_compile(const mien_openvino_graph *graph, int32_t threads, int32_t rounds,
                                    mien_openvino_model **model, char **error);

/// Writes a compiled model into *buffer, which the caller frees with mien_openvino_buffer_free: for
/// mien_openvino_model_import by the same version of OpenVINO on the same processor, much faster than compiling.
int32_t mien_openvino_model_export(const mien_openvino_model *model, mien_openvino_buffer **buffer, char **error);

/// Takes what mien_openvino_model_export wrote, which must be undamaged: OpenVINO does not check it.
/// `threads` and `rounds` are as for mien_openvino_graph_compile.
int32_t mien_openvino_model_import(const uint8_t *bytes, size_t count, int32_t threads, int32_t rounds,
                                   mien_openvino_model **model, char **error);

/// Frees a buffer. NULL is ignored.
void mien_openvino_buffer_free(mien_openvino_buffer *buffer);

/// The buffer's bytes, which live as long as it does; NULL for NULL.
const uint8_t *mien_openvino_buffer_bytes(const mien_openvino_buffer *buffer);

/// How many bytes the buffer has; 0 for NULL.
size_t mien_openvino_buffer_count(const mien_openvino_buffer *buffer);

/// Frees a model. NULL is ignored.
void mien_openvino_model_free(mien_openvino_model *model);

/// Sets *inputs and *outputs to how many of each the model has. The model stays the caller's.
int32_t mien_openvino_model_ports(const mien_openvino_model *model, size_t *inputs, size_t *outputs, char **error);

/// Writes the sizes of the input or output called `name` to sizes[0..<*rank], -1 for one known at run time.
/// `capacity` is the room at `sizes`; a tensor of more axes is MIEN_OPENVINO_INVALID, as is one that is neither f32 nor
/// bytes.
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

/// Runs the model on the input called `name`, which takes bytes, and waits for it; else as mien_openvino_request_run.
int32_t mien_openvino_request_run_bytes(mien_openvino_request *request, const char *name, const uint8_t *values,
                                        size_t count, const int64_t *sizes, size_t rank, char **error);

/// Copies the output called `name` of the last run to values[0..<count]; `count` must be its exact size.
int32_t mien_openvino_request_output(mien_openvino_request *request, const char *name, float *values, size_t count,
                                     char **error);

#ifdef __cplusplus
}
#endif

#endif
