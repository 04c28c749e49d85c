#include "mien_openvino.h"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>

#include <openvino/openvino.hpp>

struct mien_openvino_model {
  ov::CompiledModel compiled;
};

struct mien_openvino_request {
  ov::InferRequest request;
  bool has_run = false;
};

namespace {

/// An argument that does not fit: becomes MIEN_OPENVINO_INVALID.
struct InvalidArgument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool holds, const std::string &expectation) {
  if (!holds) throw InvalidArgument(expectation);
}

void report(char **error, const char *message) noexcept {
  if (error) *error = strdup(message);
}

/// Runs `body`; whatever it throws becomes a status and a message.
template <typename Body>
int32_t guarded(char **error, Body &&body) noexcept {
  try {
    body();
    return MIEN_OPENVINO_OK;
  } catch (const InvalidArgument &invalid) {
    report(error, invalid.what());
    return MIEN_OPENVINO_INVALID;
  } catch (const std::exception &failure) {
    report(error, failure.what());
    return MIEN_OPENVINO_FAILED;
  } catch (...) {
    report(error, "an unknown exception");
    return MIEN_OPENVINO_FAILED;
  }
}

/// One core for the process; never destroyed, since its plugins' threads may outlive static destructors.
ov::Core &core() {
  static ov::Core *const instance = new ov::Core;
  return *instance;
}

bool has_name(const ov::Output<const ov::Node> &port, const std::string &name) {
  return port.get_names().count(name) > 0;
}

ov::Output<const ov::Node> find(const std::vector<ov::Output<const ov::Node>> &ports, const char *kind,
                                const std::string &name) {
  for (const auto &port : ports) {
    if (has_name(port, name)) return port;
  }
  throw InvalidArgument(std::string("the model has no ") + kind + " called " + name);
}

std::string words(const ov::PartialShape &shape) { return shape.to_string(); }

}  // namespace

extern "C" {

void mien_openvino_string_free(char *message) { std::free(message); }

int32_t mien_openvino_version(char **version, char **error) {
  return guarded(error, [&] {
    require(version, "expected a place for the version");
    *version = strdup(ov::get_openvino_version().buildNumber);
  });
}

int32_t mien_openvino_model_compile(const uint8_t *bytes, size_t count, int32_t threads, mien_openvino_model **model,
                                    char **error) {
  return guarded(error, [&] {
    require(model, "expected a place for the model");
    require(bytes && count > 0, "expected the bytes of a model");
    require(threads >= 0 && threads <= 1024, "expected 0 to 1024 threads");
    const std::string file(reinterpret_cast<const char *>(bytes), count);
    const auto graph = core().read_model(file, ov::Tensor());
    ov::AnyMap settings{
        // A CPU that has bf16 would otherwise round to it, and two machines would disagree.
        ov::hint::inference_precision(ov::element::f32),
        ov::num_streams(1),
        // Threads tied to cores wait for each other where another program runs on one of them.
        ov::hint::enable_cpu_pinning(false),
    };
    if (threads > 0) settings.insert(ov::inference_num_threads(threads));
    *model = new mien_openvino_model{core().compile_model(graph, "CPU", settings)};
  });
}

void mien_openvino_model_free(mien_openvino_model *model) {
  guarded(nullptr, [&] { delete model; });
}

int32_t mien_openvino_model_ports(const mien_openvino_model *model, size_t *inputs, size_t *outputs, char **error) {
  return guarded(error, [&] {
    require(model && inputs && outputs, "expected a model and places for two counts");
    const size_t input_count = model->compiled.inputs().size();
    *outputs = model->compiled.outputs().size();
    *inputs = input_count;
  });
}

int32_t mien_openvino_model_shape(const mien_openvino_model *model, const char *name, int32_t is_output,
                                  int64_t *sizes, size_t capacity, size_t *rank, char **error) {
  return guarded(error, [&] {
    require(model && name && sizes && rank, "expected a model, a name and places for the sizes");
    const auto port = is_output ? find(model->compiled.outputs(), "output", name)
                                : find(model->compiled.inputs(), "input", name);
    const auto shape = port.get_partial_shape();
    require(port.get_element_type() == ov::element::f32,
            std::string(name) + " holds " + port.get_element_type().get_type_name() + ", expected f32");
    require(shape.rank().is_static() && static_cast<size_t>(shape.rank().get_length()) <= capacity,
            std::string(name) + " has the shape " + words(shape) + ", expected at most " + std::to_string(capacity) +
                " axes");
    size_t axis = 0;
    for (const auto &dimension : shape) sizes[axis++] = dimension.is_static() ? dimension.get_length() : -1;
    *rank = axis;
  });
}

int32_t mien_openvino_request_create(mien_openvino_model *model, mien_openvino_request **request, char **error) {
  return guarded(error, [&] {
    require(model && request, "expected a model and a place for the request");
    *request = new mien_openvino_request{model->compiled.create_infer_request()};
  });
}

void mien_openvino_request_free(mien_openvino_request *request) {
  guarded(nullptr, [&] { delete request; });
}

int32_t mien_openvino_request_run(mien_openvino_request *request, const char *name, const float *values, size_t count,
                                  const int64_t *sizes, size_t rank, char **error) {
  return guarded(error, [&] {
    require(request && name && values && sizes, "expected a request, a name, values and sizes");
    const auto port = find(request->request.get_compiled_model().inputs(), "input", name);
    ov::Shape shape;
    size_t product = 1;
    for (size_t axis = 0; axis < rank; axis++) {
      require(sizes[axis] > 0, "expected positive sizes");
      const auto size = static_cast<size_t>(sizes[axis]);
      require(product <= count / size, "expected as many values as the sizes take, found " + std::to_string(count));
      product *= size;
      shape.push_back(size);
    }
    require(product == count, "expected " + std::to_string(product) + " values, found " + std::to_string(count));
    require(port.get_element_type() == ov::element::f32, "expected an input of f32");
    require(port.get_partial_shape().compatible(ov::PartialShape(shape)),
            std::string(name) + " takes the shape " + words(port.get_partial_shape()) + ", found " +
                words(ov::PartialShape(shape)));
    request->has_run = false;
    ov::Tensor input(ov::element::f32, shape);
    std::memcpy(input.data<float>(), values, count * sizeof(float));
    request->request.set_tensor(port, input);
    request->request.infer();
    request->has_run = true;
  });
}

int32_t mien_openvino_request_output(mien_openvino_request *request, const char *name, float *values, size_t count,
                                     char **error) {
  return guarded(error, [&] {
    require(request && name && values, "expected a request, a name and a place for values");
    require(request->has_run, "expected a request that has run");
    const auto tensor = request->request.get_tensor(find(request->request.get_compiled_model().outputs(), "output", name));
    require(tensor.get_element_type() == ov::element::f32, std::string(name) + " does not hold f32");
    require(tensor.get_size() == count, std::string(name) + " holds " + std::to_string(tensor.get_size()) +
                                            " values, expected " + std::to_string(count));
    std::memcpy(values, tensor.data<const float>(), count * sizeof(float));
  });
}

}  // extern "C"
