#include "model/network/cell_kernel.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "model/kernels/packed_product.h"
#include "model/network/cell_states.h"

namespace rondo {
namespace {

using Floats = absl::Span<const float>;

// The products of some gates, which stand side by side in the file.
PackedProduct GatesOf(SlotValues weights, size_t hidden, size_t first_gate, size_t gates, bool of_x, bool of_h,
                      const KernelOptions& options) {
  const InstructionSet instruction_set = options.instruction_set;
  const WeightFormat format = options.weights.value_or(WeightFormat::kF32);
  const size_t inputs = weights[0].size() / weights[2].size();
  const size_t first = first_gate * hidden, rows = gates * hidden;
  std::vector<float> bias(rows);
  for (size_t i = 0; i < rows; ++i) {
    bias[i] = (of_x ? weights[2][first + i] : 0.0f) + (of_h ? weights[3][first + i] : 0.0f);
  }
  const Floats of_input = Floats(weights[0]).subspan(first * inputs, rows * inputs);
  const Floats of_hidden = Floats(weights[1]).subspan(first * hidden, rows * hidden);
  if (!of_x) return PackedProduct(of_hidden, {}, bias, rows, instruction_set, format);
  return PackedProduct(of_input, of_h ? of_hidden : Floats(), bias, rows, instruction_set, format);
}

// What all batches of one cell share.
struct Prepared {
  Prepared(const CellForm& cell, SlotValues weights, const KernelOptions& options)
      : form(cell),
        instruction_set(options.instruction_set),
        inputs(static_cast<size_t>(cell.shape.input_size)),
        hidden(static_cast<size_t>(cell.shape.hidden_size)) {
    const bool gru = form.shape.cell == Cell::kGru, after = gru && form.shape.gru_reset == GruReset::kAfter;
    const size_t gates = form.shape.cell == Cell::kLstm ? 4 : gru ? 2 : 1;
    products.push_back(GatesOf(weights, hidden, 0, gates, true, true, options));
    if (gru) products.push_back(GatesOf(weights, hidden, 2, 1, true, !after, options));
    if (after) products.push_back(GatesOf(weights, hidden, 2, 1, false, true, options));
    if (form.peepholes) peephole = weights[4];
  }

  const CellForm form;
  const InstructionSet instruction_set;
  const size_t inputs;
  const size_t hidden;
  // lstm: i f g o; rnn: its one; gru: r and z, then n of x (and of r * h with reset before), then n of h.
  std::vector<PackedProduct> products;
  std::vector<float> peephole;  // [3][hidden], or empty
};

class BoundCell : public BoundCellStates {
 public:
  BoundCell(const Prepared& cell, const ElementBuffers& buffers)
      : BoundCellStates(cell.hidden, cell.form.shape.cell == Cell::kLstm, buffers),
        cell_(cell),
        input_(buffers.inputs[0]),
        h_in_(buffers.max_batch_size * hidden_),
        gates_(buffers.max_batch_size * 4 * hidden_) {}

  bool Run(absl::Span<const StepRow> rows, size_t) override {
    for (size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(h_in_.get() + i * hidden_, StateOf(rows[i]), hidden_ * sizeof(float));
    }
    switch (cell_.form.shape.cell) {
      case Cell::kLstm:
        Multiply(0, h_in_.get(), rows.size(), ActivationFunction(), gates_.get(), 4 * hidden_);
        for (size_t i = 0; i < rows.size(); ++i) FinishLstm(StateOf(rows[i]) + hidden_, i);
        break;
      case Cell::kGru:
        RunGru(rows.size());
        break;
      case Cell::kRnn:
        Multiply(0, h_in_.get(), rows.size(), cell_.form.candidate, h_out_, hidden_);
        break;
    }
    return true;
  }

 private:
  void Multiply(size_t product, const float* h, size_t rows, const ActivationFunction& function, float* to,
                size_t stride) const {
    // The product of h alone takes h in the place of x.
    const bool of_h_alone = product == 2;
    const RowsView x = of_h_alone ? RowsView{h, hidden_} : RowsView{input_, cell_.inputs};
    cell_.products[product].Apply(x, {h, hidden_}, rows, function, to, stride);
  }

