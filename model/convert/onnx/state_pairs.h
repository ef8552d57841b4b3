#ifndef RONDO_MODEL_CONVERT_ONNX_STATE_PAIRS_H_
#define RONDO_MODEL_CONVERT_ONNX_STATE_PAIRS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/operator.h"
#include "model/convert/onnx/tracer.h"

namespace rondo::convert {

// The outputs of a graph that its states come back in. Cells keep their numbers themselves; what other elements read
// of a state is kept in a memory.
class StatePairs {
 public:
  // Borrows all. `wanted`: the states, and the outputs that were said for them; empty: none was said. `tensors`: by
  // name, those of the states and outputs among them. `sources`: of the states.
  StatePairs(const OnnxGraph& model, const std::map<std::string, std::string>& wanted,
             const std::map<std::string, Traced>& tensors, const std::map<std::string, int32_t>& sources,
             const RunState& run, Tracer* tracer)
      : model_(model), wanted_(wanted), tensors_(tensors), sources_(sources), run_(run), tracer_(*tracer) {}

  // Finds the output of each state, and says what the memories hold next. A state without one is refused.
  void Pair();
  const std::set<std::string>& outputs() const { return outputs_; }

 private:
  const Traced* Find(const std::string& name) const;
  int64_t PlaceOfNext(const std::string& input, const Traced& output) const;
  // The output that a state comes back in, by its numbers, its name or its shape. Empty: none, or more than one may be.
  std::string FindNext(const std::string& input, const std::string& wanted) const;
  bool IsOfStatesAlone(const Traced& output) const;
  bool MayComeBackIn(const std::string& input, const std::string& output) const;
  void Remember(const std::string& input, const Traced& next);
  void RefuseWithoutNext(const std::string& input, const std::string& wanted);

  const OnnxGraph& model_;
  const std::map<std::string, std::string>& wanted_;
  const std::map<std::string, Traced>& tensors_;
  const std::map<std::string, int32_t>& sources_;
  const RunState& run_;
  Tracer& tracer_;
  std::set<std::string> outputs_;
  std::map<std::string, std::string> remembered_;  // states that a memory holds, and the outputs that they come back in
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_STATE_PAIRS_H_
