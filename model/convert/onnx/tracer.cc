#include "model/convert/onnx/tracer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/graph/layers.h"
#include "model/convert/onnx/ref_runs.h"

namespace rondo::convert {
namespace {

constexpr size_t kManyRuns = 4;  // for which another way is looked for

// What stepping along one axis does.
struct AxisSteps {
  bool still = true;   // nothing changes
  bool timely = true;  // every number goes one timestep on, or stays at the first
  bool moved = false;  // some ref is there to tell
};

AxisSteps StepsAlong(const Traced& tensor, int64_t axis, const std::vector<int64_t>& strides, int64_t from,
                     int64_t to) {
  AxisSteps steps;
  const int64_t stride = strides[axis], size = tensor.shape[axis];
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const int64_t place = i / stride % size;
    if (place < from || place + 1 >= to) continue;
    const Ref &before = tensor.refs[i], &after = tensor.refs[i + stride];
    steps.still = steps.still && after.Follows(before, 0);
    const bool pinned = !before.constant() && before.time == 0 && after.Follows(before, 0);
    steps.timely = steps.timely && (after.Follows(before, 1) || pinned);
    steps.moved = steps.moved || !before.constant();
    if (!steps.still && !steps.timely) break;
  }
  return steps;
}

// How many places from the front (or back) of an axis hold nothing but zeros.
int64_t ZerosAlong(const Traced& tensor, int64_t axis, const std::vector<int64_t>& strides, bool back) {
  const int64_t stride = strides[axis], size = tensor.shape[axis];
  int64_t zeros = size;
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const Ref& ref = tensor.refs[i];
    if (ref.constant() ? ref.value == 0 : ref.time < 0) continue;
    const int64_t place = i / stride % size;
    zeros = std::min(zeros, back ? size - 1 - place : place);
  }
  return zeros;
}

// The numbers of the frame at the last timestep: there those that stay at the first one show.
std::vector<Ref> RefsOfFrame(const Traced& tensor, const AxisRoles& roles) {
  const std::vector<int64_t> strides = StridesOf(tensor.shape);
  std::vector<int64_t> shape;
  for (const int64_t axis : roles.frame_axes) shape.push_back(tensor.shape[axis]);
  const int64_t base = roles.time_axis < 0 ? 0 : (roles.pad_before + roles.times - 1) * strides[roles.time_axis];
  std::vector<Ref> refs;
  ForEachPlace(shape, [&](const std::vector<int64_t>& place) {
    int64_t at = base;
    for (size_t i = 0; i < place.size(); ++i) at += place[i] * strides[roles.frame_axes[i]];
    refs.push_back(tensor.refs[at]);
  });
  return refs;
}

}  // namespace

int32_t Tracer::AddSource(Value value, int64_t timesteps) {
  sources_.push_back({std::move(value), "", timesteps == 0 ? timesteps_ : timesteps});
  return static_cast<int32_t>(sources_.size()) - 1;
}

int32_t Tracer::AddUnreadable(std::string reason) {
  sources_.push_back({{}, std::move(reason), timesteps_});
  return static_cast<int32_t>(sources_.size()) - 1;
}

int64_t Tracer::TimestepsOf(const Traced& tensor) const {
  const auto found =
      std::find_if(tensor.refs.begin(), tensor.refs.end(), [](const Ref& ref) { return !ref.constant(); });
  return found == tensor.refs.end() ? timesteps_ : sources_[found->source].timesteps;
}

std::optional<AxisRoles> Tracer::Roles(absl::string_view node, const Traced& tensor,
                                       const std::vector<int64_t>& frame_axes, bool padded) {
  AxisRoles roles;
  roles.timesteps = TimestepsOf(tensor);
  const std::vector<int64_t> strides = StridesOf(tensor.shape);
  for (int64_t axis = 0; axis < tensor.rank(); ++axis) {
    const bool forced = std::find(frame_axes.begin(), frame_axes.end(), axis) != frame_axes.end();
    if (tensor.shape[axis] == 1 && !forced) continue;
    const int64_t before = padded && !forced ? ZerosAlong(tensor, axis, strides, false) : 0;
    const int64_t after = padded && !forced ? ZerosAlong(tensor, axis, strides, true) : 0;
    const int64_t from = before, to = tensor.shape[axis] - after;
    const AxisSteps steps = StepsAlong(tensor, axis, strides, from, to);
    const bool timely = steps.timely && steps.moved && !steps.still && to - from > 1;
    if (timely && !forced && roles.time_axis < 0) {
      roles.time_axis = axis;
      roles.times = to - from;
      roles.pad_before = before;
      roles.pad_after = after;
    } else if (forced || !StepsAlong(tensor, axis, strides, 0, tensor.shape[axis]).still) {
      if (timely) {
        graph_.Refuse(absl::StrCat(node, " combines the numbers of different timesteps"));
        return std::nullopt;
      }
      roles.frame_axes.push_back(axis);
    }
  }
  constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
  int64_t first_time = kNone;
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const Ref& ref = tensor.refs[i];
    if (ref.constant()) continue;
    const int64_t place =
        roles.time_axis < 0 ? 0 : i / strides[roles.time_axis] % tensor.shape[roles.time_axis] - roles.pad_before;
    first_time = std::max<int64_t>(first_time, ref.time - place);
  }
  if (first_time == kNone) return roles;  // all is constant
  // A sequence that begins before the first timestep and is as long as the others is one of earlier timesteps.
  const bool delayed = roles.time_axis >= 0 && roles.times == roles.timesteps;
  if (first_time < 0 && !delayed && !padded) {
    graph_.Refuse(absl::StrCat(node, " reads timesteps before the first"));
    return std::nullopt;
  }
  roles.first_time = std::max<int64_t>(first_time, 0);
  return roles;
}

