#ifndef RONDO_MODEL_NETWORK_ELEMENT_H_
#define RONDO_MODEL_NETWORK_ELEMENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/kernels/layer_kernels.h"
#include "model/network/step_row.h"
#include "model/network/tensor_slot.h"

namespace rondo {

// What an element answers in one timestep, row-major: a plain vector of W floats has W channels of length 1.
struct Frame {
  int64_t channels = 1;
  int64_t length = 1;

  int64_t size() const { return channels * length; }
  bool operator==(const Frame& other) const { return channels == other.channels && length == other.length; }
};

// One tensor of weights of an element.
struct ElementSlot {
  std::string name;
  TensorShape shape;
  bool may_be_absent = false;  // see TensorSlot
};

// An element's weights, one tensor a slot, in the order of its slots.
using SlotValues = absl::Span<const std::vector<float>>;
using Doubles = std::vector<double>;

// Windows of timesteps: window j takes `kernel` of them from j * stride - left on, without those outside the sequence.
struct TimeWindows {
  int64_t kernel = 0;  // 0: no windows
  int64_t stride = 1;
  int64_t left = 0;
  int64_t right = 0;
  bool partial = false;  // the last window may be cut by the end: every stride begins one

  // How many windows a sequence of `timesteps` has; at least one, and not more than timesteps.
  int64_t Count(int64_t timesteps) const {
    if (partial) return (timesteps - 1) / stride + 1;
    return kernel >= timesteps + left + right ? 1 : (timesteps + left + right - kernel) / stride + 1;
  }
};

// How an element goes through the timesteps of a sequence. Only one that goes forward and answers at once can step; any
// other makes a network whole_sequence.
struct TimeOrder {
  bool reverse = false;  // from the last timestep to the first
  int64_t ahead = 0;     // its answer for a timestep comes that many timesteps later; zeros follow the last one
  bool for_all = false;  // what it answers last is its answer for all timesteps
  TimeWindows windows;   // it answers once a window, from a new state: what follows has so many timesteps

  bool steps() const { return !reverse && ahead == 0 && !for_all && windows.kernel == 0; }
};

// Where an element at work reads and writes. Fixed while it is bound; room for max_batch_size rows each.
struct ElementBuffers {
  std::vector<const float*> inputs;  // of each input, [max_batch_size][its width]
  float* output = nullptr;           // [max_batch_size][output().size()]; overlaps no input
  size_t max_batch_size = 0;
  size_t state_offset = 0;  // of the element's part of a row's state
};

// An element tied to one set of buffers. One thread at a time. What one batch needs happens in this order: Run,
// CheckStates, Commit.
class BoundElement {
 public:
  virtual ~BoundElement() = default;

  // Computes the output of rows 0..batch_size-1, of which those past `rows` belong to nobody. Reads the rows' states
  // and writes none. False: a kernel failed and the outputs are undefined.
  virtual bool Run(absl::Span<const StepRow> rows, size_t batch_size) = 0;
  // Clears StepRow::finite of each row whose next state is not finite.
  virtual void CheckStates(absl::Span<StepRow>) const {}
  // Writes the next state of each row that is finite.
  virtual void Commit(absl::Span<const StepRow>) const {}
};

// An element with its weights as kernels read them. Immutable; any thread. Outlives what is bound to it.
class ElementKernel {
 public:
  virtual ~ElementKernel() = default;
  // The layer that it runs, if it does nothing else; null: it is no layer.
  virtual const CellKernel* layer() const { return nullptr; }
  // Null: out of memory.
  virtual std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const = 0;
};

// What an element is, apart from its weights. An element type is a class behind this one; element_table.cc lists them.
// Immutable; any thread.
class Element {
 public:
  virtual ~Element() = default;

  const Frame& output() const { return output_; }
  const std::vector<ElementSlot>& slots() const { return slots_; }
  // Floats of one session's state.
  int64_t state_size() const { return state_size_; }
  // Products of one row's step, to judge what a step costs.
  double products() const { return products_; }
  const TimeOrder& time_order() const { return time_order_; }
  // The number of token ids that it takes; 0: it takes numbers.
  int64_t tokens() const { return tokens_; }
  // The name of the element, which may be a later one, whose answer is the next state of this one. When it is bound,
  // that answer is its only input; it reads it no sooner than in CheckStates. Empty: there is none.
  const std::string& next() const { return next_; }

  // Tells whether some values of its weights make no sense: what came, and what was wanted.
  virtual absl::Status CheckWeights(SlotValues) const { return absl::OkStatus(); }
  // Writes where a new session begins into `state`, which is zeros: [state_size()].
  virtual void WriteInitialState(SlotValues, float*) const {}
  // The layer that kernels/ runs as a whole; null: MakeKernel makes the kernel.
  virtual const LayerShape* layer() const { return nullptr; }
  // REQUIRES: layer() is null; the sizes of `weights` follow from slots(). Throws std::bad_alloc.
  virtual std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions& options) const = 0;
  // One timestep in plain loops of float64: the formula, and what every kernel is judged by. state: [state_size()],
  // before and after the step.
  virtual Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles* state) const = 0;

 protected:
  Frame output_;
  std::vector<ElementSlot> slots_;
  int64_t state_size_ = 0;
  double products_ = 0;
  TimeOrder time_order_;
  int64_t tokens_ = 0;
  std::string next_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_ELEMENT_H_
