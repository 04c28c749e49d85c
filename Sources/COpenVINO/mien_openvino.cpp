#include "mien_openvino.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>

#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/frontend/manager.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>
#include <openvino/openvino.hpp>

struct mien_openvino_graph {
  std::shared_ptr<ov::Model> model;
};

struct mien_openvino_buffer {
  std::string bytes;
};

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

void require(bool holds, const char *expectation) {
  if (!holds) throw InvalidArgument(expectation);
}

/// As above for messages that cost something to make: `expectation` is called only where the check fails.
template <typename Words>
auto require(bool holds, Words &&expectation) -> decltype(void(std::string(expectation()))) {
  if (!holds) throw InvalidArgument(expectation());
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

/// One core for the process, and the readers of model files.
///
/// The core looks for the readers' libraries whenever it reads a file, so that a program whose folder was removed or replaced
/// could read none; these are loaded once, with the core.
struct Runtime {
  ov::Core core;
  ov::frontend::FrontEndManager readers;
  std::mutex choosing;

  Runtime() { readers.get_available_front_ends(); }

  /// Reads what `source` names: a path, or a stream.
  template <typename Source>
  std::shared_ptr<ov::Model> read(const Source &source) {
    const auto reader = [&] {
      const std::lock_guard<std::mutex> guard(choosing);
      return readers.load_by_model(source);
    }();
    if (!reader) throw std::runtime_error("it is no ONNX, TFLite or OpenVINO file, or the library that reads it is missing");
    return reader->convert(reader->load(source));
  }
};

/// Never destroyed, since its plugins' threads may outlive static destructors.
Runtime &runtime() {
  static Runtime *const instance = new Runtime;
  return *instance;
}

ov::Core &core() { return runtime().core; }

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

bool has_bf16() { return __builtin_cpu_supports("avx512bf16") || __builtin_cpu_supports("amx-bf16"); }

ov::AnyMap settings(int32_t threads, int32_t rounds) {
  require(threads >= 0 && threads <= 1024, "expected 0 to 1024 threads");
  ov::AnyMap settings{
      // Without a hint OpenVINO chooses by the processor, and two machines would disagree.
      ov::hint::inference_precision(rounds && has_bf16() ? ov::element::bf16 : ov::element::f32),
      ov::num_streams(1),
      // Threads tied to cores wait for each other where another program runs on one of them.
      ov::hint::enable_cpu_pinning(false),
  };
  if (threads > 0) settings.insert(ov::inference_num_threads(threads));
  return settings;
}

/// The factor-based twin of an Interpolate to a fixed size; null where it is not one.
std::shared_ptr<ov::Node> by_factor(const std::shared_ptr<ov::Node> &node) {
  const auto fixed = ov::as_type_ptr<ov::op::v11::Interpolate>(node);
  const auto older = ov::as_type_ptr<ov::op::v4::Interpolate>(node);
  if (!fixed && !older) return nullptr;
  auto attributes = fixed ? fixed->get_attrs() : older->get_attrs();
  if (attributes.shape_calculation_mode != ov::op::util::InterpolateBase::ShapeCalcMode::SIZES) return nullptr;
  const auto axes = ov::as_type_ptr<ov::op::v0::Constant>(node->get_input_node_shared_ptr(node->get_input_size() - 1));
  const auto &from = node->get_input_partial_shape(0);
  const auto &to = node->get_output_partial_shape(0);
  if (!axes || from.is_dynamic() || to.is_dynamic()) return nullptr;
  std::vector<float> factors;
  for (const auto axis : axes->cast_vector<int64_t>()) {
    factors.push_back(float(to[axis].get_length()) / float(from[axis].get_length()));
  }
  attributes.shape_calculation_mode = ov::op::util::InterpolateBase::ShapeCalcMode::SCALES;
  return std::make_shared<ov::op::v11::Interpolate>(
      node->input_value(0), ov::op::v0::Constant::create(ov::element::f32, {factors.size()}, factors), axes, attributes);
}

/// The one input of a graph.
ov::Output<ov::Node> only_input(const mien_openvino_graph *graph) {
  require(graph, "expected a graph");
  require(graph->model->inputs().size() == 1,
          [&] { return "expected a network of one input, found " + std::to_string(graph->model->inputs().size()); });
  return graph->model->input();
}

ov::Shape shape_of(const int64_t *sizes, size_t rank) {
  ov::Shape shape;
  for (size_t axis = 0; axis < rank; axis++) {
    require(sizes[axis] > 0, "expected positive sizes");
    shape.push_back(static_cast<size_t>(sizes[axis]));
  }
  return shape;
}

/// Runs a request on `count` values of the type `element`.
template <typename Value>
void run(mien_openvino_request *request, const char *name, const Value *values, size_t count, const int64_t *sizes,
         size_t rank, ov::element::Type element) {
  require(request && name && values && sizes, "expected a request, a name, values and sizes");
  const auto port = find(request->request.get_compiled_model().inputs(), "input", name);
  const auto shape = shape_of(sizes, rank);
  size_t product = 1;
  for (const auto size : shape) {
    require(product <= count / size,
            [&] { return "expected as many values as the sizes take, found " + std::to_string(count); });
    product *= size;
  }
  require(product == count,
          [&] { return "expected " + std::to_string(product) + " values, found " + std::to_string(count); });
  require(port.get_element_type() == element, [&] {
    return std::string(name) + " takes " + port.get_element_type().get_type_name() + ", found " + element.get_type_name();
  });
  require(port.get_partial_shape().compatible(ov::PartialShape(shape)), [&] {
    return std::string(name) + " takes the shape " + words(port.get_partial_shape()) + ", found " +
           words(ov::PartialShape(shape));
  });
  request->has_run = false;
  ov::Tensor input(element, shape);
  std::memcpy(input.data(), values, count * sizeof(Value));
  request->request.set_tensor(port, input);
  request->request.infer();
  request->has_run = true;
}

}  // namespace