void Tracer::ChooseOrder(const Traced& tensor, AxisRoles* roles) const {
  if (tensor.constant() || roles->frame_axes.size() < 2) return;
  AxisRoles turned = *roles;
  std::rotate(turned.frame_axes.begin(), turned.frame_axes.end() - 1, turned.frame_axes.end());
  if (RunsOf(RefsOfFrame(tensor, turned)).size() < RunsOf(RefsOfFrame(tensor, *roles)).size()) *roles = turned;
}

Value Tracer::FrameOf(absl::string_view node, const Traced& tensor, const AxisRoles& roles) {
  // In a sequence of all timesteps, what is of an earlier one now was zero at first.
  may_delay_ = roles.time_axis >= 0 && roles.times == TimestepsOf(tensor) && roles.first_time == 0;
  const Value value =
      ValueOfRefs(node, RefsOfFrame(tensor, roles), roles.first_time + (roles.time_axis < 0 ? 0 : roles.times - 1));
  may_delay_ = false;
  return value;
}

template <typename Make>
Value Tracer::Once(const std::string& key, Make make) {
  if (const auto found = made_.find(key); found != made_.end()) return found->second;
  const Value value = make();
  made_[key] = value;
  return value;
}

// What the ref's source gives, at the ref's time if `time` is now.
std::optional<Value> Tracer::SourceAt(absl::string_view node, const Ref& ref, int64_t time) {
  const Source& source = sources_[ref.source];
  if (!source.unreadable.empty()) {
    graph_.Refuse(absl::StrCat(node, " reads ", source.unreadable));
    return std::nullopt;
  }
  const Value whole = source.value;
  if (ref.time == time) return whole;
  if (ref.time < time && ref.time < 0) {
    return Once(absl::StrCat(ref.source, "@", time - ref.time),
                [&] { return AddDelay(&graph_, absl::StrCat(whole.name, "_before"), whole, time - ref.time); });
  }
  if (ref.time == 0 && time == source.timesteps - 1) {
    return Once(absl::StrCat(ref.source, "@first"),
                [&] { return AddSequence(&graph_, absl::StrCat(whole.name, "_first"), "sequence_first", whole); });
  }
  if (ref.time < time && may_delay_) {
    return Once(absl::StrCat(ref.source, "@", time - ref.time),
                [&] { return AddDelay(&graph_, absl::StrCat(whole.name, "_before"), whole, time - ref.time); });
  }
  graph_.Refuse(absl::StrCat(node, " combines timestep ", ref.time, " with timestep ", time));
  return std::nullopt;
}

Value Tracer::RunValue(absl::string_view node, const RefRun& run, int64_t time) {
  const std::optional<Value> whole = SourceAt(node, run.first, time);
  if (!whole.has_value()) return {};
  if (run.first.index == 0 && run.step == 1 && run.count == whole->frame.size()) return *whole;
  const std::string key = absl::StrCat(whole->name, ":", run.first.index, ":", run.step, ":", run.count);
  return Once(key, [&] {
    const Value flat = AddReshape(&graph_, absl::StrCat(whole->name, "_flat"), *whole, {whole->frame.size(), 1});
    return AddSlice(&graph_, absl::StrCat(whole->name, "_part"), flat, "channels", run.first.index,
                    run.first.index + run.step * (run.count - 1) + 1, run.step);
  });
}