  void Activate(const ActivationFunction& function, float* values) const {
    rondo::Activate(function, cell_.instruction_set, values, 1, hidden_, values);
  }

  // ONNX LSTM: the peepholes of i and f see the old c, that of o the new one.
  void AddPeephole(size_t part, const float* c, float* gate) const {
    if (cell_.peephole.empty()) return;
    const float* const weight = cell_.peephole.data() + part * hidden_;
    for (size_t k = 0; k < hidden_; ++k) gate[k] += weight[k] * c[k];
  }

  void FinishLstm(const float* c_in, size_t row) const {
    float* const input = gates_.get() + row * 4 * hidden_;
    float* const forget = input + hidden_;
    float* const candidate = forget + hidden_;
    float* const output = candidate + hidden_;
    float* const c = c_out_.get() + row * hidden_;
    float* const h = h_out_ + row * hidden_;
    AddPeephole(0, c_in, input);
    AddPeephole(1, c_in, forget);
    Activate(cell_.form.gate, input);
    Activate(cell_.form.gate, forget);
    Activate(cell_.form.candidate, candidate);
    for (size_t k = 0; k < hidden_; ++k) c[k] = forget[k] * c_in[k] + input[k] * candidate[k];
    AddPeephole(2, c, output);
    Activate(cell_.form.gate, output);
    std::copy_n(c, hidden_, h);
    Activate(cell_.form.output, h);
    for (size_t k = 0; k < hidden_; ++k) h[k] *= output[k];
  }

  // Gates stand as [rows][r, z][hidden], then [rows][n of x][hidden], [rows][n of h or r * h][hidden].
  void RunGru(size_t rows) const {
    float* const candidates = gates_.get() + rows * 2 * hidden_;
    float* const hiddens = candidates + rows * hidden_;
    Multiply(0, h_in_.get(), rows, cell_.form.gate, gates_.get(), 2 * hidden_);
    const bool after = cell_.form.shape.gru_reset == GruReset::kAfter;
    if (after) {
      Multiply(1, h_in_.get(), rows, ActivationFunction(), candidates, hidden_);
      Multiply(2, h_in_.get(), rows, ActivationFunction(), hiddens, hidden_);
    } else {
      std::copy_n(h_in_.get(), rows * hidden_, hiddens);
    }
    for (size_t row = 0; row < rows; ++row) {
      const float* const reset = gates_.get() + row * 2 * hidden_;
      for (size_t k = 0; k < hidden_; ++k) hiddens[row * hidden_ + k] *= reset[k];
    }
    if (after) {
      for (size_t i = 0; i < rows * hidden_; ++i) candidates[i] += hiddens[i];
      rondo::Activate(cell_.form.candidate, cell_.instruction_set, candidates, rows, hidden_, candidates);
    } else {
      Multiply(1, hiddens, rows, cell_.form.candidate, candidates, hidden_);
    }
    const bool keep = cell_.form.shape.gru_update == GruUpdate::kKeep;
    for (size_t row = 0; row < rows; ++row) {
      const float* const update = gates_.get() + (row * 2 + 1) * hidden_;
      const float* const h = h_in_.get() + row * hidden_;
      const float* const candidate = candidates + row * hidden_;
      const float* const from = keep ? candidate : h;
      const float* const to = keep ? h : candidate;
      float* const h_out = h_out_ + row * hidden_;
      for (size_t k = 0; k < hidden_; ++k) h_out[k] = from[k] + update[k] * (to[k] - from[k]);
    }
  }

  const Prepared& cell_;
  const float* const input_;
  const AlignedBuffer h_in_, gates_;
};

class CellKernelOfAnyForm : public ElementKernel {
 public:
  CellKernelOfAnyForm(const CellForm& form, SlotValues weights, const KernelOptions& options)
      : cell_(form, weights, options) {}

  std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const override {
    return std::make_unique<BoundCell>(cell_, buffers);
  }

