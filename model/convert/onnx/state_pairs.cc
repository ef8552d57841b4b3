#include "model/convert/onnx/state_pairs.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/onnx/state_names.h"
#include "model/json/json_text.h"

namespace rondo::convert {

const Traced* StatePairs::Find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

// Where the cells' next state stands in the output, in the order of the state's numbers. -1: nowhere.
int64_t StatePairs::PlaceOfNext(const std::string& input, const Traced& output) const {
  const int32_t source = sources_.at(input);
  const Traced& state = tensors_.at(input);
  const auto holds = [&](int64_t i, int64_t at) {
    const auto next = run_.cell_states.find({source, state.refs[i].index});
    if (next == run_.cell_states.end()) return false;
    const Ref& ref = output.refs[at];
    return ref.source == next->second.cell && ref.index == next->second.index && ref.time == next->second.next_time;
  };
  if (output.constant()) return -1;
  // An output in which the numbers come again and again could be compared with the state without end.
  int64_t comparisons = 16 * (output.size() + state.size());
  for (int64_t place = 0; place + state.size() <= output.size() && comparisons > 0; ++place) {
    int64_t i = 0;
    while (i < state.size() && holds(i, place + i)) ++i;
    comparisons -= i + 1;
    if (i == state.size()) return place;
  }
  return -1;
}

// Tells whether an output has nothing but what cells go on with, so that it is no answer.
bool StatePairs::IsOfStatesAlone(const Traced& output) const {
  std::set<std::pair<int32_t, int64_t>> next;
  for (const auto& [place, state] : run_.cell_states) next.insert({state.cell, state.index});
  return std::all_of(output.refs.begin(), output.refs.end(), [&](const Ref& ref) {
    return next.count({ref.source, ref.index}) > 0;
  });
}

bool StatePairs::MayComeBackIn(const std::string& input, const std::string& output) const {
  const Traced* tensor = Find(output);
  return tensor != nullptr && !tensor->constant() && tensor->shape == tensors_.at(input).shape &&
         outputs_.count(output) == 0;
}

std::string StatePairs::FindNext(const std::string& input, const std::string& wanted) const {
  const bool read = !tracer_.ReadOf(sources_.at(input)).empty();
  std::vector<std::string> of_shape, named;
  std::string alone;         // the last output that has the state's numbers and no others: an answer may be a state too
  std::string among_others;  // an output that has the numbers of several states
  for (const OnnxValue& output : model_.outputs) {
    const Traced* tensor = Find(output.name);
    if (tensor == nullptr || (!wanted.empty() && wanted != output.name)) continue;
    if (const int64_t place = PlaceOfNext(input, *tensor); place >= 0) {
      if (tensor->size() == tensors_.at(input).size()) alone = output.name;
      if (among_others.empty() && (!wanted.empty() || IsOfStatesAlone(*tensor))) among_others = output.name;
    }
    if (!read || !MayComeBackIn(input, output.name)) continue;
    of_shape.push_back(output.name);
    if (!wanted.empty() || StateName(input) == StateName(output.name)) named.push_back(output.name);
  }
  if (!alone.empty()) return alone;
  if (!read && !among_others.empty()) return among_others;
  if (named.size() == 1) return named[0];
  return of_shape.size() == 1 ? of_shape[0] : "";
}

// What a memory is to hold next: the numbers of the output, but for those that cells keep themselves and no element
// reads.
void StatePairs::Remember(const std::string& input, const Traced& next) {
  const int32_t source = sources_.at(input);
  const std::set<int64_t>& read = tracer_.ReadOf(source);
  if (read.empty()) return;
  const Traced& state = tensors_.at(input);
  std::vector<Ref> refs(static_cast<size_t>(tracer_.ValueOf(source).frame.size()));
  for (int64_t i = 0; i < state.size(); ++i) {
    Ref ref = next.At(i);
    const auto cell = run_.cell_states.find({source, state.refs[i].index});
    if (cell != run_.cell_states.end()) {
      if (ref.source != cell->second.cell || ref.index != cell->second.index)
        return tracer_.graph().Refuse(
            absl::StrCat("the state ", Quoted(input), " comes back otherwise than a cell leaves it"));
      if (read.count(state.refs[i].index) == 0) ref = {};
    }
    refs[state.refs[i].index] = ref;
  }
  tracer_.graph().SetOrigin(absl::StrCat("state ", Quoted(input)));
  SetNext(&tracer_.graph(), tracer_.ValueOf(source),
          tracer_.ValueOfRefs(absl::StrCat("state ", Quoted(input)), refs, 0));
}

void StatePairs::RefuseWithoutNext(const std::string& input, const std::string& wanted) {
  const std::string state = absl::StrCat("the state ", Quoted(input), " of ", ShapeText(tensors_.at(input).shape));
  if (!wanted.empty()) {
    const Traced* next = Find(wanted);
    return tracer_.graph().Refuse(absl::StrCat(
        state, " does not come back in ", Quoted(wanted),
        next == nullptr ? ", which the graph does not give" : absl::StrCat(", which is of ", ShapeText(next->shape)),
        "; --state=", input, ":OUT was to name the output that has its next numbers"));
  }
  std::vector<std::string> of_shape;
  for (const OnnxValue& output : model_.outputs) {
    if (MayComeBackIn(input, output.name)) of_shape.push_back(output.name);
  }
  const std::string where = of_shape.size() > 1 ? absl::StrCat("may come back in ", absl::StrJoin(of_shape, ", "))
                                                : "comes back in no output that can be told";
  tracer_.graph().Refuse(absl::StrCat(state, " ", where, "; say which with --state=", input,
                                      ":OUT, or give it a value with --initializer"));
}

void StatePairs::Pair() {
  // Reading what one state is next may read another one.
  for (size_t before = 0; before <= wanted_.size(); ++before) {
    for (const auto& [input, wanted] : wanted_) {
      if (tracer_.ReadOf(sources_.at(input)).empty() || remembered_.count(input) > 0) continue;
      const std::string found = FindNext(input, wanted);
      if (found.empty()) continue;
      remembered_[input] = found;
      outputs_.insert(found);
      Remember(input, *Find(found));
    }
  }
  for (const auto& [input, wanted] : wanted_) {
    if (!tracer_.graph().status().ok()) return;
    const auto remembered = remembered_.find(input);
    const std::string found = remembered == remembered_.end() ? FindNext(input, wanted) : remembered->second;
    if (found.empty()) return RefuseWithoutNext(input, wanted);
    outputs_.insert(found);
    tracer_.graph().Note(absl::StrCat("state ", Quoted(input), " comes back in ", Quoted(found),
                                      ": kept in the session, zero at its start"));
  }
}

}  // namespace rondo::convert
