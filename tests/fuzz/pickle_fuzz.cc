// Any bytes as a pickle of PyTorch: it is refused, or all that it holds can be looked at.

#include <cstdint>
#include <set>

#include "model/convert/torch/pickle.h"

namespace {

// Values may stand inside themselves.
void Visit(const rondo::convert::PickleValue& value, std::set<const rondo::convert::PickleValue*>* seen, int depth) {
  if (depth > 100 || !seen->insert(&value).second) return;
  value.Find("state_dict");
  for (const rondo::convert::PickleValue* item : value.items) Visit(*item, seen, depth + 1);
  if (value.attributes != nullptr) Visit(*value.attributes, seen, depth + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto pickle = rondo::convert::Pickle::Parse(absl::string_view(reinterpret_cast<const char*>(bytes), size));
  std::set<const rondo::convert::PickleValue*> seen;
  if (pickle.ok()) Visit(pickle->root(), &seen, 0);
  return 0;
}
