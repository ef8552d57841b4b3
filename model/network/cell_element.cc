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

void ReadFunctions(CellForm* form, AttributeReader& reader) {
  switch (form->shape.cell) {
    case Cell::kLstm:
      form->gate = reader.Function("gate_activation", FunctionKind::kSigmoid);
      form->candidate = reader.Function("candidate_activation", FunctionKind::kTanh);
      form->output = reader.Function("output_activation", FunctionKind::kTanh);
      form->peepholes = reader.Flag("peepholes", false);
      break;
    case Cell::kGru:
      form->shape.gru_reset = reader.Choice("reset", GruResetChoices(), GruReset::kAfter);
      form->shape.gru_update = reader.Choice("update", GruUpdateChoices(), GruUpdate::kKeep);
      form->gate = reader.Function("gate_activation", FunctionKind::kSigmoid);
      form->candidate = reader.Function("candidate_activation", FunctionKind::kTanh);
      break;
    case Cell::kRnn:
      form->candidate = reader.Function("activation", FunctionKind::kTanh);
      if (form->candidate.kind == FunctionKind::kRelu) form->shape.activation = Activation::kRelu;
      break;
  }
  for (const ActivationFunction& function : {form->gate, form->candidate, form->output}) {
    if (!RunsOnLanes(function))
      reader.Refuse(absl::StrCat(reader.Where("units"), ": a cell's gate takes no softmax, ",
                                 "log_softmax, log, softplus or gelu"));
  }
}

class CellElement : public Element {
 public:
  CellElement(Cell cell, AttributeReader& reader) {
    reader.TakeInputs(1);
    cell_ = ReadCell(cell, reader.input().size(), &time_order_.reverse, reader);
    output_.channels = cell_.hidden_size();
    state_size_ = cell_.state_size();
    products_ = cell_.products();
    slots_ = cell_.slots;
  }

  void WriteInitialState(SlotValues weights, float* state) const override { cell_.WriteInitialState(weights, state); }

  const LayerShape* layer() const override { return IsLayer(cell_.form) ? &cell_.form.shape : nullptr; }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions& options) const override {
    return MakeCellKernel(cell_.form, weights, options);
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles* state) const override {
    return ReferenceCell(cell_.form, inputs[0], weights, state);
  }

 private:
  DescribedCell cell_;
};

}  // namespace

double DescribedCell::products() const {
  const int64_t gate_rows = GateCount(form.shape.cell) * hidden_size();
  return static_cast<double>(gate_rows) * static_cast<double>(form.shape.input_size + hidden_size());
}

void DescribedCell::WriteInitialState(SlotValues weights, float* state) const {
  if (!initial_given) return;
  for (const std::vector<float>& initial : weights.last(static_cast<size_t>(StateCount(form.shape.cell)))) {
    state = std::copy(initial.begin(), initial.end(), state);
  }
}

DescribedCell ReadCell(Cell cell, int64_t input_size, bool* reverse, AttributeReader& reader) {
  DescribedCell described;
  CellForm& form = described.form;
  form.shape.cell = cell;
  form.shape.input_size = input_size;
  form.shape.hidden_size = reader.Whole("units", {1, kMaxUnits});
  ReadFunctions(&form, reader);
  if (reverse != nullptr) *reverse = reader.Choice("direction", DirectionChoices(), false);
  described.initial_given = reader.Choice("initial_state", InitialStateChoices(), false);
  const int64_t hidden = form.shape.hidden_size, gate_rows = GateCount(cell) * hidden;
  described.slots = {{"weight_ih", {{gate_rows, input_size}}},
                     {"weight_hh", {{gate_rows, hidden}}},
                     {"bias_ih", {{gate_rows}}, true},
                     {"bias_hh", {{gate_rows}}, true}};
  if (form.peepholes) described.slots.push_back({"peephole", {{3 * hidden}}});
  if (described.initial_given) {
    described.slots.push_back({"initial_h", {{hidden}}});
    if (cell == Cell::kLstm) described.slots.push_back({"initial_c", {{hidden}}});
  }
  return described;
}

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
