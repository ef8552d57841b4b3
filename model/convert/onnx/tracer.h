#ifndef RONDO_MODEL_CONVERT_ONNX_TRACER_H_
#define RONDO_MODEL_CONVERT_ONNX_TRACER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/convert/graph/element_graph.h"
#include "model/convert/onnx/ref_runs.h"
#include "model/convert/onnx/traced.h"

namespace rondo::convert {

// How the axes of a tensor that an operator reads lie: which of them goes through the timesteps, which hold one
// timestep's numbers. Axes along which nothing changes hold the sequences of a batch.
struct AxisRoles {
  int64_t time_axis = -1;                 // -1: the tensor is of one timestep
  int64_t first_time = 0, times = 1;      // the timesteps along it, without the padding
  int64_t timesteps = 0;                  // of a whole sequence there; 0: as many as the graph is followed over
  int64_t pad_before = 0, pad_after = 0;  // constants along it before and after the timesteps
  std::vector<int64_t> frame_axes;        // in the tensor's order; their size may be 1
};

// Follows tensors back to elements: which element's values a tensor holds, and adds the elements that rearrange them.
class Tracer {
 public:
  // Borrows the graph. `timesteps`: how many the graph is followed over.
  Tracer(ElementGraph* graph, int64_t timesteps) : graph_(*graph), timesteps_(timesteps) {}

  ElementGraph& graph() { return graph_; }
  int64_t timesteps() const { return timesteps_; }

  // A new source of refs: the values of an element, or of an input (a part of the graph's input, or a state).
  // `timesteps`: how many it has; 0: as many as the graph is followed over. A pool over timesteps makes fewer.
  int32_t AddSource(Value value, int64_t timesteps = 0);
  // A source that no element can read; `reason` says what it is.
  int32_t AddUnreadable(std::string reason);
  // Notes from now on which numbers of the source elements read.
  void Watch(int32_t source) { watched_[source]; }
  // The numbers of a watched source that were read.
  const std::set<int64_t>& ReadOf(int32_t source) const { return watched_.at(source); }
  const Value& ValueOf(int32_t source) const { return sources_[source].value; }
  const std::string& ReasonOf(int32_t source) const { return sources_[source].unreadable; }

  // Finds the axes' roles. `frame_axes`: axes that are of the frame whatever they hold. Nullopt after a refusal.
  std::optional<AxisRoles> Roles(absl::string_view node, const Traced& tensor,
                                 const std::vector<int64_t>& frame_axes = {}, bool padded = false);
  // Puts the last of the frame axes in front of the others if the frame is of fewer parts so: numbers that a product
  // takes along the last axis often lie as channels before the other axes.
  void ChooseOrder(const Traced& tensor, AxisRoles* roles) const;
  // The value whose flat order is that of the frame axes, as the roles name them.
  Value FrameOf(absl::string_view node, const Traced& tensor, const AxisRoles& roles);
  // That of one timestep's refs; their times count from `time`.
  Value ValueOfRefs(absl::string_view node, const std::vector<Ref>& refs, int64_t time);

  // Refs to `source` in a tensor of `shape` whose axes have these roles; the place in the frame counts in the order of
  // the frame axes.
  Traced Spread(int32_t source, const std::vector<int64_t>& shape, const AxisRoles& roles);

 private:
  struct Source {
    Value value;
    std::string unreadable;
    int64_t timesteps = 0;
  };

  // How many timesteps a whole sequence has where the tensor's numbers come from.
  int64_t TimestepsOf(const Traced& tensor) const;
  std::optional<Value> Block(absl::string_view node, const std::vector<Ref>& refs, const Value& whole, bool transposed);
  std::optional<Value> BlockOfVector(absl::string_view node, const std::vector<Ref>& refs, const Value& whole);
  std::optional<Value> JoinedRows(absl::string_view node, const std::vector<Ref>& refs, int64_t time);
  std::optional<Value> Pieces(absl::string_view node, const std::vector<Ref>& refs, int64_t time);
  std::optional<Value> Repeated(absl::string_view node, const std::vector<Ref>& refs, int64_t time);
  Value RunValue(absl::string_view node, const RefRun& run, int64_t time);
  std::optional<Value> SourceAt(absl::string_view node, const Ref& ref, int64_t time);
  // Returns the value made before under the key, or makes it.
  template <typename Make>
  Value Once(const std::string& key, Make make);

  ElementGraph& graph_;
  const int64_t timesteps_;
  bool may_delay_ = false;  // while a value is put together: refs to earlier timesteps are delays
  std::vector<Source> sources_;
  std::map<std::string, Value> made_;
  std::map<int32_t, std::set<int64_t>> watched_;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_TRACER_H_
