// Random graphs against the plain interpreter. RONDO_RANDOM_GRAPHS=10000 in the environment tries so many.

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "absl/strings/numbers.h"
#include "model/compute_thread.h"
#include "tests/unit/network/random_graph.h"

namespace rondo {
namespace {

constexpr size_t kRows = 5;
constexpr int kTimesteps = 6;

int NumGraphs() {
  const char* const wanted = std::getenv("RONDO_RANDOM_GRAPHS");
  int graphs = 0;
  return wanted != nullptr && absl::SimpleAtoi(wanted, &graphs) ? graphs : 1000;
}

std::unique_ptr<Network> Make(const ModelFile& model, InstructionSet set = FastestInstructionSet()) {
  Network::Options options;
  options.kernel = KernelKind::kRondo;
  options.instruction_set = set;
  auto network = Network::Create(model.spec, model.weights, options);
  EXPECT_TRUE(network.ok()) << network.status();
  return network.ok() ? *std::move(network) : nullptr;
}

// True if row `i` is near what the interpreter says, in units of the largest number within the graph.
bool IsNear(const std::vector<float>& output, const Doubles& expected, double largest) {
  for (size_t k = 0; k < expected.size(); ++k) {
    if (!(std::abs(output[k] - expected[k]) <= 1e-4 * std::max(1.0, largest))) return false;
  }
  return output.size() == expected.size();
}

TEST(RandomGraphsTest, AreTheInterpretersAndTheSameInAnyCompany) {
  PrepareComputeThread();
  const std::vector<InstructionSet> sets = InstructionSets();
  for (int seed = 0; seed < NumGraphs(); ++seed) {
    const std::string text = RandomGraph(static_cast<uint32_t>(seed)).Text();
    SCOPED_TRACE(absl::StrCat(seed, ": ", text));
    const ModelFile model = GraphModel(text, static_cast<uint32_t>(seed));
    const std::unique_ptr<Network> network = Make(model);
    const std::unique_ptr<Network> other = Make(model, sets[static_cast<size_t>(seed) % sets.size()]);
    ASSERT_NE(network, nullptr);
    GraphSeries batched(*network, kRows), alone(*other, kRows);
    std::vector<Interpreter> interpreters(kRows, Interpreter(model));
    const auto input_size = static_cast<std::ptrdiff_t>(model.spec.input_size());
    for (int t = 0; t < kTimesteps; ++t) {
      std::vector<float> inputs = RandomGraphInputs(model.spec, kRows, static_cast<uint32_t>(seed * 100 + t));
      batched.Step(*network, inputs, kRows);
      alone.Step(*other, inputs, 1);
      for (size_t i = 0; i < kRows; ++i) {
        ASSERT_TRUE(SameBits(batched.outputs[i], alone.outputs[i])) << t;
        ASSERT_TRUE(SameBits(batched.states[i], alone.states[i])) << t;
        const auto first = inputs.begin() + static_cast<std::ptrdiff_t>(i) * input_size;
        const Doubles expected = interpreters[i].Step({first, first + input_size});
        ASSERT_TRUE(IsNear(batched.outputs[i], expected, interpreters[i].largest())) << t;
      }
    }
    // What fails leaves the state.
    std::vector<float> inputs(kRows * static_cast<size_t>(input_size), std::numeric_limits<float>::quiet_NaN());
    const std::vector<float> before = batched.states[0];
    StepRow row = batched.Row(0, inputs);
    network->Step({&row, 1});
    ASSERT_TRUE(row.finite || SameBits(batched.states[0], before));
  }
}

}  // namespace
}  // namespace rondo
