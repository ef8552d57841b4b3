#include "model/convert/check.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/files.h"
#include "model/compute_thread.h"
#include "model/convert/archive/npz.h"
#include "model/convert/graph/array.h"

namespace rondo::convert {
namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 30;

struct Vectors {
  std::vector<float> inputs;    // [timesteps][input_size]
  std::vector<double> answers;  // [rows][output_size], of the last `rows` timesteps
  int64_t timesteps = 0, rows = 0;
};

absl::StatusOr<Vectors> ReadVectors(const ModelSpec& spec, const std::string& path) {
  absl::StatusOr<std::string> bytes = ReadSmallFile(path, kMaxFileBytes);
  if (!bytes.ok()) return bytes.status();
  const auto arrays = ParseNpz(*std::move(bytes));
  if (!arrays.ok()) return arrays.status();
  const auto x = arrays->find("X"), y = arrays->find("Y");
  if (x == arrays->end() || y == arrays->end()) return absl::InvalidArgumentError("the file has no arrays X and Y");
  const int64_t width = spec.input_size(), out = spec.output_size();
  Vectors vectors;
  vectors.timesteps = x->second.size() / width;
  vectors.rows = y->second.size() / out;
  const bool fits = vectors.timesteps > 0 && vectors.timesteps * width == x->second.size() && vectors.rows > 0 &&
                    vectors.rows * out == y->second.size() && vectors.rows <= vectors.timesteps;
  if (!fits) {
    return absl::InvalidArgumentError(
        absl::StrCat("X is ", ShapeText(x->second.shape), " and Y ", ShapeText(y->second.shape), "; [timesteps, ",
                     width, "] and [timesteps, ", out, "] or, of the last timestep alone, [1, ", out, "] were wanted"));
  }
  vectors.inputs.assign(x->second.values.begin(), x->second.values.end());
  vectors.answers = y->second.values;
  return vectors;
}

absl::Status NotFinite(int64_t timestep) {
  return absl::InvalidArgumentError(absl::StrCat("the model's answer at timestep ", timestep, " is not finite"));
}

// [timesteps][output_size].
absl::StatusOr<std::vector<float>> RunSteps(const Network& network, const Vectors& vectors) {
  const ModelSpec& spec = network.spec();
  std::vector<float> outputs(vectors.timesteps * spec.output_size());
  std::vector<float> state = network.initial_state();
  state.resize(spec.state_size());
  for (int64_t t = 0; t < vectors.timesteps; ++t) {
    StepRow row;
    row.input = vectors.inputs.data() + t * spec.input_size();
    row.state_in = state.data();
    row.state_out = state.data();
    row.output = outputs.data() + t * spec.output_size();
    network.Step(absl::MakeSpan(&row, 1));
    if (!row.finite) return NotFinite(t);
  }
  return outputs;
}

absl::StatusOr<std::vector<float>> RunSequence(const Network& network, const Vectors& vectors) {
  const ModelSpec& spec = network.spec();
  std::vector<float> outputs(vectors.timesteps * spec.output_size());
  WholeSequence sequence;
  sequence.inputs = vectors.inputs.data();
  sequence.timesteps = static_cast<size_t>(vectors.timesteps);
  sequence.outputs = outputs.data();
  if (sequence.timesteps > network.max_timesteps()) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has ", vectors.timesteps, " timesteps; the model takes ", network.max_timesteps()));
  }
  network.RunWhole(absl::MakeSpan(&sequence, 1));
  if (!sequence.finite) return NotFinite(vectors.timesteps - 1);
  return outputs;
}

}  // namespace

absl::StatusOr<std::string> CheckModel(const Model& model, const std::string& path) {
  const ModelSpec& spec = model.spec();
  const absl::StatusOr<Vectors> vectors = ReadVectors(spec, path);
  if (!vectors.ok()) return vectors.status();
  PrepareComputeThread();
  const absl::StatusOr<std::vector<float>> outputs =
      spec.whole_sequence() ? RunSequence(*model.network, *vectors) : RunSteps(*model.network, *vectors);
  if (!outputs.ok()) return outputs.status();
  const int64_t width = spec.output_size(), skipped = (vectors->timesteps - vectors->rows) * width;
  double worst = 0;
  int64_t at = 0;
  for (int64_t i = 0; i < vectors->rows * width; ++i) {
    const double difference = std::abs(static_cast<double>((*outputs)[skipped + i]) - vectors->answers[i]);
    if (difference <= worst) continue;
    worst = difference;
    at = i;
  }
  const std::string found =
      absl::StrFormat("the largest difference of %d timesteps is %.2g, at timestep %d in output %d", vectors->rows,
                      worst, (skipped + at) / width, at % width);
  if (worst <= kCheckTolerance) return found;
  return absl::InvalidArgumentError(absl::StrFormat("%s; at most %g was wanted", found, kCheckTolerance));
}

}  // namespace rondo::convert
