#include "tests/bench/bare_primitive.h"

#include <algorithm>
#include <dnnl.hpp>
#include <random>
#include <vector>

namespace rondo {

using Desc = dnnl::memory::desc;
using Tag = dnnl::memory::format_tag;
constexpr auto kF32 = dnnl::memory::data_type::f32;

struct BarePrimitive::Impl {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::primitive primitive;
  std::vector<dnnl::memory> memories;
  std::vector<dnnl_exec_arg_t> args;
  std::mt19937 random{1};

  template <typename Primitive, typename... Args>
  typename Primitive::primitive_desc Describe(const Args&... description) {
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
    return typename Primitive::primitive_desc(engine, dnnl::prop_kind::forward_inference, description..., attr);
#else
    return typename Primitive::primitive_desc(
        typename Primitive::desc(dnnl::prop_kind::forward_inference, description...), attr, engine);
#endif
  }

  void Add(int argument, const dnnl::memory& memory) {
    memories.push_back(memory);
    args.push_back({argument, memories.back().get()});
  }

  dnnl::memory Random(const Desc& desc, float bound) {
    dnnl::memory memory(desc, engine);
    float* floats = static_cast<float*>(memory.get_data_handle());
    std::uniform_real_distribution<float> uniform(-bound, bound);
    std::generate_n(floats, desc.get_size() / sizeof(float), [&] { return uniform(random); });
    return memory;
  }

  void AddWeights(int argument, const Desc& plain, const Desc& wanted) {
    dnnl::memory from = Random(plain, 0.05f);
    dnnl::memory to(wanted, engine);
    dnnl::reorder(from, to).execute(stream, from, to);
    Add(argument, to);
  }

  template <typename Primitive>
  void Finish(const typename Primitive::primitive_desc& description, const Desc& plain_weights, const Desc& bias) {
    primitive = Primitive(description);
    Add(DNNL_ARG_SRC_LAYER, Random(description.src_layer_desc(), 1.0f));
    Add(DNNL_ARG_SRC_ITER, Random(description.src_iter_desc(), 1.0f));
    AddWeights(DNNL_ARG_WEIGHTS_LAYER, plain_weights, description.weights_layer_desc());
    AddWeights(DNNL_ARG_WEIGHTS_ITER, plain_weights, description.weights_iter_desc());
    Add(DNNL_ARG_BIAS, Random(bias, 0.05f));
    Add(DNNL_ARG_DST_LAYER, Random(description.dst_layer_desc(), 1.0f));
    Add(DNNL_ARG_SCRATCHPAD, dnnl::memory(description.scratchpad_desc(), engine));
    stream.wait();
  }
};

BarePrimitive::BarePrimitive(Cell cell, GruReset reset, size_t hidden_size, size_t batch_size)
    : impl_(std::make_unique<Impl>()) {
  const int64_t N = batch_size, H = hidden_size, G = cell == Cell::kLstm ? 4 : cell == Cell::kGru ? 3 : 1;
  const Desc x({1, N, H}, kF32, Tag::tnc), h({1, 1, N, H}, kF32, Tag::ldnc), none;
  const Desc any({1, 1, H, G, H}, kF32, Tag::any), plain({1, 1, H, G, H}, kF32, Tag::ldigo);
  const bool reset_after = cell == Cell::kGru && reset == GruReset::kAfter;
  const Desc bias({1, 1, reset_after ? G + 1 : G, H}, kF32, Tag::ldgo);
  const auto forward = dnnl::rnn_direction::unidirectional_left2right;
  switch (cell) {
    case Cell::kLstm:
      impl_->Finish<dnnl::lstm_forward>(impl_->Describe<dnnl::lstm_forward>(forward, x, h, h, any, any, bias, x, h, h),
                                        plain, bias);
      for (int argument : {DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER, DNNL_ARG_DST_ITER_C}) {
        impl_->Add(argument, impl_->Random(h, 1.0f));
      }
      break;
    case Cell::kGru:
      if (reset_after) {
        impl_->Finish<dnnl::lbr_gru_forward>(
            impl_->Describe<dnnl::lbr_gru_forward>(forward, x, h, any, any, bias, x, none), plain, bias);
      } else {
        impl_->Finish<dnnl::gru_forward>(impl_->Describe<dnnl::gru_forward>(forward, x, h, any, any, bias, x, none),
                                         plain, bias);
      }
      break;
    case Cell::kRnn:
      impl_->Finish<dnnl::vanilla_rnn_forward>(
          impl_->Describe<dnnl::vanilla_rnn_forward>(dnnl::algorithm::eltwise_tanh, forward, x, h, any, any, bias, x,
                                                     none),
          plain, bias);
      break;
  }
}

BarePrimitive::~BarePrimitive() = default;

void BarePrimitive::Run() {
  dnnl_primitive_execute(impl_->primitive.get(), impl_->stream.get(), impl_->args.size(), impl_->args.data());
}

}  // namespace rondo
