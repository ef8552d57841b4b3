// Sizes of tensors, and tensors of a size.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

void RunExpand(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto wanted = call.WholesOf("shape", 1);
  bool fits = false;
  const Sizes shape = BroadcastShape(in.shape, wanted.value_or(Sizes{}), &fits);
  if (!fits) return call.Refuse(absl::StrCat("expands ", ShapeText(in.shape), " to what it does not fit"));
  if (call.ok()) call.Give(Broadcast(in, shape));
}

void RunShape(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto bounded = [&](int64_t at) {
    return std::min(std::max<int64_t>(at < 0 ? at + in.rank() : at, 0), in.rank());
  };
  const int64_t from = bounded(call.Whole("start", 0)), to = bounded(call.Whole("end", in.rank()));
  Traced out;
  for (int64_t i = from; i < to; ++i) out.constants.push_back(static_cast<double>(in.shape[i]));
  out.shape = {static_cast<int64_t>(out.constants.size())};
  out.whole = true;
  call.Give(std::move(out));
}

void RunSize(OperatorCall& call) {
  Traced out{{}, {static_cast<double>(call.Needed(0).size())}, {}, true};
  call.Give(std::move(out));
}

}  // namespace

const Operators& ShapeOperators() {
  static const auto& operators = *new Operators{
      {"Expand", RunExpand},
      {"Shape", RunShape},
      {"Size", RunSize},
  };
  return operators;
}

}  // namespace rondo::convert
