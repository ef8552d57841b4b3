#ifndef RONDO_MODEL_CONVERT_EXPORT_ELEMENT_EXPORT_H_
#define RONDO_MODEL_CONVERT_EXPORT_ELEMENT_EXPORT_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "model/convert/export/onnx_builder.h"
#include "model/convert/graph/element_graph.h"

namespace rondo::convert {

using Names = std::vector<std::string>;
using Sizes = std::vector<int64_t>;

// What an element gives: the name of a tensor [timesteps, channels, length].
struct ExportedValue {
  std::string tensor;
  Frame frame;
};

// One element while it is written as nodes of ONNX.
class ElementExport {
 public:
  // `in`: what the element reads; `like`: any tensor whose first axis has as many timesteps. Borrows all.
  ElementExport(const Element& element, std::vector<ExportedValue> in, std::string like, OnnxBuilder* out,
                absl::Status* status)
      : element_(element), in_(std::move(in)), like_(std::move(like)), out_(*out), status_(*status) {}

  const std::string& type() const { return element_.type; }
  const Json& attributes() const { return element_.attributes; }
  Frame frame() const { return element_.frame; }
  size_t input_count() const { return in_.size(); }
  const std::string& In(size_t i = 0) const { return in_[i].tensor; }
  Frame InFrame(size_t i = 0) const { return in_[i].frame; }
  const Array* Slot(absl::string_view name) const;  // null: the element has no such tensor
  // INVALID_ARGUMENT; only the first refusal is kept. `why` goes on after the element's name.
  void Refuse(absl::string_view why);

  // Each of these adds nodes or a constant, and returns the name of the tensor.
  std::string Add(absl::string_view op, const Names& inputs, const OnnxAttributes& attributes = {}, int outputs = 1) {
    return out_.Add(op, inputs, attributes, outputs);
  }
  std::string Floats(const Array& array) { return out_.Floats(array); }
  std::string Doubles(const Array& array) { return out_.Doubles(array); }
  std::string Wholes(const Sizes& values) { return out_.Wholes(values); }
  std::string Flat(const std::string& value) { return Add("Reshape", {value, Wholes({0, -1})}); }
  std::string Column(const std::string& value) { return Add("Reshape", {value, Wholes({0, -1, 1})}); }
  std::string Framed(const std::string& value, const Frame& frame) {
    return Add("Reshape", {value, Wholes({0, frame.channels, frame.length})});
  }
  // [timesteps, channels, length] as [1, channels * length, timesteps], and back.
  std::string AlongTime(const std::string& value) {
    return Add("Transpose", {Column(value)}, {{"perm", Sizes{2, 1, 0}}});
  }
  std::string BackFromTime(const std::string& value) { return Add("Transpose", {value}, {{"perm", Sizes{2, 1, 0}}}); }
  // A graph of one timestep a call hands states on, where others go through all timesteps at once.
  bool one_timestep() const { return out_.one_timestep(); }
  // A state of the element, zeros at first; SetNext says what it is at the next call.
  std::string State(absl::string_view part, const Sizes& shape);
  void SetNext(const std::string& state, const std::string& value) { out_.SetNext(state, value); }
  // [timesteps, channels, length] with `steps` earlier timesteps in front, which are zeros before the first one.
  std::string WithPast(const std::string& value, int64_t steps);
  // The last axis made longer; `mode` is ONNX's.
  std::string Padded(const std::string& value, int64_t left, int64_t right, const std::string& mode = "constant");
  // The value of one timestep, repeated for each.
  std::string ForEachTimestep(const std::string& value, const Frame& frame);
  // A function of a tensor's numbers; softmax is over the last axis. `function` is as in an element's description.
  std::string Apply(const Json& function, const std::string& in);
  // The element's own activation.
  std::string Activated(const std::string& in) { return Apply(attributes().value("activation", Json("linear")), in); }

 private:
  const Element& element_;
  const std::vector<ExportedValue> in_;
  const std::string like_;
  OnnxBuilder& out_;
  absl::Status& status_;
};

using ElementExporter = std::string (*)(ElementExport&);
using ElementExporters = std::map<std::string, ElementExporter>;

// How elements are written, by type.
const ElementExporters& CellExporters();      // lstm, gru, rnn
const ElementExporters& LayerExporters();     // products, convolutions, pools, norms
const ElementExporters& MovingExporters();    // arithmetic, functions, and what only moves numbers
const ElementExporters& SequenceExporters();  // what looks at other timesteps and is no cell

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_EXPORT_ELEMENT_EXPORT_H_
