#include "model/network/cell_element.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "model/network/cell_kernel.h"

namespace rondo {
namespace {

const ObjectReader::Choices<bool>& DirectionChoices() {
  static const auto& choices = *new ObjectReader::Choices<bool>{{"forward", false}, {"reverse", true}};
  return choices;
}
const ObjectReader::Choices<bool>& InitialStateChoices() {
  static const auto& choices = *new ObjectReader::Choices<bool>{{"zero", false}, {"given", true}};
  return choices;
}

// Bounds the weights of one gate: [units][inputs], [units][units].
constexpr int64_t kMaxUnits = 16384;

class CellElement : public Element {
 public:
  CellElement(Cell cell, AttributeReader& reader) {
    form_.shape.cell = cell;
    form_.shape.input_size = reader.input().size();
    reader.TakeInputs(1);
    form_.shape.hidden_size = reader.Whole("units", {1, kMaxUnits});
    ReadVariant(reader);
    time_order_.reverse = reader.Choice("direction", DirectionChoices(), false);
    initial_given_ = reader.Choice("initial_state", InitialStateChoices(), false);
    const int64_t hidden = form_.shape.hidden_size, gate_rows = GateCount(cell) * hidden;
    output_.channels = hidden;
    state_size_ = cell == Cell::kLstm ? 2 * hidden : hidden;
    products_ = static_cast<double>(gate_rows) * static_cast<double>(form_.shape.input_size + hidden);
    slots_ = {{"weight_ih", {{gate_rows, form_.shape.input_size}}},
              {"weight_hh", {{gate_rows, hidden}}},
              {"bias_ih", {{gate_rows}}, true},
              {"bias_hh", {{gate_rows}}, true}};
    if (form_.peepholes) slots_.push_back({"peephole", {{3 * hidden}}});
    if (initial_given_) {
      slots_.push_back({"initial_h", {{hidden}}});
      if (cell == Cell::kLstm) slots_.push_back({"initial_c", {{hidden}}});
    }
  }

  void WriteInitialState(SlotValues weights, float* state) const override {
    if (!initial_given_) return;
    const size_t states = form_.shape.cell == Cell::kLstm ? 2 : 1;
    for (const std::vector<float>& initial : weights.last(states)) {
      state = std::copy(initial.begin(), initial.end(), state);
    }
  }

  const LayerShape* layer() const override { return IsLayer(form_) ? &form_.shape : nullptr; }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions& options) const override {
    return MakeCellKernel(form_, weights, options);
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles* state) const override {
    return ReferenceCell(form_, inputs[0], weights, state);
  }

 private:
  void ReadVariant(AttributeReader& reader) {
    switch (form_.shape.cell) {
      case Cell::kLstm:
        form_.gate = reader.Function("gate_activation", FunctionKind::kSigmoid);
        form_.candidate = reader.Function("candidate_activation", FunctionKind::kTanh);
        form_.output = reader.Function("output_activation", FunctionKind::kTanh);
        form_.peepholes = reader.Flag("peepholes", false);
        break;
      case Cell::kGru:
        form_.shape.gru_reset = reader.Choice("reset", GruResetChoices(), GruReset::kAfter);
        form_.shape.gru_update = reader.Choice("update", GruUpdateChoices(), GruUpdate::kKeep);
        form_.gate = reader.Function("gate_activation", FunctionKind::kSigmoid);
        form_.candidate = reader.Function("candidate_activation", FunctionKind::kTanh);
        break;
      case Cell::kRnn:
        form_.candidate = reader.Function("activation", FunctionKind::kTanh);
        if (form_.candidate.kind == FunctionKind::kRelu) form_.shape.activation = Activation::kRelu;
        break;
    }
    for (const ActivationFunction& function : {form_.gate, form_.candidate, form_.output}) {
      if (!RunsOnLanes(function))
        reader.Refuse(absl::StrCat(reader.Where("units"), ": a cell's gate takes no softmax, ",
                                   "log_softmax, log, softplus or gelu"));
    }
  }

  CellForm form_;
  bool initial_given_ = false;
};

}  // namespace

const ObjectReader::Choices<GruReset>& GruResetChoices() {
  static const auto& choices =
      *new ObjectReader::Choices<GruReset>{{"before", GruReset::kBefore}, {"after", GruReset::kAfter}};
  return choices;
}
const ObjectReader::Choices<GruUpdate>& GruUpdateChoices() {
  static const auto& choices =
      *new ObjectReader::Choices<GruUpdate>{{"keep", GruUpdate::kKeep}, {"replace", GruUpdate::kReplace}};
  return choices;
}

std::unique_ptr<Element> ReadLstm(AttributeReader& reader) {
  return std::make_unique<CellElement>(Cell::kLstm, reader);
}
std::unique_ptr<Element> ReadGru(AttributeReader& reader) { return std::make_unique<CellElement>(Cell::kGru, reader); }
std::unique_ptr<Element> ReadRnn(AttributeReader& reader) { return std::make_unique<CellElement>(Cell::kRnn, reader); }

}  // namespace rondo
