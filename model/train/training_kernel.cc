#include "model/train/training_kernel.h"

#include <algorithm>
#include <dnnl.hpp>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/cpu_limit.h"
#include "model/flush_denormals.h"
#include "model/train/gate_order.h"

extern "C" void omp_set_num_threads(int threads);  // libgomp, which oneDNN runs on; clang has no <omp.h> for it

namespace rondo::train {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

constexpr auto kDirection = dnnl::rnn_direction::unidirectional_left2right;
constexpr auto kForward = dnnl::prop_kind::forward_training;
constexpr auto kBackward = dnnl::prop_kind::backward;

// oneDNN 2.x describes an operation, then a primitive; 3.x does both at once. The argument lists are the same.
template <typename Primitive, typename... Args>
typename Primitive::primitive_desc Describe(const dnnl::engine& engine, const Args&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(engine, args...);
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(args...), engine);
#endif
}
template <typename Primitive, typename Hint, typename... Args>
typename Primitive::primitive_desc DescribeBackward(const dnnl::engine& engine, const Hint& hint, const Args&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(engine, args..., hint);
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(args...), engine, hint);
#endif
}

memory::desc Plain(const memory::dims& dims, Tag tag) { return memory::desc(dims, memory::data_type::f32, tag); }

// Calls `body`; what oneDNN or the allocator throws becomes a status.
template <typename Body>
absl::Status Guarded(const Body& body) {
  try {
    body();
  } catch (const dnnl::error& error) {
    return absl::InternalError(absl::StrCat("oneDNN: ", error.what()));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(kNoMemoryForWindow);
  }
  return absl::OkStatus();
}

}  // namespace

std::string OneDnnVersion() {
  const dnnl_version_t* version = dnnl_version();
  return absl::StrCat(version->major, ".", version->minor, ".", version->patch);
}

void MultiplyMatrices(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a,
                      const float* b, float beta, float* c) {
  dnnl::sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0f, a, transpose_a ? m : k, b,
              transpose_b ? k : n, beta, c, n);
}

namespace {

thread_local int training_threads = 1;

class OneDnnLayer : public RecurrentLayer {
 public:
  // Throws dnnl::error.
  explicit OneDnnLayer(const Shape& shape)
      : shape_(shape),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        lstm_(shape.cell == Cell::kLstm),
        order_({shape.cell, shape.gru_reset, shape.gru_update, shape.hidden_size}) {
    if (lstm_) {
      CreateLstm();
    } else if (shape.cell == Cell::kRnn) {
      CreateVanillaRnn();
    } else if (shape.gru_reset == GruReset::kAfter) {
      CreateGru<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>();
    } else {
      CreateGru<dnnl::gru_forward, dnnl::gru_backward>();
    }
  }

  absl::Status SetWeights(const Tensors<const float>& weights) override {
    return Guarded([&] { Bring(weights); });
  }
  absl::Status Forward() override {
    return Guarded([&] { Execute(forward_, forward_args_); });
  }
  absl::Status Backward() override {
    return Guarded([&] { Execute(backward_, backward_args_); });
  }
  absl::Status AddGradients(const Tensors<float>& gradients) override {
    return Guarded([&] { Add(gradients); });
  }

  float* input() override { return Handle(DNNL_ARG_SRC_LAYER); }
  const float* output() const override { return Handle(DNNL_ARG_DST_LAYER); }
  float* output_gradient() override { return Handle(DNNL_ARG_DIFF_DST_LAYER); }
  float* input_gradient() override { return Handle(DNNL_ARG_DIFF_SRC_LAYER); }
  float* state_in(int part) override { return Handle(part == 0 ? DNNL_ARG_SRC_ITER : DNNL_ARG_SRC_ITER_C); }
  const float* state_out(int part) const override {
    return Handle(part == 0 ? DNNL_ARG_DST_ITER : DNNL_ARG_DST_ITER_C);
  }
  const std::string& kernel_name() const override { return kernel_name_; }

 private:
  struct Descs {
    memory::desc src, state, dst, bias, any_ih, any_hh;
  };
  struct Reorder {  // made once: making one costs more than running it on a small network
    Reorder(const memory& source, const memory& target) : from(source), to(target), primitive(from, to) {}
    memory from, to;
    dnnl::reorder primitive;
  };

  void Bring(const Tensors<const float>& weights) {
    order_.FromFile(weights.weight_ih.data(), shape_.input_size, static_cast<float*>(plain_ih_.get_data_handle()));
    order_.FromFile(weights.weight_hh.data(), shape_.hidden_size, static_cast<float*>(plain_hh_.get_data_handle()));
    order_.JoinBiases(weights.bias_ih.data(), weights.bias_hh.data(), Handle(DNNL_ARG_BIAS));
    Run(weights_in_);
  }

