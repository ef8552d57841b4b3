// make-model: writes a model file of the wanted shape with random weights, to measure with.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "model/model_file.h"
#include "model/model_spec.h"
#include "model/weights.h"

ABSL_FLAG(std::string, out, "", "File to write, NAME.safetensors. Required.");
ABSL_FLAG(std::string, cell, "lstm", "lstm, gru or rnn.");
ABSL_FLAG(int64_t, num_layers, 1, "Layers, 1 to 16.");
ABSL_FLAG(int64_t, hidden_size, 64, "Units a layer, 1 to 16384.");
ABSL_FLAG(int64_t, input_size, 16, "Floats a timestep that a client sends, 1 to 65536.");
ABSL_FLAG(int64_t, output_size, 1, "Floats a timestep in a reply, 1 to 65536.");
ABSL_FLAG(uint32_t, seed, 1, "Of the random weights.");

namespace rondo {
namespace {

constexpr int64_t kMaxFeatures = 65536;

absl::Status CheckFlags() {
  const std::string cell = absl::GetFlag(FLAGS_cell);
  if (absl::GetFlag(FLAGS_out).empty()) return absl::InvalidArgumentError("--out is empty; wanted a file name");
  if (cell != "lstm" && cell != "gru" && cell != "rnn") {
    return absl::InvalidArgumentError(absl::StrCat("--cell is '", cell, "'; wanted lstm, gru or rnn"));
  }
  for (const int64_t size : {absl::GetFlag(FLAGS_input_size), absl::GetFlag(FLAGS_output_size)}) {
    if (size < 1 || size > kMaxFeatures) {
      return absl::InvalidArgumentError(
          absl::StrCat("--input_size or --output_size is ", size, "; wanted 1 to ", kMaxFeatures));
    }
  }
  return absl::OkStatus();
}

ModelSpec SpecFromFlags() {
  ModelSpec spec;
  const std::string cell = absl::GetFlag(FLAGS_cell);
  spec.cell = cell == "lstm" ? Cell::kLstm : cell == "gru" ? Cell::kGru : Cell::kRnn;
  spec.num_layers = absl::GetFlag(FLAGS_num_layers);
  spec.hidden_size = absl::GetFlag(FLAGS_hidden_size);
  for (int64_t i = 0; i < absl::GetFlag(FLAGS_input_size); ++i) spec.inputs.push_back({absl::StrCat("in", i), 0, 1});
  for (int64_t i = 0; i < absl::GetFlag(FLAGS_output_size); ++i) {
    spec.outputs.push_back({absl::StrCat("out", i), 0, 1, ""});
  }
  return spec;
}

// Uniform in +-1/sqrt(hidden_size), as PyTorch initialises.
void FillRandom(ModelFile* model) {
  std::mt19937 random(absl::GetFlag(FLAGS_seed));
  const float bound = 1 / std::sqrt(static_cast<float>(model->spec.hidden_size));
  std::uniform_real_distribution<float> uniform(-bound, bound);
  for (const TensorSlot& slot : TensorSlots(model->spec, &model->weights)) {
    slot.values->resize(static_cast<size_t>(slot.shape.size()));
    for (float& value : *slot.values) value = uniform(random);
  }
}

int Run() {
  ModelFile model;
  absl::Status status = CheckFlags();
  if (status.ok()) {
    model.spec = SpecFromFlags();
    status = model.spec.Validate();
  }
  if (!status.ok()) {
    std::fprintf(stderr, "make-model: %s\n", std::string(status.message()).c_str());
    return 2;
  }
  FillRandom(&model);
  status = WriteModelFile(model, absl::GetFlag(FLAGS_out));
  if (status.ok()) return 0;
  std::fprintf(stderr, "make-model: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Writes a model with random weights: make-model --out=lstm.safetensors --hidden_size=64");
  absl::ParseCommandLine(argc, argv);
  return rondo::Run();
}