extern "C" {

void mien_openvino_string_free(char *message) { std::free(message); }

int32_t mien_openvino_version(char **version, char **error) {
  return guarded(error, [&] {
    require(version, "expected a place for the version");
    *version = strdup(ov::get_openvino_version().buildNumber);
  });
}

int32_t mien_openvino_processor(char **processor, char **error) {
  return guarded(error, [&] {
    require(processor, "expected a place for the processor");
    std::string text = core().get_property("CPU", ov::device::full_name);
    for (const auto &capability : core().get_property("CPU", ov::device::capabilities)) text += " " + capability;
    *processor = strdup(text.c_str());
  });
}

int32_t mien_openvino_graph_read(const uint8_t *bytes, size_t count, mien_openvino_graph **graph, char **error) {
  return guarded(error, [&] {
    require(graph, "expected a place for the graph");
    require(bytes && count > 0, "expected the bytes of a model");
    std::istringstream file(std::string(reinterpret_cast<const char *>(bytes), count));
    std::istream *const stream = &file;
    *graph = new mien_openvino_graph{runtime().read(stream)};
  });
}

int32_t mien_openvino_graph_read_file(const char *path, mien_openvino_graph **graph, char **error) {
  return guarded(error, [&] {
    require(path && graph, "expected a path and a place for the graph");
    *graph = new mien_openvino_graph{runtime().read(std::string(path))};
  });
}

void mien_openvino_graph_free(mien_openvino_graph *graph) {
  guarded(nullptr, [&] { delete graph; });
}

int32_t mien_openvino_graph_make_convolutional(mien_openvino_graph *graph, char **error) {
  return guarded(error, [&] {
    require(graph, "expected a graph");
    for (const auto &node : graph->model->get_ordered_ops()) {
      if (const auto twin = by_factor(node)) ov::replace_node(node, twin);
    }
    for (const auto &result : graph->model->get_results()) {
      const auto reshape = ov::as_type_ptr<ov::op::v1::Reshape>(result->get_input_node_shared_ptr(0));
      if (!reshape) continue;
      const auto names = reshape->output(0).get_names();
      auto source = reshape->input_value(0);
      result->input(0).replace_source_output(source);
      source.set_names(names);
    }
    graph->model->validate_nodes_and_infer_types();
  });
}

int32_t mien_openvino_graph_reshape(mien_openvino_graph *graph, const int64_t *sizes, size_t rank, char **error) {
  return guarded(error, [&] {
    only_input(graph);
    require(sizes && rank > 0 && rank <= 8, "expected 1 to 8 sizes");
    graph->model->reshape(ov::PartialShape(shape_of(sizes, rank)));
  });
}

int32_t mien_openvino_graph_take_bytes(mien_openvino_graph *graph, float scale, float offset, char **error) {
  return guarded(error, [&] {
    only_input(graph);
    require(std::isfinite(scale) && scale != 0 && std::isfinite(offset), "expected a scale other than 0 and an offset");
    ov::preprocess::PrePostProcessor steps(graph->model);
    steps.input().tensor().set_element_type(ov::element::u8);
    // mean() subtracts and scale() divides: value * scale + offset = (value - (-offset / scale)) / (1 / scale).
    steps.input().preprocess().convert_element_type(ov::element::f32).mean(-offset / scale).scale(1 / scale);
    graph->model = steps.build();
  });
}

int32_t mien_openvino_graph_compile(const mien_openvino_graph *graph, int32_t threads, int32_t rounds,
                                    mien_openvino_model **model, char **error) {
  return guarded(error, [&] {
    require(graph && model, "expected a graph and a place for the model");
    *model = new mien_openvino_model{core().compile_model(graph->model, "CPU", settings(threads, rounds))};
  });
}

int32_t mien_openvino_model_export(const mien_openvino_model *model, mien_openvino_buffer **buffer, char **error) {
  return guarded(error, [&] {
    require(model && buffer, "expected a model and a place for the bytes");
    std::ostringstream stream;
    // Not const in OpenVINO, though it changes nothing.
    ov::CompiledModel(model->compiled).export_model(stream);
    *buffer = new mien_openvino_buffer{std::move(stream).str()};
  });
}

int32_t mien_openvino_model_import(const uint8_t *bytes, size_t count, int32_t threads, int32_t rounds,
                                   mien_openvino_model **model, char **error) {
  return guarded(error, [&] {
    require(model, "expected a place for the model");
    require(bytes && count > 0, "expected the bytes of a compiled model");
    std::istringstream stream(std::string(reinterpret_cast<const char *>(bytes), count));
    *model = new mien_openvino_model{core().import_model(stream, "CPU", settings(threads, rounds))};
  });
}

void mien_openvino_buffer_free(mien_openvino_buffer *buffer) { delete buffer; }

const uint8_t *mien_openvino_buffer_bytes(const mien_openvino_buffer *buffer) {
  return buffer ? reinterpret_cast<const uint8_t *>(buffer->bytes.data()) : nullptr;
}

size_t mien_openvino_buffer_count(const mien_openvino_buffer *buffer) { return buffer ? buffer->bytes.size() : 0; }

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
    const auto element = port.get_element_type();
    require(element == ov::element::f32 || element == ov::element::u8, [&] {
      return std::string(name) + " holds " + element.get_type_name() + ", expected f32";
    });
    require(shape.rank().is_static() && static_cast<size_t>(shape.rank().get_length()) <= capacity, [&] {
      return std::string(name) + " has the shape " + words(shape) + ", expected at most " + std::to_string(capacity) +
             " axes";
    });
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
  return guarded(error, [&] { run(request, name, values, count, sizes, rank, ov::element::f32); });
}

int32_t mien_openvino_request_run_bytes(mien_openvino_request *request, const char *name, const uint8_t *values,
                                        size_t count, const int64_t *sizes, size_t rank, char **error) {
  return guarded(error, [&] { run(request, name, values, count, sizes, rank, ov::element::u8); });
}

int32_t mien_openvino_request_output(mien_openvino_request *request, const char *name, float *values, size_t count,
                                     char **error) {
  return guarded(error, [&] {
    require(request && name && values, "expected a request, a name and a place for values");
    require(request->has_run, "expected a request that has run");
    const auto tensor = request->request.get_tensor(find(request->request.get_compiled_model().outputs(), "output", name));
    require(tensor.get_element_type() == ov::element::f32, [&] { return std::string(name) + " does not hold f32"; });
    require(tensor.get_size() == count, [&] {
      return std::string(name) + " holds " + std::to_string(tensor.get_size()) + " values, expected " +
             std::to_string(count);
    });
    std::memcpy(values, tensor.data<const float>(), count * sizeof(float));
  });
}

}  // extern "C"