  void Execute(const dnnl::primitive& primitive, const Arguments& arguments) {
    primitive.execute(stream_, arguments);
    stream_.wait();
  }

  void Add(const Tensors<float>& gradients) {
    Run(gradients_out_);
    order_.AddToFile(static_cast<float*>(plain_ih_.get_data_handle()), shape_.input_size, gradients.weight_ih.data());
    order_.AddToFile(static_cast<float*>(plain_hh_.get_data_handle()), shape_.hidden_size, gradients.weight_hh.data());
    order_.AddBiasGradients(Handle(DNNL_ARG_DIFF_BIAS), gradients.bias_ih.data(), gradients.bias_hh.data());
    // The primitive adds to what it finds in these, so the next Backward starts from zero.
    for (int arg : {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS}) {
      Clear(backward_args_.at(arg));
    }
  }

  float* Handle(int arg) const {
    const auto found = forward_args_.find(arg);
    return static_cast<float*>(
        (found != forward_args_.end() ? found->second : backward_args_.at(arg)).get_data_handle());
  }

  Descs MakeDescs() const {
    const int64_t T = shape_.timesteps, N = shape_.batch_size, I = shape_.input_size, H = shape_.hidden_size,
                  G = order_.gates();
    return {Plain({T, N, I}, Tag::tnc),       Plain({1, 1, N, H}, Tag::ldnc),
            Plain({T, N, H}, Tag::tnc),       Plain({1, 1, order_.biases(), H}, Tag::ldgo),
            Plain({1, 1, I, G, H}, Tag::any), Plain({1, 1, H, G, H}, Tag::any)};
  }

  void CreateLstm() {
    const Descs d = MakeDescs();
    const auto forward = Describe<dnnl::lstm_forward>(engine_, kForward, kDirection, d.src, d.state, d.state, d.any_ih,
                                                      d.any_hh, d.bias, d.dst, d.state, d.state);
    const auto backward = DescribeBackward<dnnl::lstm_backward>(
        engine_, forward, kBackward, kDirection, d.src, d.state, d.state, d.any_ih, d.any_hh, d.bias, d.dst, d.state,
        d.state, d.src, d.state, d.state, d.any_ih, d.any_hh, d.bias, d.dst, d.state, d.state);
    forward_ = dnnl::lstm_forward(forward);
    backward_ = dnnl::lstm_backward(backward);
    Bind(d, forward, backward);
  }

  void CreateVanillaRnn() {
    const Descs d = MakeDescs();
    const auto activation =
        shape_.activation == Activation::kRelu ? dnnl::algorithm::eltwise_relu : dnnl::algorithm::eltwise_tanh;
    const auto forward = Describe<dnnl::vanilla_rnn_forward>(engine_, kForward, activation, kDirection, d.src, d.state,
                                                             d.any_ih, d.any_hh, d.bias, d.dst, d.state);
    const auto backward = DescribeBackward<dnnl::vanilla_rnn_backward>(
        engine_, forward, kBackward, activation, kDirection, d.src, d.state, d.any_ih, d.any_hh, d.bias, d.dst, d.state,
        d.src, d.state, d.any_ih, d.any_hh, d.bias, d.dst, d.state);
    forward_ = dnnl::vanilla_rnn_forward(forward);
    backward_ = dnnl::vanilla_rnn_backward(backward);
    Bind(d, forward, backward);
  }

  template <typename ForwardPrimitive, typename BackwardPrimitive>
  void CreateGru() {
    const Descs d = MakeDescs();
    const auto forward = Describe<ForwardPrimitive>(engine_, kForward, kDirection, d.src, d.state, d.any_ih, d.any_hh,
                                                    d.bias, d.dst, d.state);
    const auto backward = DescribeBackward<BackwardPrimitive>(engine_, forward, kBackward, kDirection, d.src, d.state,
                                                              d.any_ih, d.any_hh, d.bias, d.dst, d.state, d.src,
                                                              d.state, d.any_ih, d.any_hh, d.bias, d.dst, d.state);
    forward_ = ForwardPrimitive(forward);
    backward_ = BackwardPrimitive(backward);
    Bind(d, forward, backward);
  }

  memory Allocate(const memory::desc& desc) const {
    memory buffer(desc, engine_);
    Clear(buffer);
    return buffer;
  }

  static void Clear(const memory& buffer) {
    const size_t bytes = buffer.get_desc().get_size();
    if (bytes > 0) std::fill_n(static_cast<char*>(buffer.get_data_handle()), bytes, 0);
  }

