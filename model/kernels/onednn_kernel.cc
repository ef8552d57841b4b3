#include "model/kernels/onednn_kernel.h"

#include <algorithm>
#include <dnnl.hpp>
#include <exception>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/kernels/aligned_buffer.h"
#include "model/kernels/onednn_weights.h"

// N, I, H, G: batch size, input width, hidden size, gates; one timestep.

namespace rondo {
namespace {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
constexpr auto kF32 = dnnl::memory::data_type::f32;

// One batch size: the primitive and what it reads and writes.
struct Shape {
  dnnl::primitive primitive;
  Desc input, state, output, scratchpad, weights_layer_desc, weights_iter_desc;
  dnnl::memory weights_layer, weights_iter;
  std::string implementation;
};

// A layout of its own for every batch size (oneDNN 2's packed gemm) would mean as many copies of the weights: 1.9 GB
// for two layers of 1024 units. One spread-out layout for all serves them, see Spread.
constexpr size_t kMaxWeightLayouts = 2;

// The layouts of the input weights and of the recurrent ones.
struct WeightLayout {
  Desc layer, iter;
};

// The length of a row of weights in floats: an odd number of cache lines, so that rows do not meet in one cache set.
int64_t SpreadRow(int64_t floats) {
  constexpr int64_t kLine = 16;
  return ((floats + kLine - 1) / kLine | 1) * kLine;
}

// The one difference between oneDNN 2 and 3: how a primitive is described.
template <typename Primitive, typename... Args>
typename Primitive::primitive_desc Describe(const dnnl::engine& engine, const dnnl::primitive_attr& attr,
                                            const Args&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return typename Primitive::primitive_desc(engine, dnnl::prop_kind::forward_inference, args..., attr);
#else
  return typename Primitive::primitive_desc(typename Primitive::desc(dnnl::prop_kind::forward_inference, args...), attr,
                                            engine);
#endif
}

class OneDnnKernel : public CellKernel {
 public:
  // Throws dnnl::error.
  OneDnnKernel(const LayerShape& layer, const LayerWeights& weights, const std::vector<size_t>& batch_sizes)
      : cell_(layer.cell),
        reset_(layer.gru_reset),
        activation_(layer.activation),
        I_(layer.input_size),
        H_(layer.hidden_size),
        engine_(dnnl::engine::kind::cpu, 0) {
    dnnl::stream stream(engine_);
    OneDnnWeights plain = ToOneDnn(layer, weights);
    bias_ = dnnl::memory(Desc({1, 1, plain.bias_gates, H_}, kF32, Tag::ldgo), engine_);
    std::copy(plain.bias.begin(), plain.bias.end(), static_cast<float*>(bias_.get_data_handle()));
    MakeShapes(batch_sizes, OneDnnsChoice(plain.gates));
    if (NumWeightLayouts() > kMaxWeightLayouts) MakeShapes(batch_sizes, Spread(plain.gates));
    for (const auto& shape : shapes_) {
      if (shape == nullptr) continue;
      shape->weights_layer = Reordered(shape->weights_layer_desc, I_, plain.layer, plain.gates, stream);
      shape->weights_iter = Reordered(shape->weights_iter_desc, H_, plain.iter, plain.gates, stream);
    }
    stream.wait();
  }

  std::unique_ptr<BoundLayer> Bind(const LayerBuffers& buffers) const override;
  size_t scratchpad_size() const override { return scratchpad_size_; }
  std::string name() const override { return absl::StrCat("onednn/", shapes_.back()->implementation); }

  int64_t hidden_size() const { return H_; }
  const dnnl::engine& engine() const { return engine_; }
  const dnnl::memory& bias() const { return bias_; }
  // shapes()[n] is the shape of batch size n; null where none was asked for.
  const std::vector<std::unique_ptr<Shape>>& shapes() const { return shapes_; }

 private:
  WeightLayout OneDnnsChoice(int64_t gates) const {
    return {Desc({1, 1, I_, gates, H_}, kF32, Tag::any), Desc({1, 1, H_, gates, H_}, kF32, Tag::any)};
  }