 private:
  const Prepared cell_;
};

// One gate of one unit: the product of x, and apart from it that of h.
struct GateSums {
  double of_x, of_h;
};

GateSums SumsOf(const Doubles& x, const double* h, SlotValues weights, size_t row, size_t hidden) {
  GateSums sums{weights[2][row], weights[3][row]};
  for (size_t k = 0; k < x.size(); ++k) sums.of_x += x[k] * static_cast<double>(weights[0][row * x.size() + k]);
  for (size_t k = 0; k < hidden; ++k) sums.of_h += h[k] * static_cast<double>(weights[1][row * hidden + k]);
  return sums;
}

double Of(const ActivationFunction& function, double x) {
  ReferenceActivate(function, &x, 1, &x);
  return x;
}

Doubles ReferenceLstm(const CellForm& form, const Doubles& x, SlotValues weights, Doubles* state) {
  const size_t hidden = state->size() / 2;
  const Doubles before = *state;
  for (size_t k = 0; k < hidden; ++k) {
    double gates[4];
    for (size_t gate = 0; gate < 4; ++gate) {
      const GateSums sums = SumsOf(x, before.data(), weights, gate * hidden + k, hidden);
      gates[gate] = sums.of_x + sums.of_h;
    }
    const auto peephole = [&](size_t part, double c) {
      return form.peepholes ? static_cast<double>(weights[4][part * hidden + k]) * c : 0;
    };
    const double c_before = before[hidden + k];
    const double c = Of(form.gate, gates[1] + peephole(1, c_before)) * c_before +
                     Of(form.gate, gates[0] + peephole(0, c_before)) * Of(form.candidate, gates[2]);
    (*state)[hidden + k] = c;
    (*state)[k] = Of(form.gate, gates[3] + peephole(2, c)) * Of(form.output, c);
  }
  return {state->begin(), state->begin() + static_cast<std::ptrdiff_t>(hidden)};
}

Doubles ReferenceGru(const CellForm& form, const Doubles& x, SlotValues weights, Doubles* state) {
  const size_t hidden = state->size();
  const Doubles before = *state;
  Doubles reset_h(hidden);
  for (size_t k = 0; k < hidden; ++k) {
    const GateSums sums = SumsOf(x, before.data(), weights, k, hidden);
    reset_h[k] = Of(form.gate, sums.of_x + sums.of_h) * before[k];
  }
  for (size_t k = 0; k < hidden; ++k) {
    const GateSums reset = SumsOf(x, before.data(), weights, k, hidden);
    const GateSums update = SumsOf(x, before.data(), weights, hidden + k, hidden);
    const bool after = form.shape.gru_reset == GruReset::kAfter;
    const GateSums sums = SumsOf(x, after ? before.data() : reset_h.data(), weights, 2 * hidden + k, hidden);
    const double factor = after ? Of(form.gate, reset.of_x + reset.of_h) : 1;
    const double candidate = Of(form.candidate, sums.of_x + factor * sums.of_h);
    double z = Of(form.gate, update.of_x + update.of_h);
    if (form.shape.gru_update == GruUpdate::kReplace) z = 1 - z;
    (*state)[k] = z * before[k] + (1 - z) * candidate;
  }
  return *state;
}

}  // namespace

bool IsLayer(const CellForm& form) {
  const FunctionKind candidate = form.candidate.kind;
  if (form.shape.cell == Cell::kRnn) return candidate == FunctionKind::kTanh || candidate == FunctionKind::kRelu;
  return form.gate.kind == FunctionKind::kSigmoid && candidate == FunctionKind::kTanh &&
         form.output.kind == FunctionKind::kTanh && !form.peepholes;
}

std::unique_ptr<ElementKernel> MakeCellKernel(const CellForm& form, SlotValues weights, const KernelOptions& options) {
  return std::make_unique<CellKernelOfAnyForm>(form, weights, options);
}

Doubles ReferenceCell(const CellForm& form, const Doubles& x, SlotValues weights, Doubles* state) {
  if (form.shape.cell == Cell::kLstm) return ReferenceLstm(form, x, weights, state);
  if (form.shape.cell == Cell::kGru) return ReferenceGru(form, x, weights, state);
  const Doubles before = *state;
  for (size_t k = 0; k < before.size(); ++k) {
    const GateSums sums = SumsOf(x, before.data(), weights, k, before.size());
    (*state)[k] = Of(form.candidate, sums.of_x + sums.of_h);
  }
  return *state;
}

}  // namespace rondo
