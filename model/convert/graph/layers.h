#ifndef RONDO_MODEL_CONVERT_GRAPH_LAYERS_H_
#define RONDO_MODEL_CONVERT_GRAPH_LAYERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/convert/graph/element_graph.h"

namespace rondo::convert {

// Each function adds one element to the graph and returns what it gives. Shapes are checked against what the element
// takes; one that does not fit is refused under the name of the source's node, and then the returned value is empty.

// "linear", or an object with the function's parameters.
using Activation = Json;

struct CellWeights {
  // In our order of gates and PyTorch's layout: lstm i f g o, gru r z n.
  Array weight_ih, weight_hh;            // [gates * units, in], [gates * units, units]
  Array bias_ih, bias_hh;                // both or none
  Array peephole, initial_h, initial_c;  // empty: none
};

// Where the values of a convolution or a pool lie.
struct Window {
  int64_t kernel = 1, stride = 1, dilation = 1, groups = 1;
  int64_t left = 0, right = 0;  // padding
};

Value AddDense(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias,
               const Activation& activation = "linear");
// Where a cell goes: through the timesteps, along the length of a timestep's frame, or through the timesteps at each
// place of that length.
enum class CellPath { kTimesteps, kFrame, kPositions };
// `type`: lstm, gru or rnn. `attributes`: what differs from the element's defaults.
Value AddCell(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in, CellWeights weights,
              Json attributes, CellPath path = CellPath::kTimesteps);
// A cell through the timesteps that is to begin `late` timesteps after the sequence, as behind a convolution without
// padding: until then its state, and what it answers, stay zero. An rnn, gates that no number closes and an output
// function that is not 0 at 0 are refused.
Value AddLateCell(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in,
                  CellWeights weights, Json attributes, int64_t late);
Value AddEmbedding(ElementGraph* graph, absl::string_view name, const Value& in, Array weight);
Value AddScale(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias);
// Inside one timestep's frame.
Value AddConv(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias,
              const Window& window, const Activation& activation = "linear");
// Along timesteps; `ahead`: how many of the window's timesteps are yet to come.
Value AddCausalConv(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias,
                    const Window& window, int64_t ahead, const Activation& activation = "linear");
// `type`: max_pool or average_pool.
Value AddPool(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in,
              const Window& window, bool count_padding);
// `type`: sequence_max_pool or sequence_average_pool, over windows of timesteps; `partial`: every stride begins one.
Value AddSequencePool(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in,
                      const Window& window, bool partial);
// `type`: mean, max or sum, over the length.
Value AddReduction(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in);
Value AddPad(ElementGraph* graph, absl::string_view name, const Value& in, int64_t left, int64_t right,
             absl::string_view mode);
Value AddLayerNorm(ElementGraph* graph, absl::string_view name, const Value& in, Array weight, Array bias,
                   double epsilon);
Value AddL2Norm(ElementGraph* graph, absl::string_view name, const Value& in, double epsilon);
// `type`: add, subtract, multiply or divide.
Value AddArithmetic(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& a,
                    const Value& b);
Value AddConstant(ElementGraph* graph, absl::string_view name, Array value);
Value AddConcat(ElementGraph* graph, absl::string_view name, const std::vector<Value>& parts,
                absl::string_view axis = "channels");
Value AddSlice(ElementGraph* graph, absl::string_view name, const Value& in, absl::string_view axis, int64_t from,
               int64_t to, int64_t step);
Value AddReshape(ElementGraph* graph, absl::string_view name, const Value& in, Frame frame);
Value AddTranspose(ElementGraph* graph, absl::string_view name, const Value& in);
Value AddDelay(ElementGraph* graph, absl::string_view name, const Value& in, int64_t steps);
// The last `length` values of one number less the newest; before the first timestep the values are the first one.
Value AddLagWindowMinusNewest(ElementGraph* graph, absl::string_view name, const Value& in, int64_t length);
// Means, then deviations, of all timesteps so far.
Value AddInstanceStatistics(ElementGraph* graph, absl::string_view name, const Value& in, double epsilon);
// What another element gives, one timestep later. SetNext says which, once it is there; it must have `units` numbers.
Value AddMemory(ElementGraph* graph, absl::string_view name, int64_t units);
void SetNext(ElementGraph* graph, const Value& memory, const Value& next);
Value AddActivation(ElementGraph* graph, absl::string_view name, const Value& in, const Activation& function);
// `type`: sequence_first, sequence_mean or sequence_max, over all timesteps of a sequence.
Value AddSequence(ElementGraph* graph, absl::string_view name, absl::string_view type, const Value& in);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_GRAPH_LAYERS_H_