  // ldigo, with space between the rows. With AVX2, 64 rows of 512 units and more took twice as long as the bare
  // primitive in its own layout when weights lay a power of two apart; spread, at most 5 % longer (kernel-bench).
  WeightLayout Spread(int64_t gates) const {
    const int64_t row = SpreadRow(gates * H_);
    const auto spread = [&](int64_t rows) {
      return Desc({1, 1, rows, gates, H_}, kF32, dnnl::memory::dims{rows * row, rows * row, row, H_, 1});
    };
    return {spread(I_), spread(H_)};
  }

  void MakeShapes(const std::vector<size_t>& batch_sizes, const WeightLayout& weights) {
    shapes_.clear();
    shapes_.resize(*std::max_element(batch_sizes.begin(), batch_sizes.end()) + 1);
    scratchpad_size_ = 0;
    for (size_t batch_size : batch_sizes) shapes_[batch_size] = MakeShape(batch_size, weights);
  }

  size_t NumWeightLayouts() const {
    std::vector<WeightLayout> layouts;
    for (const auto& shape : shapes_) {
      if (shape == nullptr) continue;
      const WeightLayout layout{shape->weights_layer_desc, shape->weights_iter_desc};
      const auto same = [&](const WeightLayout& other) {
        return other.layer == layout.layer && other.iter == layout.iter;
      };
      if (std::none_of(layouts.begin(), layouts.end(), same)) layouts.push_back(layout);
    }
    return layouts.size();
  }

  std::unique_ptr<Shape> MakeShape(size_t batch_size, const WeightLayout& weights) {
    const int64_t N = batch_size;
    const Desc x({1, N, I_}, kF32, Tag::tnc);
    const Desc y({1, N, H_}, kF32, Tag::tnc);
    const Desc h({1, 1, N, H_}, kF32, Tag::ldnc);
    const Desc& wl = weights.layer;
    const Desc& wi = weights.iter;
    const Desc b = bias_.get_desc();
    const Desc none;
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const auto forward = dnnl::rnn_direction::unidirectional_left2right;

    // There is one timestep, so dst_layer is the next h and dst_iter is left out; only the lstm needs it, for its c.
    switch (cell_) {
      case Cell::kLstm:
        return Finish<dnnl::lstm_forward>(
            Describe<dnnl::lstm_forward>(engine_, attr, forward, x, h, h, wl, wi, b, y, h, h));
      case Cell::kGru:
        if (reset_ == GruReset::kAfter) {
          return Finish<dnnl::lbr_gru_forward>(
              Describe<dnnl::lbr_gru_forward>(engine_, attr, forward, x, h, wl, wi, b, y, none));
        }
        return Finish<dnnl::gru_forward>(Describe<dnnl::gru_forward>(engine_, attr, forward, x, h, wl, wi, b, y, none));
      case Cell::kRnn:
        break;
    }
    const auto activation =
        activation_ == Activation::kTanh ? dnnl::algorithm::eltwise_tanh : dnnl::algorithm::eltwise_relu;
    return Finish<dnnl::vanilla_rnn_forward>(
        Describe<dnnl::vanilla_rnn_forward>(engine_, attr, activation, forward, x, h, wl, wi, b, y, none));
  }

  template <typename Primitive, typename Description>
  std::unique_ptr<Shape> Finish(const Description& description) {
    auto shape = std::make_unique<Shape>();
    shape->primitive = Primitive(description);
    shape->input = description.src_layer_desc();
    shape->state = description.src_iter_desc();
    shape->output = description.dst_layer_desc();
    shape->scratchpad = description.scratchpad_desc();
    shape->weights_layer_desc = description.weights_layer_desc();
    shape->weights_iter_desc = description.weights_iter_desc();
    shape->implementation = description.impl_info_str();
    const size_t bytes = shape->scratchpad.get_size();
    scratchpad_size_ = std::max(scratchpad_size_, (bytes + sizeof(float) - 1) / sizeof(float));
    return shape;
  }

