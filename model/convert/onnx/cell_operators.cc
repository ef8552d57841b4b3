// LSTM, GRU and RNN: where their cells go, where they begin and what they give.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/cell_reader.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// The tensor with the places of an axis in turned order.
Traced Turned(const Traced& tensor, int64_t axis) {
  const int64_t stride = StridesOf(tensor.shape)[axis], size = tensor.shape[axis];
  Sizes places(static_cast<size_t>(tensor.size()));
  for (int64_t i = 0; i < tensor.size(); ++i) places[i] = i + (size - 1 - 2 * (i / stride % size)) * stride;
  return Moved(tensor, tensor.shape, places);
}

// Tells whether the axis goes through the timesteps backward, as after a flip.
bool GoesBackward(const Traced& tensor, int64_t axis) {
  const int64_t stride = StridesOf(tensor.shape)[axis], size = tensor.shape[axis];
  if (tensor.constant() || size < 2) return false;
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (i / stride % size + 1 == size) continue;
    const Ref& ref = tensor.refs[i];
    if (ref.constant() || !tensor.refs[i + stride].Follows(ref, -1)) return false;
  }
  return true;
}

// The cells go along the first axis of their input, or the second one with layout 1, for each place of the other one:
// the batch. Usually the first is that of the timesteps. In networks that go over frequencies too, either axis may be
// one of a timestep's own numbers: then the cells go along the frame, or through the timesteps at each of its places.
class CellOperator {
 public:
  CellOperator(OperatorCall& call, OnnxCells cells) : call_(call), cells_(std::move(cells)) {}

  void Run() {
    NoteLengths();
    TakeInput();
    const Traced& in = in_;
    if (!FindPath(in)) return;
    Value value = call_.tracer().FrameOf(call_.named(), in, roles_);
    if (path_ != CellPath::kTimesteps)
      value = AddReshape(call_.graph(), call_.Part("frame"), value, {in.shape[2], places_});
    std::vector<int32_t> hidden, kept;
    for (size_t direction = 0; direction < cells_.directions.size(); ++direction) {
      const Value cell = AddDirection(value, direction);
      if (!call_.ok()) return;
      hidden.push_back(call_.tracer().AddSource(cell, roles_.timesteps));
      kept.push_back(call_.tracer().AddUnreadable(absl::StrCat("the cell state Y_c of ", call_.named())));
      PairStates(5, direction, hidden.back());
      if (cells_.type == "lstm") PairStates(6, direction, kept.back());
    }
    GiveSequence(hidden);
    GiveLast(hidden);
    GiveLast(kept);
  }

 private:
  int64_t Directions() const { return static_cast<int64_t>(cells_.directions.size()); }
  int64_t SequenceAxis() const { return cells_.layout == 0 ? 0 : 1; }
  int64_t BatchAxis() const { return 1 - SequenceAxis(); }
  bool IsOfFrame(int64_t axis) const {
    return std::count(roles_.frame_axes.begin(), roles_.frame_axes.end(), axis) > 0;
  }

  void NoteLengths() {
    if (call_.Input(4) != nullptr) {
      call_.graph()->Note(
          absl::StrCat(call_.named(), ": sequence_lens left out; a request's own length takes its place"));
    }
  }

  // A cell that goes forward over a sequence that was turned round is one that goes backward over the sequence itself.
  void TakeInput() {
    in_ = call_.Needed(0);
    turned_ = GoesBackward(in_, SequenceAxis());
    if (!turned_) return;
    in_ = Turned(in_, SequenceAxis());
    for (OnnxCells::Direction& direction : cells_.directions) {
      direction.reverse = !direction.reverse;
      direction.attributes["direction"] = direction.reverse ? "reverse" : "forward";
    }
  }

  // False after a refusal.
  bool FindPath(const Traced& in) {
    const auto roles = call_.tracer().Roles(call_.named(), in, {2});
    if (!roles.has_value()) return false;
    roles_ = *roles;
    const int64_t along = SequenceAxis();
    if (IsOfFrame(along)) {
      if (IsOfFrame(BatchAxis())) {
        call_.Refuse(absl::StrCat("runs over axis ", along, " of ", ShapeText(in.shape),
                                  " apart for each place of another axis of a timestep; over one axis of a timestep is "
                                  "supported"));
        return false;
      }
      SetFrame(CellPath::kFrame, along, in.shape[along]);
      call_.graph()->Note(absl::StrCat(call_.named(), ": runs over ", places_, " places within each timestep"));
      return true;
    }
    if (!GoesThroughTime(in)) return false;
    if (IsOfFrame(BatchAxis())) SetFrame(CellPath::kPositions, BatchAxis(), in.shape[BatchAxis()]);
    return true;
  }

