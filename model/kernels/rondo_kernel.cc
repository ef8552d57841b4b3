#include "model/kernels/rondo_kernel.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/kernels/packed_layer.h"
#include "model/kernels/step_functions.h"

namespace rondo {
namespace {

class BoundRondo : public BoundLayer {
 public:
  BoundRondo(const PackedLayer& layer, const StepFunctions& functions, const LayerBuffers& buffers)
      : layer_(layer), step_(functions.step), buffers_(buffers) {}

  bool Run(size_t batch_size) override {
    step_(layer_, buffers_, batch_size);
    return true;
  }

 private:
  const PackedLayer& layer_;
  decltype(StepFunctions::step) const step_;
  const LayerBuffers buffers_;
};

class RondoKernel : public CellKernel {
 public:
  RondoKernel(PackedLayer layer, size_t max_batch_size, InstructionSet instruction_set)
      : layer_(std::move(layer)), max_batch_size_(max_batch_size), instruction_set_(instruction_set) {}

  std::unique_ptr<BoundLayer> Bind(const LayerBuffers& buffers) const override {
    return std::make_unique<BoundRondo>(layer_, StepFunctionsFor(instruction_set_), buffers);
  }
  size_t scratchpad_size() const override { return StepScratchpadSize(layer_, max_batch_size_); }
  void RunTimesteps(const TimestepBuffers& buffers, size_t timesteps) const override {
    StepFunctionsFor(instruction_set_).timesteps(layer_, buffers, timesteps);
  }
  size_t timesteps_scratchpad_size(size_t timesteps) const override {
    return TimestepsScratchpadSize(layer_, timesteps);
  }
  bool runs_timesteps() const override { return true; }
  std::string name() const override { return absl::StrCat("rondo/", InstructionSetName(instruction_set_)); }

 private:
  const PackedLayer layer_;
  const size_t max_batch_size_;
  const InstructionSet instruction_set_;
};

}  // namespace

std::unique_ptr<CellKernel> MakeRondoKernel(const LayerShape& shape, const LayerWeights& weights, size_t max_batch_size,
                                            InstructionSet instruction_set, WeightFormat format) {
  return std::make_unique<RondoKernel>(Pack(shape, weights, format), max_batch_size, instruction_set);
}

}  // namespace rondo
