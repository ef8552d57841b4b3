#include "model/workspace.h"

#include <algorithm>
#include <utility>

namespace rondo {

std::unique_ptr<Workspace> Workspace::Make(const std::vector<std::unique_ptr<CellKernel>>& kernels,
                                           const Sizes& sizes) {
  auto workspace = std::make_unique<Workspace>();
  workspace->features = AlignedBuffer(sizes.batch_size * sizes.feature_size);
  workspace->outputs = AlignedBuffer(sizes.output_floats);
  workspace->places.reserve(sizes.batch_size);
  workspace->inputs.reserve(sizes.batch_size);
  workspace->hidden.reserve(sizes.batch_size);
  size_t scratchpad_size = 0;
  for (const auto& kernel : kernels) scratchpad_size = std::max(scratchpad_size, kernel->scratchpad_size());
  workspace->scratchpad = AlignedBuffer(scratchpad_size);

  const auto state_buffer = [&] { return AlignedBuffer(sizes.batch_size * sizes.hidden_size); };
  const float* input = workspace->features.get();
  for (const auto& kernel : kernels) {
    LayerStates states{state_buffer(), {}, state_buffer(), {}};
    if (sizes.has_c) {
      states.c_in = state_buffer();
      states.c_out = state_buffer();
    }
    workspace->layers.push_back(kernel->Bind({input, states.h_in.get(), states.c_in.get(), states.h_out.get(),
                                              states.c_out.get(), workspace->scratchpad.get()}));
    if (workspace->layers.back() == nullptr) return nullptr;
    input = states.h_out.get();
    workspace->states.push_back(std::move(states));
  }
  return workspace;
}

std::unique_ptr<Workspace> WorkspacePool::Take() {
  std::lock_guard<std::mutex> lock(mutex_);
  ++in_use_;
  if (idle_.empty()) {
    idle_.reserve(in_use_);  // so that Return has room
    return nullptr;
  }
  std::unique_ptr<Workspace> workspace = std::move(idle_.back());
  idle_.pop_back();
  return workspace;
}

void WorkspacePool::Return(std::unique_ptr<Workspace> workspace) {
  std::lock_guard<std::mutex> lock(mutex_);
  --in_use_;
  idle_.push_back(std::move(workspace));
}

}  // namespace rondo