  void SetFrame(CellPath path, int64_t axis, int64_t places) {
    path_ = path;
    places_ = places;
    roles_.frame_axes = {2, axis};
  }

  bool GoesThroughTime(const Traced& in) {
    const int64_t axis = SequenceAxis();
    if (roles_.time_axis < 0 && roles_.timesteps > 1) {
      call_.Refuse(absl::StrCat("runs one step over a sequence of ", roles_.timesteps,
                                " timesteps; a cell that goes through all of them is supported"));
    } else if (roles_.time_axis != axis && (roles_.time_axis >= 0 || in.shape[axis] != 1)) {
      call_.Refuse(
          absl::StrCat("runs over axis ", axis, " of ", ShapeText(in.shape), ", which is not that of the timesteps"));
    }
    return call_.ok();
  }

  // A state that is given as a constant; empty if it is zero or no constant.
  Array GivenState(size_t input, size_t direction) {
    const Traced* state = call_.Input(input);
    if (state == nullptr || !state->constant()) return {};
    Array row = Filled({cells_.units}, 0);
    bool zero = true;
    for (int64_t k = 0; k < cells_.units; ++k) {
      for (int64_t sequence = 0; sequence < BatchOf(*state); ++sequence) {
        const double value = state->constants[StatePlace(*state, direction, sequence, k)];
        if (sequence > 0 && value != row.values[k]) call_.Refuse("begins each sequence of a batch with another state");
        row.values[k] = value;
      }
      zero = zero && row.values[k] == 0;
    }
    return zero ? Array{} : row;
  }

  int64_t BatchOf(const Traced& state) {
    const int64_t directions = state.rank() == 3 ? state.shape[cells_.layout == 0 ? 0 : 1] : 0;
    const bool fits = directions == Directions() && state.shape[2] == cells_.units;
    if (!fits) call_.Refuse(absl::StrCat("begins with a state of ", ShapeText(state.shape)));
    return fits ? state.shape[cells_.layout == 0 ? 1 : 0] : 0;
  }

  int64_t StatePlace(const Traced& state, size_t direction, int64_t sequence, int64_t unit) const {
    const int64_t d = static_cast<int64_t>(direction);
    return (cells_.layout == 0 ? d * state.shape[1] + sequence : sequence * state.shape[1] + d) * cells_.units + unit;
  }

  Value AddDirection(const Value& value, size_t direction) {
    const OnnxCells::Direction& cell = cells_.directions[direction];
    CellWeights weights = cell.weights;
    weights.initial_h = GivenState(5, direction);
    if (cells_.type == "lstm") weights.initial_c = GivenState(6, direction);
    if (path_ == CellPath::kPositions && cell.reverse) {
      call_.Refuse(absl::StrCat("goes backward through the timesteps at each of ", places_,
                                " places of a timestep; forward is supported"));
    }
    if (cell.reverse && path_ != CellPath::kFrame && roles_.time_axis >= 0 && LastTime() + 1 != roles_.timesteps) {
      call_.Refuse(absl::StrCat("goes backward from timestep ", LastTime(), " of ", roles_.timesteps,
                                " (after a slice, or a convolution that pads by more or less); from the last one is "
                                "supported"));
    }
    if (!call_.ok()) return {};
    const std::string name = absl::StrCat(call_.element_name(), Directions() == 1 ? ""
                                                                : direction == 0  ? "_forward"
                                                                                  : "_backward");
    // What goes backward comes to the timesteps before the first one last, and nothing reads what it gives there.
    const bool late = path_ != CellPath::kFrame && !cell.reverse && roles_.time_axis >= 0 && roles_.first_time > 0;
    if (!late) return AddCell(call_.graph(), name, cells_.type, value, std::move(weights), cell.attributes, path_);
    const auto is_given = [&](size_t input) {
      const Traced* state = call_.Input(input);
      return state != nullptr && !state->constant();
    };
    if (path_ == CellPath::kPositions || is_given(5) || (cells_.type == "lstm" && is_given(6))) {
      call_.Refuse(absl::StrCat("begins at timestep ", roles_.first_time,
                                " (after a slice, or a convolution without padding) at each place of a timestep, or "
                                "from a state that comes from an input; a cell that begins at the first timestep is "
                                "supported"));
      return {};
    }
    return AddLateCell(call_.graph(), name, cells_.type, value, std::move(weights), cell.attributes, roles_.first_time);
  }