// The refs as rows and columns cut out of the source's frame, perhaps turned. Nullopt: they are not.
std::optional<Value> Tracer::Block(absl::string_view node, const std::vector<Ref>& refs, const Value& whole,
                                   bool transposed) {
  const int64_t length = whole.frame.length, count = static_cast<int64_t>(refs.size());
  const int64_t start = refs[0].index;
  // `inner` refs in a row lie `inner_step` apart, and such rows `outer_step`.
  const int64_t inner_step = count > 1 ? refs[1].index - start : 1;
  int64_t inner = 1;
  while (inner < count && refs[inner].index == start + inner * inner_step) ++inner;
  if (count % inner != 0 || inner_step <= 0) return std::nullopt;
  const int64_t outer = count / inner, outer_step = outer > 1 ? refs[inner].index - start : 0;
  if (outer > 1 && outer_step <= 0) return std::nullopt;  // rows that come again, or in turned order
  for (int64_t i = 0; i < count; ++i) {
    if (refs[i].index != start + i / inner * outer_step + i % inner * inner_step) return std::nullopt;
  }
  const int64_t rows = transposed ? inner : outer, columns = transposed ? outer : inner;
  const int64_t row_step = transposed ? inner_step : outer_step;
  const int64_t column_step = std::max<int64_t>(1, transposed ? outer_step : inner_step);
  const int64_t channel = start / length, column = start % length;
  if (row_step % length != 0 || column + (columns - 1) * column_step >= length) return std::nullopt;
  const int64_t channel_step = std::max<int64_t>(1, row_step / length);
  const std::string key = absl::StrCat(whole.name, "#", start, ":", rows, "x", columns, ":", row_step, ":", column_step,
                                       transposed ? "t" : "");
  (void)node;
  return Once(key, [&] {
    Value value = whole;
    if (channel != 0 || rows != whole.frame.channels) {
      value = AddSlice(&graph_, absl::StrCat(whole.name, "_rows"), value, "channels", channel,
                       channel + (rows - 1) * channel_step + 1, channel_step);
    }
    if (column != 0 || columns != length) {
      value = AddSlice(&graph_, absl::StrCat(whole.name, "_columns"), value, "length", column,
                       column + (columns - 1) * column_step + 1, column_step);
    }
    return transposed ? AddTranspose(&graph_, absl::StrCat(whole.name, "_turned"), value) : value;
  });
}

// Refs to a value that is one vector, as rows and columns of a frame that the vector can be cut into.
std::optional<Value> Tracer::BlockOfVector(absl::string_view node, const std::vector<Ref>& refs, const Value& whole) {
  const int64_t count = static_cast<int64_t>(refs.size());
  const int64_t step = count > 1 ? refs[1].index - refs[0].index : 0;
  int64_t row = 1;
  while (row < count && refs[row].index == refs[0].index + row * step) ++row;
  for (const int64_t length : {row < count ? refs[row].index - refs[0].index : 0, step}) {
    if (length < 2 || whole.frame.size() % length != 0) continue;
    const Value cut =
        AddReshape(&graph_, absl::StrCat(whole.name, "_rows"), whole, {whole.frame.size() / length, length});
    for (const bool transposed : {false, true}) {
      if (const std::optional<Value> block = Block(node, refs, cut, transposed)) return block;
    }
  }
  return std::nullopt;
}

// The refs as parts that stand side by side in each row, as a concat along the length gives them. Nullopt: they are
// not.
std::optional<Value> Tracer::JoinedRows(absl::string_view node, const std::vector<Ref>& refs, int64_t time) {
  const int64_t count = static_cast<int64_t>(refs.size()), width = WidthOfRows(refs);
  if (width == 0) return std::nullopt;
  const std::vector<int64_t> parts = PartsOfRows(refs, width);
  std::vector<Value> values;
  for (size_t part = 0; part < parts.size(); ++part) {
    const int64_t first = parts[part], end = part + 1 < parts.size() ? parts[part + 1] : width;
    std::vector<Ref> own;
    for (int64_t i = 0; i < count; ++i) {
      if (i % width >= first && i % width < end) own.push_back(refs[i]);
    }
    const Value value = ValueOfRefs(node, own, time);
    values.push_back(AddReshape(&graph_, absl::StrCat(value.name, "_rows"), value, {count / width, end - first}));
  }
  return AddConcat(&graph_, "joined", values, "length");
}

// The refs as pieces that stand one behind the other, each put together by itself. Nullopt: they are not.
std::optional<Value> Tracer::Pieces(absl::string_view node, const std::vector<Ref>& refs, int64_t time) {
  const int64_t pieces = PiecesOf(refs), size = pieces == 0 ? 0 : static_cast<int64_t>(refs.size()) / pieces;
  std::vector<Value> values;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const auto begin = refs.begin() + piece * size;
    const Value value = ValueOfRefs(node, std::vector<Ref>(begin, begin + size), time);
    values.push_back(AddReshape(&graph_, absl::StrCat(value.name, "_flat"), value, {size, 1}));
  }
  if (pieces == 0) return std::nullopt;
  return AddConcat(&graph_, "joined", values);
}

