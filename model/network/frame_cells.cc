#include "model/network/frame_cells.h"

#include <algorithm>
#include <utility>

#include "base/finite.h"
#include "model/kernels/aligned_buffer.h"
#include "model/kernels/rondo_kernel.h"
#include "model/network/cell_element.h"
#include "model/network/cell_kernel.h"
#include "model/network/layer_element.h"

namespace rondo {
namespace {

// Positions that a position_cell takes at once.
constexpr size_t kMaxPositions = 512;

const ObjectReader::Choices<Cell>& CellChoices() {
  static const auto& choices =
      *new ObjectReader::Choices<Cell>{{"lstm", Cell::kLstm}, {"gru", Cell::kGru}, {"rnn", Cell::kRnn}};
  return choices;
}

// A frame of `channels` x `length` that a cell makes one of `hidden` x `length` of.
struct FrameSizes {
  size_t channels, length, hidden, state;

  void CopyColumn(const float* frame, size_t place, float* column) const {
    for (size_t c = 0; c < channels; ++c) column[c] = frame[c * length + place];
  }
  void WriteColumn(const float* column, size_t place, float* frame) const {
    for (size_t k = 0; k < hidden; ++k) frame[k * length + place] = column[k];
  }
};

// A cell as an element of its own, of one column and one state a row; `max_rows` at once.
std::unique_ptr<ElementKernel> MakeColumnKernel(const CellForm& form, SlotValues weights, const KernelOptions& options,
                                                size_t max_rows) {
  if (!IsLayer(form)) return MakeCellKernel(form, weights, options);
  const LayerWeights layer{weights[0], weights[1], weights[2], weights[3]};
  return MakeLayerElement(MakeRondoKernel(form.shape, layer, max_rows, options.instruction_set), form.shape);
}

// What the two elements share at work: a cell that is bound to columns.
class BoundColumns : public BoundElement {
 public:
  BoundColumns(const FrameSizes& sizes, const ElementKernel& cell, const ElementBuffers& buffers, size_t max_columns)
      : sizes_(sizes),
        buffers_(buffers),
        columns_(max_columns * sizes.channels),
        hidden_(max_columns * sizes.hidden),
        steps_(max_columns),
        cell_(cell.Bind({{columns_.get()}, hidden_.get(), max_columns, 0})) {
    for (StepRow& step : steps_) step.finite = true;  // what is not so is seen at the end
  }

  bool bound() const { return cell_ != nullptr; }

 protected:
  const float* FrameOf(size_t row) const { return buffers_.inputs[0] + row * sizes_.channels * sizes_.length; }
  float* OutputOf(size_t row) const { return buffers_.output + row * sizes_.hidden * sizes_.length; }
  // Steps `count` columns from the states that steps_ name to those that they name.
  bool StepColumns(size_t count) {
    const auto steps = absl::MakeConstSpan(steps_).first(count);
    if (!cell_->Run(steps, count)) return false;
    cell_->Commit(steps);
    return true;
  }

  const FrameSizes sizes_;
  const ElementBuffers buffers_;
  const AlignedBuffer columns_;  // [columns][channels]
  const AlignedBuffer hidden_;   // [columns][hidden]
  std::vector<StepRow> steps_;

 private:
  const std::unique_ptr<BoundElement> cell_;
};

struct FrameWalk {
  FrameSizes sizes;
  bool reverse;
  std::vector<float> initial;  // [state]
};

class BoundFrameCell : public BoundColumns {
 public:
  BoundFrameCell(const FrameWalk& walk, const ElementKernel& cell, const ElementBuffers& buffers)
      : BoundColumns(walk.sizes, cell, buffers, std::max(buffers.max_batch_size, walk.sizes.length)),
        walk_(walk),
        layer_(cell.layer()),
        states_(buffers.max_batch_size * sizes_.state),
        scratchpad_(layer_ == nullptr ? 0 : layer_->timesteps_scratchpad_size(sizes_.length)) {
    for (size_t i = 0; i < buffers.max_batch_size; ++i) {
      steps_[i].state_out = states_.get() + i * sizes_.state;
      steps_[i].state_in = steps_[i].state_out;
    }
  }