  // A state that comes from an input of the graph: its numbers are those that the cell gives back.
  void PairStates(size_t input, size_t direction, int32_t cell) {
    const Traced* state = call_.Input(input);
    const bool anew = state == nullptr || state->constant();
    if (anew && path_ == CellPath::kFrame) return;
    if (anew && call_.run().hands_states_on)
      call_.Refuse("begins anew at each call of one timestep; one whose state comes from an input, too, is supported");
    if (anew) return;
    const int64_t batch = BatchOf(*state), sequences = path_ == CellPath::kPositions ? places_ : 1;
    if (batch < sequences) return call_.Refuse(absl::StrCat("begins with a state of ", ShapeText(state->shape)));
    for (int64_t place = 0; place < sequences; ++place) {
      for (int64_t k = 0; k < cells_.units; ++k) {
        const Ref ref = state->refs[StatePlace(*state, direction, place, k)];
        if (path_ == CellPath::kFrame || ref.constant() || call_.run().inputs.count(ref.source) == 0) {
          return call_.Refuse(
              "begins with a state that is computed from the data; zeros, constants and inputs are supported");
        }
        call_.run().cell_states[{ref.source, ref.index}] = {cell, LastTime(), k * places_ + place};
      }
    }
    if (cells_.directions[direction].reverse)
      call_.Refuse("goes backward from a state that comes from an input; --initializer gives it a value");
  }

  int64_t LastTime() const { return roles_.first_time + roles_.times - 1; }

  // The number `unit` that the cell gives at one place of its own axis and one of the batch.
  Ref RefOf(int32_t source, int64_t along, int64_t batch, int64_t unit) const {
    const bool timely = roles_.time_axis >= 0;
    const int64_t time = !timely ? 0 : path_ == CellPath::kFrame ? batch : along;
    const int64_t place = path_ == CellPath::kTimesteps ? 0 : path_ == CellPath::kFrame ? along : batch;
    return {source, static_cast<int32_t>(roles_.first_time + time), unit * places_ + place, 0};
  }

  void GiveSequence(const std::vector<int32_t>& sources) {
    const int64_t batch = in_.shape[BatchAxis()], steps = in_.shape[SequenceAxis()], units = cells_.units;
    const auto along = [&](int64_t place) { return turned_ ? steps - 1 - place : place; };
    const bool batch_first = cells_.layout == 1;
    const Sizes shape =
        batch_first ? Sizes{batch, steps, Directions(), units} : Sizes{steps, Directions(), batch, units};
    if (!call_.CanHold(shape)) return;
    std::vector<Ref> refs;
    ForEachPlace(shape, [&](const Sizes& place) {
      refs.push_back(batch_first ? RefOf(sources[place[2]], along(place[1]), place[0], place[3])
                                 : RefOf(sources[place[1]], along(place[0]), place[2], place[3]));
    });
    call_.Give(FromRefs(shape, std::move(refs)));
  }

  // The state after the sequence: a cell that runs backward ends at the first place.
  void GiveLast(const std::vector<int32_t>& sources) {
    const int64_t batch = in_.shape[BatchAxis()], last = in_.shape[SequenceAxis()] - 1;
    const bool batch_first = cells_.layout == 1;
    const Sizes shape =
        batch_first ? Sizes{batch, Directions(), cells_.units} : Sizes{Directions(), batch, cells_.units};
    std::vector<Ref> refs;
    ForEachPlace(shape, [&](const Sizes& place) {
      const int64_t direction = place[batch_first ? 1 : 0];
      const bool reverse = cells_.directions[static_cast<size_t>(direction)].reverse;
      refs.push_back(RefOf(sources[direction], reverse ? 0 : last, place[batch_first ? 0 : 1], place[2]));
    });
    call_.Give(FromRefs(shape, std::move(refs)));
  }

  OperatorCall& call_;
  OnnxCells cells_;
  Traced in_;            // in the order of the timesteps
  bool turned_ = false;  // the node's own input, and what it gives, are in the other order
  AxisRoles roles_;
  CellPath path_ = CellPath::kTimesteps;
  int64_t places_ = 1;  // of a frame that the cells go along, or that each have a state
};

void RunCells(OperatorCall& call, const char* type) {
  auto cells = ReadOnnxCells(call, type);
  if (cells.has_value()) CellOperator(call, *std::move(cells)).Run();
}
void RunLstm(OperatorCall& call) { RunCells(call, "lstm"); }
void RunGru(OperatorCall& call) { RunCells(call, "gru"); }
void RunRnn(OperatorCall& call) { RunCells(call, "rnn"); }

}  // namespace

const Operators& CellOperators() {
  static const auto& operators =
      *new Operators{{"DynamicQuantizeLSTM", RunLstm}, {"GRU", RunGru}, {"LSTM", RunLstm}, {"RNN", RunRnn}};
  return operators;
}

}  // namespace rondo::convert