  // `plain` in the layout `wanted`: made once, then shared. Packed layouts carry a header that only reorder can write.
  dnnl::memory Reordered(const Desc& wanted, int64_t rows, std::vector<float>& plain, int64_t gates,
                         dnnl::stream& stream) {
    for (const Prepared& prepared : prepared_) {
      if (prepared.source == plain.data() && prepared.memory.get_desc() == wanted) return prepared.memory;
    }
    dnnl::memory from(Desc({1, 1, rows, gates, H_}, kF32, Tag::ldigo), engine_, plain.data());
    AlignedBuffer buffer((wanted.get_size() + sizeof(float) - 1) / sizeof(float));
    dnnl::memory to(wanted, engine_, buffer.get());
    dnnl::reorder(from, to).execute(stream, from, to);
    prepared_.push_back({plain.data(), to, std::move(buffer)});
    return to;
  }

  struct Prepared {
    const float* source;  // tells the input weights from the recurrent ones; not read
    dnnl::memory memory;
    AlignedBuffer buffer;  // memory's
  };

  const Cell cell_;
  const GruReset reset_;
  const Activation activation_;
  const int64_t I_;
  const int64_t H_;
  const dnnl::engine engine_;
  dnnl::memory bias_;
  std::vector<Prepared> prepared_;
  std::vector<std::unique_ptr<Shape>> shapes_;
  size_t scratchpad_size_ = 0;
};

// Arguments are prepared for every batch size: oneDNN's C++ execute() would build a map on each call (its C side still
// builds one of its own).
class BoundOneDnn : public BoundLayer {
 public:
  // Throws dnnl::error.
  BoundOneDnn(const OneDnnKernel& kernel, const LayerBuffers& buffers) : kernel_(kernel), stream_(kernel.engine()) {
    const size_t max_batch_size = kernel.shapes().size() - 1;
    if (buffers.c_in != nullptr) spare_h_.resize(max_batch_size * kernel.hidden_size());
    calls_.resize(kernel.shapes().size());
    for (size_t n = 0; n <= max_batch_size; ++n) {
      if (kernel.shapes()[n] != nullptr) BindShape(*kernel.shapes()[n], buffers, calls_[n]);
    }
  }

  bool Run(size_t batch_size) override {
    const Call& call = calls_[batch_size];
    return dnnl_primitive_execute(kernel_.shapes()[batch_size]->primitive.get(), stream_.get(), call.size(),
                                  call.data()) == dnnl_success;
  }

 private:
  using Call = std::vector<dnnl_exec_arg_t>;

  void BindShape(const Shape& shape, const LayerBuffers& buffers, Call& call) {
    call.push_back({DNNL_ARG_WEIGHTS_LAYER, shape.weights_layer.get()});
    call.push_back({DNNL_ARG_WEIGHTS_ITER, shape.weights_iter.get()});
    call.push_back({DNNL_ARG_BIAS, kernel_.bias().get()});
    Add(DNNL_ARG_SRC_LAYER, shape.input, buffers.input, call);
    Add(DNNL_ARG_SRC_ITER, shape.state, buffers.h_in, call);
    Add(DNNL_ARG_DST_LAYER, shape.output, buffers.h_out, call);
    Add(DNNL_ARG_SCRATCHPAD, shape.scratchpad, buffers.scratchpad, call);
    if (buffers.c_in != nullptr) {
      Add(DNNL_ARG_SRC_ITER_C, shape.state, buffers.c_in, call);
      Add(DNNL_ARG_DST_ITER_C, shape.state, buffers.c_out, call);
      Add(DNNL_ARG_DST_ITER, shape.state, spare_h_.data(), call);
    }
  }

  void Add(int argument, const Desc& desc, const float* floats, Call& call) {
    memories_.emplace_back(desc, kernel_.engine(), const_cast<float*>(floats));
    call.push_back({argument, memories_.back().get()});
  }

  const OneDnnKernel& kernel_;
  dnnl::stream stream_;
  std::vector<float> spare_h_;  // dst_iter, which repeats dst_layer
  std::vector<dnnl::memory> memories_;
  std::vector<Call> calls_;  // by batch size
};

std::unique_ptr<BoundLayer> OneDnnKernel::Bind(const LayerBuffers& buffers) const {
  try {
    return std::make_unique<BoundOneDnn>(*this, buffers);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<CellKernel>> MakeOneDnnKernel(const LayerShape& shape, const LayerWeights& weights,
                                                             const std::vector<size_t>& batch_sizes) {
  try {
    return std::make_unique<OneDnnKernel>(shape, weights, batch_sizes);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("oneDNN refused the layer: ", error.what()));
  }
}

}  // namespace rondo
