// make-model: writes a model file of the wanted shape with random weights, to measure with.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/option_table.h"
#include "model/model_file.h"
#include "model/model_spec.h"
#include "model/weights.h"

namespace rondo {
namespace {

struct Options {
  std::string out;
  Cell cell = Cell::kLstm;
  int64_t num_layers = 1;
  int64_t hidden_size = 64;
  int64_t input_size = 16;
  int64_t output_size = 1;
  int64_t tokens = 0;
  uint64_t seed = 1;
};

OptionTable Table(Options* options) {
  constexpr int64_t kMaxFeatures = 65536;
  OptionTable table;
  table.program = "make-model";
  table.about = "make-model writes a model with random weights: make-model --out=lstm.safetensors --hidden_size=64";
  table.groups = {
      {"Flags",
       {Required({"out", Text(&options->out, "FILE"), "File to write, NAME.safetensors."}),
        {"cell", Choice(&options->cell, {{"lstm", Cell::kLstm}, {"gru", Cell::kGru}, {"rnn", Cell::kRnn}}),
         "The recurrent cell."},
        {"num_layers", Number(&options->num_layers, {1, 16}, "N"), "Layers."},
        {"hidden_size", Number(&options->hidden_size, {1, 16384}, "N"), "Units a layer."},
        {"input_size", Number(&options->input_size, {1, kMaxFeatures}, "N"), "Floats a timestep that a client sends."},
        {"output_size", Number(&options->output_size, {1, kMaxFeatures}, "N"), "Floats a timestep in a reply."},
        {"tokens", Number(&options->tokens, {0, kMaxFeatures}, "N"),
         "Takes and answers so many tokens instead; input_size is their embedding's. 0: takes floats."},
        {"seed", Number(&options->seed, {0, std::numeric_limits<uint32_t>::max()}, "N"), "Of the random weights."}}}};
  return table;
}

ModelSpec SpecOf(const Options& options) {
  ModelSpec spec;
  spec.cell = options.cell;
  spec.num_layers = options.num_layers;
  spec.hidden_size = options.hidden_size;
  spec.tokens = options.tokens;
  if (options.tokens > 0) {
    spec.embedding_size = options.input_size;
    spec.outputs = NumberedFeatures<OutputFeature>("out", options.tokens);
    spec.head = Head::kSoftmax;
    return spec;
  }
  for (int64_t i = 0; i < options.input_size; ++i) spec.inputs.push_back({absl::StrCat("in", i), 0, 1});
  for (int64_t i = 0; i < options.output_size; ++i) spec.outputs.push_back({absl::StrCat("out", i), 0, 1, ""});
  return spec;
}

// Uniform in +-1/sqrt(hidden_size), as PyTorch initialises.
void FillRandom(uint64_t seed, ModelFile* model) {
  std::mt19937 random(static_cast<uint32_t>(seed));
  const float bound = 1 / std::sqrt(static_cast<float>(model->spec.hidden_size));
  std::uniform_real_distribution<float> uniform(-bound, bound);
  for (const TensorSlot& slot : TensorSlots(model->spec, &model->weights)) {
    slot.values->resize(static_cast<size_t>(slot.shape.size()));
    for (float& value : *slot.values) value = uniform(random);
  }
}

int Main(int argc, char** argv) {
  Options options;
  OptionTable table = Table(&options);
  if (const std::optional<int> exit_code = ReadCommandLine(table, argc, argv)) return *exit_code;
  ModelFile model;
  model.spec = SpecOf(options);
  absl::Status status = model.spec.Validate();
  if (status.ok()) {
    FillRandom(options.seed, &model);
    status = WriteModelFile(model, options.out);
  }
  if (status.ok()) return 0;
  std::fprintf(stderr, "make-model: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) { return rondo::Main(argc, argv); }