  bool Run(absl::Span<const StepRow> rows, size_t) override {
    for (size_t i = 0; i < rows.size(); ++i) {
      std::copy(walk_.initial.begin(), walk_.initial.end(), states_.get() + i * sizes_.state);
    }
    if (rows.size() == 1 && layer_ != nullptr) {
      RunAlone();
      return true;
    }
    for (size_t step = 0; step < sizes_.length; ++step) {
      for (size_t i = 0; i < rows.size(); ++i) {
        sizes_.CopyColumn(FrameOf(i), PlaceOf(step), columns_.get() + i * sizes_.channels);
      }
      if (!StepColumns(rows.size())) return false;
      for (size_t i = 0; i < rows.size(); ++i) {
        sizes_.WriteColumn(hidden_.get() + i * sizes_.hidden, PlaceOf(step), OutputOf(i));
      }
    }
    return true;
  }

 private:
  size_t PlaceOf(size_t step) const { return walk_.reverse ? sizes_.length - 1 - step : step; }

  // The layers of kernels/ take all positions of one row at once, with the bits of single steps.
  void RunAlone() const {
    for (size_t step = 0; step < sizes_.length; ++step) {
      sizes_.CopyColumn(FrameOf(0), PlaceOf(step), columns_.get() + step * sizes_.channels);
    }
    float* const h = states_.get();
    float* const c = sizes_.state > sizes_.hidden ? h + sizes_.hidden : nullptr;
    layer_->RunTimesteps({columns_.get(), h, hidden_.get(), c, scratchpad_.get()}, sizes_.length);
    for (size_t step = 0; step < sizes_.length; ++step) {
      sizes_.WriteColumn(hidden_.get() + step * sizes_.hidden, PlaceOf(step), OutputOf(0));
    }
  }

  const FrameWalk& walk_;
  const CellKernel* const layer_;  // null: the cell is none of kernels/
  const AlignedBuffer states_, scratchpad_;
};

class BoundPositionCell : public BoundColumns {
 public:
  BoundPositionCell(const FrameSizes& sizes, const ElementKernel& cell, const ElementBuffers& buffers)
      : BoundColumns(sizes, cell, buffers, std::min(kMaxPositions, buffers.max_batch_size * sizes.length)),
        next_(buffers.max_batch_size * sizes.length * sizes.state) {}

  bool Run(absl::Span<const StepRow> rows, size_t) override {
    const size_t all = rows.size() * sizes_.length;
    for (size_t first = 0; first < all; first += steps_.size()) {
      const size_t count = std::min(steps_.size(), all - first);
      for (size_t k = 0; k < count; ++k) {
        const size_t row = (first + k) / sizes_.length, place = (first + k) % sizes_.length;
        sizes_.CopyColumn(FrameOf(row), place, columns_.get() + k * sizes_.channels);
        steps_[k].state_in = rows[row].state_in + buffers_.state_offset + place * sizes_.state;
        steps_[k].state_out = next_.get() + (first + k) * sizes_.state;
      }
      if (!StepColumns(count)) return false;
      for (size_t k = 0; k < count; ++k) {
        sizes_.WriteColumn(hidden_.get() + k * sizes_.hidden, (first + k) % sizes_.length,
                           OutputOf((first + k) / sizes_.length));
      }
    }
    return true;
  }

  void CheckStates(absl::Span<StepRow> rows) const override {
    const size_t state = sizes_.length * sizes_.state;
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].finite = rows[i].finite && AllFinite({next_.get() + i * state, state});
    }
  }

  void Commit(absl::Span<const StepRow> rows) const override {
    const size_t state = sizes_.length * sizes_.state;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].finite) std::copy_n(next_.get() + i * state, state, rows[i].state_out + buffers_.state_offset);
    }
  }

 private:
  const AlignedBuffer next_;  // of each row, the states of all positions
};

// Binds a Bound, made of what the kernel holds, to its buffers.
template <typename Bound, typename Held>
class ColumnKernel : public ElementKernel {
 public:
  ColumnKernel(Held held, std::unique_ptr<ElementKernel> cell) : held_(std::move(held)), cell_(std::move(cell)) {}

  std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const override {
    auto bound = std::make_unique<Bound>(held_, *cell_, buffers);
    return bound->bound() ? std::move(bound) : nullptr;
  }

