#include "model/convert/onnx/onnx_network.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/convert/onnx/graph_run.h"
#include "model/convert/onnx/input_axes.h"
#include "model/convert/onnx/input_plans.h"
#include "model/convert/onnx/instance_statistics.h"
#include "model/convert/onnx/softplus.h"
#include "model/convert/onnx/state_names.h"
#include "model/convert/onnx/trial.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

// The graph is followed again with each of these; the network must not change.
constexpr int64_t kOtherBatch = 3, kOtherTimesteps = 18;

class OnnxNetwork {
 public:
  OnnxNetwork(const OnnxModel& model, const OnnxOptions& options)
      : model_(model), options_(options), plans_(model_.graph, options, states_) {
    for (OnnxValue& input : model_.graph.inputs) {
      for (size_t axis = 0; axis < input.shape.size(); ++axis) {
        OnnxDimension& dimension = input.shape[axis];
        const auto size = options.dimensions.find(NameOf(input, axis));
        if (dimension.size >= 0 || size == options.dimensions.end()) continue;
        said_dimensions_.insert(size->first);
        dimension = {"", size->second};
      }
    }
    JoinSoftplus(&model_.graph);
    JoinInstanceStatistics(&model_.graph);
  }

  absl::StatusOr<ElementGraph> Read() {
    for (const auto& [name, size] : options_.dimensions) {
      if (said_dimensions_.count(name) > 0) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("--dimension=", name, "=", size, " names no open dimension of an input"));
    }
    if (absl::Status status = TakeStates(); !status.ok()) return status;
    for (const OnnxValue& input : model_.graph.inputs) {
      if (!input.has_shape && options_.initializers.count(input.name) == 0) {
        return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(input.name), " has no shape"));
      }
    }
    // An attempt may find that an input is a state; then all begins anew with what is left.
    while (true) {
      const OnnxValue* first = plans_.FirstData();
      if (first == nullptr) return absl::InvalidArgumentError("the graph has no input that is data");
      const size_t states = states_.size();
      absl::StatusOr<ElementGraph> graph = FollowLikeliest(*first);
      if (graph.ok() || states_.size() == states) return graph;
    }
  }

 private:
  // The likeliest way to take the axes of the first input. A cell that goes over a timestep's own numbers may be one of
  // timesteps or sequences that were taken for such: it is believed if no other way does without it.
  absl::StatusOr<ElementGraph> FollowLikeliest(const OnnxValue& first) {
    absl::Status refusal;
    InputAxes axes;
    size_t furthest = 0;
    std::optional<ElementGraph> with_cells_of_frames;
    InputAxes found;
    for (const Hypothesis& hypothesis : HypothesesOf(first)) {
      if (!MayBeBatch(first, hypothesis.axes)) continue;
      if (with_cells_of_frames.has_value() && !MayBeInstead(first, hypothesis.axes, found)) continue;
      const std::map<std::string, std::string> states = states_;
      reached_ = 0;
      absl::StatusOr<ElementGraph> graph = Follow(first, hypothesis.axes);
      if (graph.ok() && !refusal.ok()) NoteIfUnlikely(first, hypothesis.axes, refusal, &*graph);
      if (graph.ok() && !HasCellsOfFrames(*graph)) {
        if (with_cells_of_frames.has_value()) NoteChoice(first, hypothesis.axes, found, &*graph);
        return graph;
      }
      if (with_cells_of_frames.has_value()) {
        states_ = states;
      } else if (graph.ok()) {
        with_cells_of_frames = *std::move(graph);
        found = hypothesis.axes;
      } else {
        // What stops the attempt that comes furthest is what the graph has, not what wrong axes make of it. Axes that
        // their names speak against are no better for coming far.
        if (refusal.ok() || (hypothesis.likely >= 0 && reached_ > furthest)) {
          refusal = graph.status();
          axes = hypothesis.axes;
          furthest = reached_;
        }
        if (states_.size() > states.size()) return refusal;
      }
    }
    if (with_cells_of_frames.has_value()) return *std::move(with_cells_of_frames);
    const bool may_be_fixed = axes.time >= 0 && first.shape[axes.time].size < 0 && furthest > 0 && !states_.empty();
    if (!may_be_fixed) return refusal;
    return absl::InvalidArgumentError(absl::StrCat(
        refusal.message(), "; axis ", axes.time, " of input ", Quoted(first.name),
        " was followed as the timesteps: where a call takes a fixed number there, say it with --dimension=",
        NameOf(first, static_cast<size_t>(axes.time)), "=N"));
  }

  // Tells whether an axis may be that of a batch's sequences. Those of a batch that has one size are those that a cell
  // takes as they come: what rearranges them before may mix them, and where all are taken for equal, that does not
  // show.
  bool MayBeBatch(const OnnxValue& first, const InputAxes& axes) const {
    return axes.batch < 0 || first.shape[axes.batch].size <= 1 || CellTakes(model_.graph, first.name);
  }

  // Tells whether axes may be meant where others were found: an axis that is named as that of the timesteps is not that
  // of a batch.
  static bool MayBeInstead(const OnnxValue& first, const InputAxes& axes, const InputAxes& found) {
    if (axes.batch < 0 || axes.batch != found.time) return true;
    const OnnxDimension& batch = first.shape[axes.batch];
    return batch.size >= 0 || !IsTimeName(batch) || absl::StartsWith(batch.name, "unk__");
  }

  // Says so where another axis may be that of the timesteps, and nothing but the cells' being simpler speaks against
  // it.
  static void NoteChoice(const OnnxValue& first, const InputAxes& axes, const InputAxes& found, ElementGraph* graph) {
    if (axes.batch < 0 || axes.batch != found.time || first.shape[axes.batch].size >= 0) return;
    if (IsBatchName(first.shape[axes.batch])) return;
    graph->Note(absl::StrCat("axis ", axes.batch, " (", NameOf(first, static_cast<size_t>(axes.batch)), ") of ",
                             Quoted(first.name), " is taken for the sequences of a batch, and axis ", axes.time,
                             " for the timesteps; where axis ", axes.batch,
                             " is that of the timesteps, name it 'time' in the graph"));
  }

  // Says so where the axes' names speak against the way that they are taken, since all likelier ways are refused.
  static void NoteIfUnlikely(const OnnxValue& first, const InputAxes& axes, const absl::Status& refusal,
                             ElementGraph* graph) {
    const auto is_time = [](const OnnxDimension& axis) {
      return IsTimeName(axis) && !IsBatchName(axis) && !absl::StartsWith(axis.name, "unk__");
    };
    const bool time_is_batch = axes.time >= 0 && IsBatchName(first.shape[axes.time]);
    if (!time_is_batch && (axes.batch < 0 || !is_time(first.shape[axes.batch]))) return;
    const auto named = [&](int64_t axis) {
      return axis < 0 ? "no axis" : absl::StrCat("axis ", axis, " (", NameOf(first, static_cast<size_t>(axis)), ")");
    };
    graph->Note(absl::StrCat("timesteps are along ", named(axes.time), " of ", Quoted(first.name),
                             " and sequences of a batch along ", named(axes.batch),
                             ", against their names: as they say it, ", refusal.message()));
  }

  static bool HasCellsOfFrames(const ElementGraph& graph) {
    return std::any_of(graph.elements().begin(), graph.elements().end(), [](const Element& element) {
      return element.type == "frame_cell" || element.type == "position_cell";
    });
  }

  absl::Status TakeStates() {
    for (const std::string& text : options_.states) {
      const size_t colon = text.rfind(':');
      const std::string in = text.substr(0, colon), out = colon == std::string::npos ? "" : text.substr(colon + 1);
      const bool known = std::any_of(model_.graph.inputs.begin(), model_.graph.inputs.end(),
                                     [&](const OnnxValue& i) { return i.name == in; });
      if (!known || out.empty()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--state=", text, " names no input and output of the graph, IN:OUT"));
      }
      states_[in] = out;
    }
    for (const std::vector<std::string>& states : {StatesByName(model_.graph), StatesOfCells(model_.graph)}) {
      for (const std::string& state : states) {
        if (options_.initializers.count(state) == 0) states_.emplace(state, "");
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ElementGraph> Follow(const OnnxValue& first, const InputAxes& axes) {
    ProbeSizes sizes;
    absl::StatusOr<Trial> trial = TryAsCalled(first, axes, &sizes);
    absl::Status status = trial.ok() ? CheckOpenSizes(first, axes, sizes, *trial) : trial.status();
    // Sequences that share an axis with something else, as [batch * bins, time, features] does, are not told apart
    // from it; one sequence is all there is.
    const bool may_share = !trial.ok() || HasCellsOfFrames(trial->graph);
    if (!status.ok() && may_share && IsBatchForSure(first, axes)) {
      sizes = {1, ProbeSizes().timesteps};
      absl::StatusOr<Trial> again = TryAsCalled(first, axes, &sizes);
      if (again.ok()) {
        trial = std::move(again);
        status = CheckOpenSizes(first, axes, sizes, *trial);
      }
    }
    if (!status.ok()) return status;
    if (sizes.timesteps == 1)
      trial->graph.Note("the graph takes its states at each call, and is followed with one timestep a call");
    if (std::string text = plans_.TextOfData(axes); !text.empty()) trial->graph.Note(std::move(text));
    return std::move(trial->graph);
  }

  // What is made to be called with any number of timesteps, and takes its state each time, is called with one.
  absl::StatusOr<Trial> TryAsCalled(const OnnxValue& first, const InputAxes& axes, ProbeSizes* sizes) {
    absl::StatusOr<Trial> trial = Try(first, axes, *sizes);
    const bool open = axes.time >= 0 && first.shape[axes.time].size < 0;
    if (trial.ok() || !open || states_.empty()) return trial;
    const ProbeSizes one_timestep = {sizes->batch, 1};
    absl::StatusOr<Trial> again = Try(first, axes, one_timestep);
    if (!again.ok()) return trial;
    *sizes = one_timestep;
    return again;
  }

  // Tells whether an open axis is that of the batch by its name, or by that of the timesteps' axis.
  bool IsBatchForSure(const OnnxValue& first, const InputAxes& axes) const {
    const OnnxDimension* const batch = plans_.OpenBatch(first, axes);
    if (batch == nullptr || IsTimeName(*batch)) return false;
    return IsBatchName(*batch) || (axes.time >= 0 && IsTimeName(first.shape[axes.time]));
  }

  absl::StatusOr<Trial> Try(const OnnxValue& first, const InputAxes& axes, const ProbeSizes& sizes) {
    const absl::StatusOr<RunPlan> plan = plans_.PlanOf(first, axes, sizes);
    if (!plan.ok()) return plan.status();
    Trial trial;
    GraphRun run(model_, options_, *plan, &trial.graph);
    run.Run();
    reached_ = std::max(reached_, run.nodes_run());
    for (const std::string& state : run.found_states()) states_[state] = "";
    if (!trial.graph.status().ok()) return trial.graph.status();
    if (!run.found_states().empty()) return absl::InvalidArgumentError("it has states that were not known");
    trial.decisions = run.decisions();
    return trial;
  }

  // Follows the graph anew with another size of each open dimension: no number of the network may come from a size.
  absl::Status CheckOpenSizes(const OnnxValue& first, const InputAxes& axes, const ProbeSizes& tried,
                              const Trial& trial) {
    const auto check = [&](const ProbeSizes& sizes, absl::string_view dimension) {
      const absl::StatusOr<Trial> other = Try(first, axes, sizes);
      if (!other.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("with another size of ", dimension,
                                                       ", which the graph leaves "
                                                       "open: ",
                                                       other.status().message()));
      }
      return CheckSizeIsNotUsed(trial, *other, dimension);
    };
    const auto named = [](absl::string_view axis, const OnnxDimension& dimension) {
      return dimension.name.empty() ? std::string(axis) : absl::StrCat(axis, " ", Quoted(dimension.name));
    };
    const OnnxDimension *time = axes.time < 0 ? nullptr : &first.shape[axes.time],
                        *batch = plans_.OpenBatch(first, axes);
    if (time != nullptr && time->size < 0 && tried.timesteps > 1) {
      const absl::Status status = check({tried.batch, kOtherTimesteps}, named("the time axis", *time));
      if (!status.ok()) return status;
    }
    if (batch == nullptr || tried.batch == 1) return absl::OkStatus();
    return check({kOtherBatch, tried.timesteps}, named("the batch axis", *batch));
  }

  OnnxModel model_;
  const OnnxOptions& options_;
  std::map<std::string, std::string> states_;
  std::set<std::string> said_dimensions_;  // those of the options that an input has
  size_t reached_ = 0;                     // how many nodes the attempts under one hypothesis came through, at most
  const InputPlans plans_;
};

}  // namespace

absl::StatusOr<ElementGraph> ReadOnnxNetwork(const OnnxModel& model, const OnnxOptions& options) {
  return OnnxNetwork(model, options).Read();
}

}  // namespace rondo::convert
