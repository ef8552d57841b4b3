// graph-bench [FILE.safetensors...]: steps a second of each model at batch sizes 1 and 64, one thread. Without a file:
// networks of the shapes of two that are widely used, with random weights. One line of JSON a model and batch size.
//
// The baseline is the framework that a model came from, on one thread and in turn with this.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/compute_thread.h"
#include "model/model_file.h"
#include "model/network.h"
#include "model/spec_json.h"

namespace rondo {
namespace {

// Noise suppression: a spectrum of 257 magnitudes, two lstms, a mask.
constexpr char kSuppressor[] = R"({"format":2,"inputs":{"size":257},"elements":[
  {"name":"a","type":"lstm","of":"input","units":128},{"name":"b","type":"lstm","of":"a","units":128},
  {"name":"mask","type":"dense","of":"b","units":257,"activation":"sigmoid"}],"output":{"of":"mask"}})";

// Voice detection: 512 samples, a short-time Fourier transform and convolutions inside the frame, an lstm.
constexpr char kDetector[] = R"({"format":2,"inputs":{"size":512},"elements":[
  {"name":"before","type":"delay","of":"input"},
  {"name":"context","type":"slice","of":"before","from":448,"to":512},
  {"name":"samples","type":"concat","of":["context","input"]},
  {"name":"frame","type":"reshape","of":"samples","channels":1,"length":576},
  {"name":"padded","type":"pad","of":"frame","right":64,"mode":"reflect"},
  {"name":"stft","type":"conv1d","of":"padded","channels":258,"kernel":256,"stride":128,"bias":false},
  {"name":"re","type":"slice","of":"stft","to":129},{"name":"im","type":"slice","of":"stft","from":129,"to":258},
  {"name":"re2","type":"activation","of":"re","function":"square"},
  {"name":"im2","type":"activation","of":"im","function":"square"},
  {"name":"power","type":"add","of":["re2","im2"]},
  {"name":"magnitude","type":"activation","of":"power","function":"sqrt"},
  {"name":"c1","type":"conv1d","of":"magnitude","channels":128,"kernel":3,"padding":[1,1],"activation":"relu"},
  {"name":"c2","type":"conv1d","of":"c1","channels":64,"kernel":3,"stride":2,"padding":[1,1],"activation":"relu"},
  {"name":"c3","type":"conv1d","of":"c2","channels":64,"kernel":3,"stride":2,"padding":[1,1],"activation":"relu"},
  {"name":"c4","type":"conv1d","of":"c3","channels":128,"kernel":3,"padding":[1,1],"activation":"relu"},
  {"name":"rnn","type":"lstm","of":"c4","units":128},
  {"name":"relu","type":"activation","of":"rnn","function":"relu"},
  {"name":"voice","type":"dense","of":"relu","units":1,"activation":"sigmoid"}],"output":{"of":"voice"}})";

ModelFile RandomModel(const char* text) {
  ModelFile model;
  model.spec = *ParseSpecJson(text);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-0.05f, 0.05f);
  for (const TensorSlot& slot : TensorSlots(model.spec, &model.weights)) {
    slot.values->resize(static_cast<size_t>(slot.shape.size()));
    for (float& value : *slot.values) value = uniform(random);
  }
  return model;
}

// The fastest of several turns, each of them long enough for the clock.
double StepsPerSecond(const Network& network, size_t batch_size) {
  const ModelSpec& spec = network.spec();
  const std::vector<float> input(static_cast<size_t>(spec.input_size()), 0.25f);
  std::vector<std::vector<float>> states(batch_size, std::vector<float>(static_cast<size_t>(spec.state_size())));
  std::vector<float> outputs(batch_size * static_cast<size_t>(spec.output_size()));
  std::vector<StepRow> rows(batch_size);
  for (size_t i = 0; i < batch_size; ++i) {
    rows[i].input = input.data();
    rows[i].state_in = rows[i].state_out = states[i].data();
    rows[i].output = &outputs[i * static_cast<size_t>(spec.output_size())];
  }
  constexpr int kTurns = 15;
  constexpr double kSeconds = 0.1;
  double best = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto start = std::chrono::steady_clock::now();
    double seconds = 0;
    size_t steps = 0;
    while (seconds < kSeconds) {
      network.Step(absl::MakeSpan(rows));
      steps += batch_size;
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    best = std::max(best, static_cast<double>(steps) / seconds);
  }
  return best;
}

void Measure(const std::string& name, ModelFile model) {
  absl::StatusOr<std::unique_ptr<Network>> network =
      Network::Create(std::move(model.spec), std::move(model.weights), {});
  if (!network.ok()) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), std::string(network.status().message()).c_str());
    return;
  }
  for (const size_t batch_size : {1, 64}) {
    const double speed = StepsPerSecond(**network, batch_size);
    std::printf("{\"model\": \"%s\", \"batch_size\": %zu, \"steps_per_second\": %.0f, \"us_per_batch\": %.2f}\n",
                name.c_str(), batch_size, speed, 1e6 * static_cast<double>(batch_size) / speed);
  }
}

int Main(int argc, char** argv) {
  PrepareComputeThread();
  if (argc == 1) {
    Measure("suppressor", RandomModel(kSuppressor));
    Measure("detector", RandomModel(kDetector));
  }
  for (int i = 1; i < argc; ++i) {
    absl::StatusOr<ModelFile> model = ReadModelFile(argv[i]);
    if (!model.ok()) {
      std::fprintf(stderr, "%s: %s\n", argv[i], std::string(model.status().message()).c_str());
      return 1;
    }
    Measure(argv[i], *std::move(model));
  }
  return 0;
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) { return rondo::Main(argc, argv); }
