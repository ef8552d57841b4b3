// Any text as a description: what parses and is valid, is written and parses to the same text again, and a small
// graph runs.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "model/compute_thread.h"
#include "model/network.h"
#include "model/spec_json.h"

namespace {

// A graph that is valid runs, whatever its weights are: here ones, if they are few.
void RunOnZeros(const rondo::ModelSpec& spec) {
  if (spec.graph == nullptr || spec.whole_sequence()) return;
  constexpr int64_t kMostFloats = 4096;
  rondo::Weights weights;
  int64_t floats = spec.graph->row_floats() + spec.graph->element_state_size();
  for (const rondo::TensorSlot& slot : rondo::TensorSlots(spec, &weights)) {
    // By division: the product of what a description announces may be large.
    int64_t left = kMostFloats;
    for (const int64_t size : slot.shape.dimensions) left /= size;
    if (left == 0) return;
    floats += slot.shape.size();
    if (floats > kMostFloats) return;
    slot.values->assign(static_cast<size_t>(slot.shape.size()), 1.0f);
  }
  rondo::PrepareComputeThread();
  rondo::Network::Options options;
  options.max_batch_size = 2;
  const auto network = rondo::Network::Create(spec, weights, options);
  if (!network.ok()) std::abort();
  const std::vector<float> input(static_cast<size_t>(spec.input_size()));
  std::vector<float> state(static_cast<size_t>(spec.state_size())), output(static_cast<size_t>(spec.output_size()));
  rondo::StepRow row;
  row.input = input.data();
  row.state_in = row.state_out = state.data();
  row.output = output.data();
  for (int step = 0; step < 3; ++step) (*network)->Step({&row, 1});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  absl::StatusOr<rondo::ModelSpec> spec =
      rondo::ParseSpecJson(absl::string_view(reinterpret_cast<const char*>(bytes), size));
  if (!spec.ok()) return 0;
  if (spec->graph == nullptr) {
    spec->num_layers = 1;
    spec->hidden_size = 4;
    spec->embedding_size = spec->tokens > 0 ? 4 : 0;
  }
  if (!spec->Validate().ok()) return 0;
  const std::string text = rondo::SpecJson(*spec);
  const absl::StatusOr<rondo::ModelSpec> again = rondo::ParseSpecJson(text);
  if (!again.ok() || rondo::SpecJson(*again) != text) std::abort();
  RunOnZeros(*spec);
  return 0;
}
