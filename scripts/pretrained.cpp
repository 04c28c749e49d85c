// Writes the weights of dlib's face identity network as a safetensors file of named f32 tensors:
//
//   pretrained dlib_face_recognition_resnet_model_v1.dat OUT.safetensors SOURCE
//
// stem.conv.{weight,bias} [32, 3, 7, 7] and [32], stem.{gamma,beta}; blocks.0 to blocks.13, each with first and second, each of these with
// conv.{weight,bias}, gamma and beta; fc.weight [128, 256]. gamma and beta scale and shift what the convolution gives.

#include <dlib/dnn.h>

#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

using dlib::add_prev1;
using dlib::add_prev2;
using dlib::affine;
using dlib::avg_pool;
using dlib::con;
using dlib::relu;

// The layers of the file, as dlib's types spell them: the last layer is the outermost.
template <int channels, int stride, typename below>
using convolutions = affine<con<channels, 3, 3, 1, 1, relu<affine<con<channels, 3, 3, stride, stride, below>>>>>;

template <int channels, typename below>
using plain_block = relu<add_prev1<convolutions<channels, 1, dlib::tag1<below>>>>;

template <int channels, typename below>
using halving_block =
    relu<add_prev2<avg_pool<2, 2, 2, 2, dlib::skip1<dlib::tag2<convolutions<channels, 2, dlib::tag1<below>>>>>>>;

template <typename below>
using stem = dlib::max_pool<3, 3, 2, 2, relu<affine<con<32, 7, 7, 2, 2, below>>>>;
template <typename below>
using stage32 = plain_block<32, plain_block<32, plain_block<32, below>>>;
template <typename below>
using stage64 = plain_block<64, plain_block<64, plain_block<64, halving_block<64, below>>>>;
template <typename below>
using stage128 = plain_block<128, plain_block<128, halving_block<128, below>>>;
template <typename below>
using stage256 = plain_block<256, plain_block<256, halving_block<256, below>>>;
template <typename below>
using trunk = halving_block<256, stage256<stage128<stage64<stage32<stem<below>>>>>>;
using network = dlib::loss_metric<
    dlib::fc_no_bias<128, dlib::avg_pool_everything<trunk<dlib::input_rgb_image_sized<150>>>>>;

struct tensor {
  std::string name;
  std::vector<long> shape;
  std::vector<float> values;
};

std::vector<float> values_of(const dlib::tensor &all, size_t first, size_t count) {
  if (first + count > all.size()) throw std::runtime_error("a layer has fewer weights than expected");
  return {all.host() + first, all.host() + first + count};
}

struct convolution {
  tensor weight, bias;
};
struct affine_layer {
  std::vector<float> gamma, beta;
};

struct network_weights {
  std::vector<convolution> convolutions;
  std::vector<affine_layer> affines;
  tensor fully_connected;
};

// Collects weights, the last layer first. dlib copies it.
struct collector {
  network_weights &found;

  template <long filters, long rows, long columns, int sy, int sx, int py, int px>
  void operator()(size_t, dlib::con_<filters, rows, columns, sy, sx, py, px> &layer) {
    const auto &all = layer.get_layer_params();
    const size_t weights = all.size() - filters;
    const long inputs = static_cast<long>(weights) / (filters * rows * columns);
    found.convolutions.push_back({{"", {filters, inputs, rows, columns}, values_of(all, 0, weights)},
                                  {"", {filters}, values_of(all, weights, filters)}});
  }
  void operator()(size_t, dlib::affine_ &layer) {
    const auto gamma = layer.get_gamma();
    const auto beta = layer.get_beta();
    found.affines.push_back({values_of(gamma, 0, gamma.size()), values_of(beta, 0, beta.size())});
  }
  template <unsigned long outputs, dlib::fc_bias_mode bias>
  void operator()(size_t, dlib::fc_<outputs, bias> &layer) {
    // dlib has a row for each input.
    const auto &all = layer.get_layer_params();
    const size_t inputs = all.size() / outputs;
    found.fully_connected = {"fc.weight", {static_cast<long>(outputs), static_cast<long>(inputs)}, {}};
    for (size_t output = 0; output < outputs; ++output) {
      for (size_t input = 0; input < inputs; ++input) {
        found.fully_connected.values.push_back(all.host()[input * outputs + output]);
      }
    }
  }
  template <typename layer>
  void operator()(size_t, layer &) {}
};

void add(std::vector<tensor> &to, const std::string &name, convolution conv, affine_layer affine) {
  conv.weight.name = name + ".conv.weight";
  conv.bias.name = name + ".conv.bias";
  const auto size = conv.bias.shape;
  to.push_back(std::move(conv.weight));
  to.push_back(std::move(conv.bias));
  to.push_back({name + ".gamma", size, std::move(affine.gamma)});
  to.push_back({name + ".beta", size, std::move(affine.beta)});
}

void write(const std::string &path, const std::vector<tensor> &tensors, const std::string &source) {
  std::string header = "{\"__metadata__\":{\"source\":\"" + source + "\"}";
  size_t offset = 0;
  for (const auto &item : tensors) {
    size_t count = 1;
    std::string shape;
    for (const long side : item.shape) {
      count *= static_cast<size_t>(side);
      shape += (shape.empty() ? "" : ",") + std::to_string(side);
    }
    if (count != item.values.size()) throw std::runtime_error(item.name + " has an unexpected number of weights");
    const size_t end = offset + 4 * count;
    header += ",\"" + item.name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" +
              std::to_string(offset) + "," + std::to_string(end) + "]}";
    offset = end;
  }
  header += "}";
  while (header.size() % 8 != 0) header += ' ';
  std::ofstream file(path, std::ios::binary);
  const uint64_t length = header.size();
  // Little-endian, as are all machines that dlib's package is for here.
  file.write(reinterpret_cast<const char *>(&length), sizeof length);
  file.write(header.data(), static_cast<std::streamsize>(header.size()));
  for (const auto &item : tensors) {
    file.write(reinterpret_cast<const char *>(item.values.data()),
               static_cast<std::streamsize>(4 * item.values.size()));
  }
  file.close();
  if (!file) throw std::runtime_error(path + " could not be written");
}

}  // namespace

int main(int count, char **words) {
  if (count != 4) {
    std::cerr << "usage: pretrained WEIGHTS.dat OUT.safetensors SOURCE\n";
    return 64;
  }
  try {
    network net;
    dlib::deserialize(words[1]) >> net;
    network_weights found;
    dlib::visit_computational_layers(net, collector{found});
    const size_t blocks = 14;
    if (found.convolutions.size() != 2 * blocks + 1 || found.affines.size() != 2 * blocks + 1) {
      throw std::runtime_error("unexpected layers");
    }
    std::vector<tensor> tensors;
    const auto take = [&](const std::string &name) {
      add(tensors, name, std::move(found.convolutions.back()), std::move(found.affines.back()));
      found.convolutions.pop_back();
      found.affines.pop_back();
    };
    take("stem");
    for (size_t block = 0; block < blocks; ++block) {
      for (const char *half : {".first", ".second"}) take("blocks." + std::to_string(block) + half);
    }
    tensors.push_back(std::move(found.fully_connected));
    write(words[2], tensors, words[3]);
  } catch (const std::exception &error) {
    std::cerr << "pretrained: " << words[1] << ": " << error.what() << "\n";
    return 1;
  }
  return 0;
}