  template <typename ForwardDesc, typename BackwardDesc>
  void Bind(const Descs& d, const ForwardDesc& forward, const BackwardDesc& backward) {
    const int64_t I = shape_.input_size, H = shape_.hidden_size, G = order_.gates();
    plain_ih_ = Allocate(Plain({1, 1, I, G, H}, Tag::ldgoi));
    plain_hh_ = Allocate(Plain({1, 1, H, G, H}, Tag::ldgoi));
    forward_args_ = {{DNNL_ARG_SRC_LAYER, Allocate(d.src)},  {DNNL_ARG_SRC_ITER, Allocate(d.state)},
                     {DNNL_ARG_BIAS, Allocate(d.bias)},      {DNNL_ARG_DST_LAYER, Allocate(d.dst)},
                     {DNNL_ARG_DST_ITER, Allocate(d.state)}, {DNNL_ARG_WORKSPACE, Allocate(forward.workspace_desc())}};
    if (lstm_) {
      forward_args_.emplace(DNNL_ARG_SRC_ITER_C, Allocate(d.state));
      forward_args_.emplace(DNNL_ARG_DST_ITER_C, Allocate(d.state));
    }
    backward_args_ = forward_args_;
    const std::pair<int, memory::desc> gradients[] = {{DNNL_ARG_DIFF_SRC_LAYER, d.src},
                                                      {DNNL_ARG_DIFF_SRC_ITER, d.state},
                                                      {DNNL_ARG_DIFF_BIAS, d.bias},
                                                      {DNNL_ARG_DIFF_DST_LAYER, d.dst},
                                                      {DNNL_ARG_DIFF_DST_ITER, d.state},
                                                      {DNNL_ARG_DIFF_WEIGHTS_LAYER, backward.diff_weights_layer_desc()},
                                                      {DNNL_ARG_DIFF_WEIGHTS_ITER, backward.diff_weights_iter_desc()}};
    for (const auto& [arg, desc] : gradients) backward_args_.emplace(arg, Allocate(desc));
    if (lstm_) {
      backward_args_.emplace(DNNL_ARG_DIFF_SRC_ITER_C, Allocate(d.state));
      backward_args_.emplace(DNNL_ARG_DIFF_DST_ITER_C, Allocate(d.state));
    }
    forward_args_.emplace(DNNL_ARG_WEIGHTS_LAYER, Allocate(forward.weights_layer_desc()));
    forward_args_.emplace(DNNL_ARG_WEIGHTS_ITER, Allocate(forward.weights_iter_desc()));
    backward_args_.emplace(DNNL_ARG_WEIGHTS_LAYER, Allocate(backward.weights_layer_desc()));
    backward_args_.emplace(DNNL_ARG_WEIGHTS_ITER, Allocate(backward.weights_iter_desc()));
    PrepareReorders();
    kernel_name_ = forward.impl_info_str();
  }

  void PrepareReorders() {
    for (const Arguments* args : {&forward_args_, &backward_args_}) {
      weights_in_.emplace_back(plain_ih_, args->at(DNNL_ARG_WEIGHTS_LAYER));
      weights_in_.emplace_back(plain_hh_, args->at(DNNL_ARG_WEIGHTS_ITER));
    }
    gradients_out_.emplace_back(backward_args_.at(DNNL_ARG_DIFF_WEIGHTS_LAYER), plain_ih_);
    gradients_out_.emplace_back(backward_args_.at(DNNL_ARG_DIFF_WEIGHTS_ITER), plain_hh_);
  }

  void Run(std::vector<Reorder>& reorders) {
    for (Reorder& reorder : reorders) reorder.primitive.execute(stream_, reorder.from, reorder.to);
    stream_.wait();
  }

  const Shape shape_;
  const dnnl::engine engine_;
  dnnl::stream stream_;
  const bool lstm_;
  const GateOrder order_;
  dnnl::primitive forward_, backward_;
  Arguments forward_args_, backward_args_;
  std::vector<Reorder> weights_in_, gradients_out_;
  memory plain_ih_, plain_hh_;  // [gates][hidden_size][width], oneDNN's gate order
  std::string kernel_name_;
};

}  // namespace

void PrepareTrainingThread(int threads) {
  FlushDenormals();
  training_threads = threads > 0 ? threads : AvailableCpus();
  omp_set_num_threads(training_threads);
}

int TrainingThreads() { return training_threads; }

absl::StatusOr<std::unique_ptr<RecurrentLayer>> CreateOneDnnLayer(const RecurrentLayer::Shape& shape) {
  std::unique_ptr<RecurrentLayer> layer;
  const absl::Status status = Guarded([&] { layer = std::make_unique<OneDnnLayer>(shape); });
  if (!status.ok()) return status;
  return layer;
}

}  // namespace rondo::train