 private:
  const Held held_;
  const std::unique_ptr<const ElementKernel> cell_;
};

class CellOfFrame : public Element {
 protected:
  CellOfFrame(bool has_direction, AttributeReader& reader) {
    reader.TakeInputs(1);
    const Frame& frame = reader.input();
    const Cell cell = reader.Choice("cell", CellChoices(), Cell::kGru, ObjectReader::Need::kRequired);
    cell_ = ReadCell(cell, frame.channels, has_direction ? &reverse_ : nullptr, reader);
    output_ = {cell_.hidden_size(), frame.length};
    products_ = cell_.products() * static_cast<double>(frame.length);
    slots_ = cell_.slots;
  }

  FrameSizes Sizes() const {
    return {static_cast<size_t>(cell_.form.shape.input_size), static_cast<size_t>(output_.length),
            static_cast<size_t>(cell_.hidden_size()), static_cast<size_t>(cell_.state_size())};
  }

  // One position in float64: its column of `x`, its answer in `y`.
  void ReferencePosition(const Doubles& x, SlotValues weights, size_t place, Doubles* state, Doubles* y) const {
    const FrameSizes sizes = Sizes();
    Doubles column;
    for (size_t c = 0; c < sizes.channels; ++c) column.push_back(x[c * sizes.length + place]);
    const Doubles h = ReferenceCell(cell_.form, column, weights, state);
    for (size_t k = 0; k < sizes.hidden; ++k) (*y)[k * sizes.length + place] = h[k];
  }

  DescribedCell cell_;
  bool reverse_ = false;
};

class FrameCell : public CellOfFrame {
 public:
  explicit FrameCell(AttributeReader& reader) : CellOfFrame(true, reader) {}

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions& options) const override {
    return std::make_unique<ColumnKernel<BoundFrameCell, FrameWalk>>(
        FrameWalk{Sizes(), reverse_, InitialState(weights)},
        MakeColumnKernel(cell_.form, weights, options, options.max_batch_size));
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles*) const override {
    const std::vector<float> initial = InitialState(weights);
    Doubles state(initial.begin(), initial.end()), y(static_cast<size_t>(output_.size()));
    const size_t length = Sizes().length;
    for (size_t step = 0; step < length; ++step) {
      ReferencePosition(inputs[0], weights, reverse_ ? length - 1 - step : step, &state, &y);
    }
    return y;
  }

 private:
  std::vector<float> InitialState(SlotValues weights) const {
    std::vector<float> initial(static_cast<size_t>(cell_.state_size()));
    cell_.WriteInitialState(weights, initial.data());
    return initial;
  }
};

class PositionCell : public CellOfFrame {
 public:
  explicit PositionCell(AttributeReader& reader) : CellOfFrame(false, reader) {
    state_size_ = output_.length * cell_.state_size();
  }

  void WriteInitialState(SlotValues weights, float* state) const override {
    for (int64_t place = 0; place < output_.length; ++place) {
      cell_.WriteInitialState(weights, state + place * cell_.state_size());
    }
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions& options) const override {
    const size_t most = std::min(kMaxPositions, options.max_batch_size * Sizes().length);
    return std::make_unique<ColumnKernel<BoundPositionCell, FrameSizes>>(
        Sizes(), MakeColumnKernel(cell_.form, weights, options, most));
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles* state) const override {
    Doubles y(static_cast<size_t>(output_.size()));
    const auto size = static_cast<std::ptrdiff_t>(cell_.state_size());
    for (size_t place = 0; place < Sizes().length; ++place) {
      const auto first = state->begin() + static_cast<std::ptrdiff_t>(place) * size;
      Doubles own(first, first + size);
      ReferencePosition(inputs[0], weights, place, &own, &y);
      std::copy(own.begin(), own.end(), first);
    }
    return y;
  }
};

}  // namespace

std::unique_ptr<Element> ReadFrameCell(AttributeReader& reader) { return std::make_unique<FrameCell>(reader); }
std::unique_ptr<Element> ReadPositionCell(AttributeReader& reader) { return std::make_unique<PositionCell>(reader); }

}  // namespace rondo