// Refs that come several times, each in a row or all of them again and again: multiplied by ones at the places where
// they come. Nullopt: they are no such refs.
std::optional<Value> Tracer::Repeated(absl::string_view node, const std::vector<Ref>& refs, int64_t time) {
  const int64_t count = static_cast<int64_t>(refs.size()), in_a_row = TimesInARow(refs);
  const int64_t different = in_a_row > 1 ? count / in_a_row : PeriodOf(refs);
  if (different == count) return std::nullopt;
  std::vector<Ref> own;
  for (int64_t i = 0; i < different; ++i) own.push_back(refs[i * in_a_row]);
  const Value value = ValueOfRefs(node, own, time);
  const Value ones = AddReshape(&graph_, "ones_frame", AddConstant(&graph_, "ones", Filled({count}, 1)),
                                {different, count / different});
  const Value wide = AddArithmetic(&graph_, "wide", "multiply", ones, value);
  return in_a_row > 1 ? wide : AddTranspose(&graph_, "turned", wide);
}

Value Tracer::ValueOfRefs(absl::string_view node, const std::vector<Ref>& refs, int64_t time) {
  if (refs.empty() || !graph_.status().ok()) {
    graph_.Refuse(absl::StrCat(node, " reads no numbers"));
    return {};
  }
  for (const Ref& ref : refs) {
    if (const auto watched = watched_.find(ref.source); watched != watched_.end()) watched->second.insert(ref.index);
  }
  const std::vector<RefRun> runs = RunsOf(refs);
  const bool one_source = std::all_of(refs.begin(), refs.end(), [&](const Ref& ref) {
    return ref.source == refs[0].source && ref.time == refs[0].time && !ref.constant();
  });
  const bool whole_run = one_source && runs.size() == 1 && runs[0].first.index == 0 && runs[0].step == 1;
  if (one_source && !whole_run) {
    const std::optional<Value> whole = SourceAt(node, refs[0], time);
    if (!whole.has_value()) return {};
    if (whole->frame.length > 1 && whole->frame.channels > 0) {
      for (const bool transposed : {false, true}) {
        if (const std::optional<Value> block = Block(node, refs, *whole, transposed)) return *block;
      }
    } else if (runs.size() > kManyRuns) {
      if (const std::optional<Value> block = BlockOfVector(node, refs, *whole)) return *block;
    }
  }
  if (runs.size() > kManyRuns && !one_source) {
    if (const std::optional<Value> rows = JoinedRows(node, refs, time)) return *rows;
  }
  if (runs.size() > kMaxRuns) {
    if (const std::optional<Value> repeated = Repeated(node, refs, time)) return *repeated;
    if (const std::optional<Value> pieces = Pieces(node, refs, time)) return *pieces;
    graph_.Refuse(absl::StrCat(node, " reads numbers in an order that no slice, transpose or concat gives"));
    return {};
  }
  std::vector<Value> parts;
  size_t at = 0;
  for (const RefRun& run : runs) {
    if (run.first.constant()) {
      Array constants = Filled({run.count}, 0);
      for (int64_t i = 0; i < run.count; ++i) constants.values[i] = refs[at + i].value;
      parts.push_back(AddConstant(&graph_, "constant", std::move(constants)));
    } else {
      const Value part = RunValue(node, run, time);
      parts.push_back(parts.empty() && runs.size() == 1
                          ? part
                          : AddReshape(&graph_, absl::StrCat(part.name, "_flat"), part, {part.frame.size(), 1}));
    }
    at += run.count;
  }
  return AddConcat(&graph_, "joined", parts);
}

Traced Tracer::Spread(int32_t source, const std::vector<int64_t>& shape, const AxisRoles& roles) {
  const std::vector<int64_t> frame = [&] {
    std::vector<int64_t> sizes;
    for (const int64_t axis : roles.frame_axes) sizes.push_back(shape[axis]);
    return StridesOf(sizes);
  }();
  Traced tensor{shape, {}, {}};
  ForEachPlace(shape, [&](const std::vector<int64_t>& place) {
    Ref ref;
    ref.source = source;
    ref.time = static_cast<int32_t>(roles.first_time + (roles.time_axis < 0 ? 0 : place[roles.time_axis]));
    for (size_t i = 0; i < roles.frame_axes.size(); ++i) ref.index += place[roles.frame_axes[i]] * frame[i];
    tensor.refs.push_back(ref);
  });
  return tensor;
}

}  // namespace rondo::convert
