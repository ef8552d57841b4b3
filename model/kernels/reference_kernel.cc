#include "model/kernels/reference_kernel.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace rondo {
namespace {

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// One row's part of LayerBuffers.
struct Row {
  const float* x;
  const float* h_in;
  const float* c_in;
  float* h_out;
  float* c_out;
  double* reset_h;  // [hidden_size]: r * h_in, for gru with reset before
};

class ReferenceKernel : public CellKernel {
 public:
  ReferenceKernel(const LayerShape& shape, LayerWeights weights)
      : cell_(shape.cell),
        reset_(shape.gru_reset),
        update_(shape.gru_update),
        activation_(shape.activation),
        I_(shape.input_size),
        H_(shape.hidden_size),
        weights_(std::move(weights)) {}

  std::unique_ptr<BoundLayer> Bind(const LayerBuffers& buffers) const override;
  size_t scratchpad_size() const override { return 0; }
  std::string name() const override { return "reference"; }

  size_t input_size() const { return I_; }
  size_t hidden_size() const { return H_; }

  void RunRow(const Row& row) const {
    if (cell_ == Cell::kGru && reset_ == GruReset::kBefore) {
      for (size_t j = 0; j < H_; ++j) row.reset_h[j] = Sigmoid(GateSum(0, j, row)) * row.h_in[j];
    }
    for (size_t j = 0; j < H_; ++j) {
      switch (cell_) {
        case Cell::kLstm:
          LstmUnit(row, j);
          break;
        case Cell::kGru:
          GruUnit(row, j);
          break;
        case Cell::kRnn:
          RnnUnit(row, j);
          break;
      }
    }
  }

 private:
  double InputSum(size_t gate, size_t j, const float* x) const {
    const float* w = &weights_.weight_ih[(gate * H_ + j) * I_];
    double sum = weights_.bias_ih[gate * H_ + j];
    for (size_t k = 0; k < I_; ++k) sum += static_cast<double>(w[k]) * x[k];
    return sum;
  }

  template <typename Float>
  double HiddenSum(size_t gate, size_t j, const Float* h) const {
    const float* w = &weights_.weight_hh[(gate * H_ + j) * H_];
    double sum = weights_.bias_hh[gate * H_ + j];
    for (size_t k = 0; k < H_; ++k) sum += static_cast<double>(w[k]) * h[k];
    return sum;
  }

  double GateSum(size_t gate, size_t j, const Row& row) const {
    return InputSum(gate, j, row.x) + HiddenSum(gate, j, row.h_in);
  }

  // torch.nn.LSTM: i, f, g, o; c = f * c + i * g; h = o * tanh(c).
  void LstmUnit(const Row& row, size_t j) const {
    const double i = Sigmoid(GateSum(0, j, row));
    const double f = Sigmoid(GateSum(1, j, row));
    const double g = std::tanh(GateSum(2, j, row));
    const double o = Sigmoid(GateSum(3, j, row));
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the buffers of an lstm always have c.
    const double c = f * row.c_in[j] + i * g;
    row.c_out[j] = static_cast<float>(c);
    row.h_out[j] = static_cast<float>(o * std::tanh(c));
  }

  // Reset before: Cho et al. 2014, ONNX GRU with linear_before_reset=0. Reset after: torch.nn.GRU. Gates r, z, n.
  void GruUnit(const Row& row, size_t j) const {
    const double z = Sigmoid(GateSum(1, j, row));
    double n = InputSum(2, j, row.x);
    if (reset_ == GruReset::kAfter) {
      n += Sigmoid(GateSum(0, j, row)) * HiddenSum(2, j, row.h_in);
    } else {
      n += HiddenSum(2, j, row.reset_h);
    }
    n = std::tanh(n);
    const double kept = update_ == GruUpdate::kKeep ? z : 1 - z;
    row.h_out[j] = static_cast<float>(kept * row.h_in[j] + (1 - kept) * n);
  }

  // torch.nn.RNN.
  void RnnUnit(const Row& row, size_t j) const {
    const double sum = GateSum(0, j, row);
    row.h_out[j] = static_cast<float>(activation_ == Activation::kTanh ? std::tanh(sum) : std::max(sum, 0.0));
  }

  const Cell cell_;
  const GruReset reset_;
  const GruUpdate update_;
  const Activation activation_;
  const size_t I_;
  const size_t H_;
  const LayerWeights weights_;
};

class BoundReference : public BoundLayer {
 public:
  BoundReference(const ReferenceKernel* kernel, const LayerBuffers& buffers)
      : kernel_(kernel), buffers_(buffers), reset_h_(kernel->hidden_size()) {}

  bool Run(size_t batch_size) override {
    const size_t H = kernel_->hidden_size();
    const bool has_c = buffers_.c_in != nullptr;
    for (size_t n = 0; n < batch_size; ++n) {
      kernel_->RunRow({buffers_.input + n * kernel_->input_size(), buffers_.h_in + n * H,
                       has_c ? buffers_.c_in + n * H : nullptr, buffers_.h_out + n * H,
                       has_c ? buffers_.c_out + n * H : nullptr, reset_h_.data()});
    }
    return true;
  }

 private:
  const ReferenceKernel* const kernel_;
  const LayerBuffers buffers_;
  std::vector<double> reset_h_;
};

std::unique_ptr<BoundLayer> ReferenceKernel::Bind(const LayerBuffers& buffers) const {
  return std::make_unique<BoundReference>(this, buffers);
}

}  // namespace

std::unique_ptr<CellKernel> MakeReferenceKernel(const LayerShape& shape, LayerWeights weights) {
  return std::make_unique<ReferenceKernel>(shape, std::move(weights));
}

}  // namespace rondo
