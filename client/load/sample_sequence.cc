#include "client/load/sample_sequence.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace rondo::load {
namespace {

constexpr int64_t kFirstTime = 1577836800;  // 2020-01-01

}  // namespace

void FillSequence(const MessageShape& shape, std::mt19937_64* random, v1::Sequence* sequence) {
  const int64_t count = int64_t{shape.timesteps} * shape.model.input_size();
  const int32_t tokens = shape.model.tokens();
  for (int64_t i = 0; i < count; ++i) {
    sequence->add_values(tokens > 0 ? static_cast<float>(std::uniform_int_distribution<int32_t>(0, tokens - 1)(*random))
                                    : std::uniform_real_distribution<float>(-1, 1)(*random));
  }
  if (!shape.model.needs_times()) return;
  const auto step = std::max<int64_t>(1, static_cast<int64_t>(shape.model.step_seconds()));
  for (int t = 0; t < shape.timesteps; ++t) sequence->add_times(kFirstTime + t * step);
}

std::string SessionIdOf(uint64_t run, int lane, int index) {
  return absl::StrFormat("load-%016x-%d-%d", run, lane, index);
}

}  // namespace rondo::load
