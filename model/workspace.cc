#include "model/workspace.h"

#include <utility>

namespace rondo {

std::unique_ptr<Workspace> Workspace::Make(const Graph& graph,
                                           const std::vector<std::unique_ptr<ElementKernel>>& kernels,
                                           const Sizes& sizes) {
  auto workspace = std::make_unique<Workspace>();
  workspace->features = AlignedBuffer(sizes.batch_size * static_cast<size_t>(graph.input().width));
  workspace->outputs = AlignedBuffer(sizes.output_floats);
  workspace->places.reserve(sizes.batch_size);
  workspace->inputs.reserve(sizes.batch_size);
  workspace->answers.reserve(sizes.batch_size);
  for (const GraphNode& node : graph.nodes()) {
    workspace->values.emplace_back(sizes.batch_size * static_cast<size_t>(node.element->output().size()));
  }
  for (size_t i = 0; i < kernels.size(); ++i) {
    const GraphNode& node = graph.nodes()[i];
    ElementBuffers buffers;
    for (const size_t input : node.inputs) {
      buffers.inputs.push_back(input == GraphNode::kInput ? workspace->features.get() : workspace->values[input].get());
    }
    if (node.next != GraphNode::kInput) buffers.inputs.push_back(workspace->values[node.next].get());
    buffers.output = workspace->values[i].get();
    buffers.max_batch_size = sizes.batch_size;
    buffers.state_offset = node.state_offset;
    workspace->elements.push_back(kernels[i]->Bind(buffers));
    if (workspace->elements.back() == nullptr) return nullptr;
  }
  if (sizes.timesteps > 1) workspace->timesteps = std::make_unique<TimestepRunner>(graph, kernels, sizes.timesteps);
  return workspace;
}

std::unique_ptr<Workspace> WorkspacePool::Take() {
  MutexLock lock(&mutex_);
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
  MutexLock lock(&mutex_);
  --in_use_;
  idle_.push_back(std::move(workspace));
}

}  // namespace rondo
