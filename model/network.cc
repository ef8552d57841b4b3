#include "model/network.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/finite.h"
#include "model/feature_encoder.h"
#include "model/kernels/cell_kernel.h"
#include "model/output_head.h"
#include "model/workspace.h"

namespace rondo {
namespace {

constexpr size_t kMaxBatchSize = 1024;
// Floats of one block of outputs: bounds a workspace whatever the vocabulary is.
constexpr size_t kMaxOutputBlock = size_t{1} << 20;

double FlopsPerRow(const ModelSpec& spec) {
  double products = static_cast<double>(spec.output_size()) * spec.hidden_size;
  for (int64_t layer = 0; layer < spec.num_layers; ++layer) {
    const double inputs = layer == 0 ? spec.feature_size() : spec.hidden_size;
    products += GateCount(spec.cell) * static_cast<double>(spec.hidden_size) * (inputs + spec.hidden_size);
  }
  return 2 * products;
}

std::vector<LayerShape> LayerShapes(const ModelSpec& spec) {
  LayerShape shape{spec.cell, spec.gru_reset, spec.gru_update, spec.activation, spec.feature_size(), spec.hidden_size};
  std::vector<LayerShape> shapes{shape};
  shape.input_size = spec.hidden_size;
  shapes.resize(spec.num_layers, shape);
  return shapes;
}

}  // namespace

class Network::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<const Impl>> Create(ModelSpec spec, Weights weights, const Options& options);

  void Step(absl::Span<StepRow> rows) const;

  const ModelSpec& spec() const { return spec_; }
  const std::string& kernel_name() const { return kernel_name_; }
  bool deterministic() const { return deterministic_; }
  double flops_per_row() const { return flops_per_row_; }
  size_t max_batch_size() const { return max_batch_size_; }

 private:
  Impl(ModelSpec spec, Weights weights, LayerKernels kernels, const Options& options);

  std::unique_ptr<Workspace> TakeWorkspace() const;

  void StepBatch(absl::Span<StepRow> rows, Workspace& workspace) const;
  void Gather(absl::Span<const StepRow> rows, size_t batch_size, Workspace& workspace) const;
  void CheckStates(absl::Span<StepRow> rows, const Workspace& workspace) const;
  void RunHead(absl::Span<StepRow> rows, Workspace& workspace) const;
  void ScatterStates(absl::Span<const StepRow> rows, const Workspace& workspace) const;

  const ModelSpec spec_;
  const size_t hidden_size_;
  const bool has_c_;
  const size_t max_batch_size_;
  const double flops_per_row_;
  const std::vector<size_t> batch_sizes_;  // ascending
  std::vector<size_t> padded_batch_size_;  // by number of rows, up to the largest batch size
  const FeatureEncoder encoder_;
  const OutputHead head_;
  const size_t head_block_;                                 // rows
  const std::vector<std::unique_ptr<CellKernel>> kernels_;  // one a layer
  const std::string kernel_name_;
  const bool deterministic_;

  mutable WorkspacePool workspaces_;
};

Network::Impl::Impl(ModelSpec spec, Weights weights, LayerKernels kernels, const Options& options)
    : spec_(std::move(spec)),
      hidden_size_(spec_.hidden_size),
      has_c_(spec_.cell == Cell::kLstm),
      max_batch_size_(options.max_batch_size),
      flops_per_row_(FlopsPerRow(spec_)),
      batch_sizes_(std::move(kernels.batch_sizes)),
      encoder_(spec_, std::move(weights.embedding)),
      head_(spec_, weights, options.instruction_set),
      head_block_(
          std::clamp(kMaxOutputBlock / head_.output_size(), size_t{4}, std::max<size_t>(4, batch_sizes_.back()))),
      kernels_(std::move(kernels.layers)),
      kernel_name_(std::move(kernels.name)),
      deterministic_(kernels.deterministic) {
  for (size_t rows = 0; rows <= batch_sizes_.back(); ++rows) {
    padded_batch_size_.push_back(*std::lower_bound(batch_sizes_.begin(), batch_sizes_.end(), rows));
  }
}

absl::StatusOr<std::unique_ptr<const Network::Impl>> Network::Impl::Create(ModelSpec spec, Weights weights,
                                                                           const Options& options) {
  if (options.max_batch_size < 1 || options.max_batch_size > kMaxBatchSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_batch_size is ", options.max_batch_size, "; it must be 1 to ", kMaxBatchSize));
  }
  if (absl::Status status = spec.Validate(); !status.ok()) return status;
  if (absl::Status status = CheckWeights(spec, weights); !status.ok()) return status;
  absl::StatusOr<LayerKernels> kernels = MakeLayerKernels(LayerShapes(spec), weights.layers, options);
  if (!kernels.ok()) return kernels.status();
  std::unique_ptr<Impl> impl(new Impl(std::move(spec), std::move(weights), *std::move(kernels), options));
  std::unique_ptr<Workspace> first = impl->TakeWorkspace();
  if (first == nullptr) return absl::InternalError("out of memory for a workspace");
  impl->workspaces_.Return(std::move(first));
  return impl;
}

// Null: out of memory.
std::unique_ptr<Workspace> Network::Impl::TakeWorkspace() const {
  std::unique_ptr<Workspace> workspace = workspaces_.Take();
  if (workspace != nullptr) return workspace;
  return Workspace::Make(kernels_, {batch_sizes_.back(), encoder_.feature_size(), hidden_size_, has_c_,
                                    head_block_ * head_.output_size()});
}

void Network::Impl::Step(absl::Span<StepRow> rows) const {
  for (StepRow& row : rows) row.finite = false;
  std::unique_ptr<Workspace> workspace = TakeWorkspace();
  if (workspace == nullptr) return;
  for (size_t done = 0; done < rows.size(); done += batch_sizes_.back()) {
    StepBatch(rows.subspan(done, batch_sizes_.back()), *workspace);
  }
  workspaces_.Return(std::move(workspace));
}

void Network::Impl::StepBatch(absl::Span<StepRow> rows, Workspace& workspace) const {
  const size_t batch_size = padded_batch_size_[rows.size()];
  Gather(rows, batch_size, workspace);
  for (const auto& layer : workspace.layers) {
    if (!layer->Run(batch_size)) return;
  }
  CheckStates(rows, workspace);
  RunHead(rows, workspace);
  ScatterStates(rows, workspace);
}

// Rows past the real ones are zeroed: they carry nobody's state.
void Network::Impl::Gather(absl::Span<const StepRow> rows, size_t batch_size, Workspace& workspace) const {
  const size_t row_bytes = hidden_size_ * sizeof(float);
  const size_t layer_size = has_c_ ? 2 * hidden_size_ : hidden_size_;
  const size_t padding = batch_size - rows.size();
  float* features = workspace.features.get();
  for (const StepRow& row : rows) {
    encoder_.Encode(row.input, row.time, features);
    features += encoder_.feature_size();
  }
  std::memset(features, 0, padding * encoder_.feature_size() * sizeof(float));
  for (size_t layer = 0; layer < workspace.states.size(); ++layer) {
    float* h = workspace.states[layer].h_in.get();
    float* c = workspace.states[layer].c_in.get();
    for (size_t i = 0; i < rows.size(); ++i) {
      const float* from = rows[i].state_in + layer * layer_size;
      std::memcpy(h + i * hidden_size_, from, row_bytes);
      if (has_c_) std::memcpy(c + i * hidden_size_, from + hidden_size_, row_bytes);
    }
    std::memset(h + rows.size() * hidden_size_, 0, padding * row_bytes);
    if (has_c_) std::memset(c + rows.size() * hidden_size_, 0, padding * row_bytes);
  }
}

void Network::Impl::CheckStates(absl::Span<StepRow> rows, const Workspace& workspace) const {
  for (size_t i = 0; i < rows.size(); ++i) {
    bool finite = true;
    for (const Workspace::LayerStates& states : workspace.states) {
      finite = finite && AllFinite({states.h_out.get() + i * hidden_size_, hidden_size_}) &&
               (!has_c_ || AllFinite({states.c_out.get() + i * hidden_size_, hidden_size_}));
    }
    rows[i].finite = finite;
  }
}

void Network::Impl::RunHead(absl::Span<StepRow> rows, Workspace& workspace) const {
  const float* hidden = workspace.states.back().h_out.get();
  workspace.places.clear();
  workspace.inputs.clear();
  workspace.hidden.clear();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].finite || rows[i].output == nullptr) continue;
    workspace.places.push_back(i);
    workspace.inputs.push_back(rows[i].input);
    workspace.hidden.push_back(hidden + i * hidden_size_);
  }
  for (size_t done = 0; done < workspace.places.size(); done += head_block_) {
    const size_t block = std::min(head_block_, workspace.places.size() - done);
    head_.Apply(&workspace.inputs[done], &workspace.hidden[done], block, workspace.outputs.get());
    for (size_t i = 0; i < block; ++i) {
      StepRow& row = rows[workspace.places[done + i]];
      const float* output = workspace.outputs.get() + i * head_.output_size();
      row.finite = AllFinite({output, head_.output_size()});
      if (row.finite) std::memcpy(row.output, output, head_.output_size() * sizeof(float));
    }
  }
}

void Network::Impl::ScatterStates(absl::Span<const StepRow> rows, const Workspace& workspace) const {
  const size_t row_bytes = hidden_size_ * sizeof(float);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].finite) continue;
    float* to = rows[i].state_out;
    for (const Workspace::LayerStates& states : workspace.states) {
      std::memcpy(to, states.h_out.get() + i * hidden_size_, row_bytes);
      to += hidden_size_;
      if (!has_c_) continue;
      std::memcpy(to, states.c_out.get() + i * hidden_size_, row_bytes);
      to += hidden_size_;
    }
  }
}

Network::Network(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Network::~Network() = default;

absl::StatusOr<std::unique_ptr<Network>> Network::Create(ModelSpec spec, Weights weights, const Options& options) {
  try {
    auto impl = Impl::Create(std::move(spec), std::move(weights), options);
    if (!impl.ok()) return impl.status();
    return std::unique_ptr<Network>(new Network(*std::move(impl)));
  } catch (const std::bad_alloc&) {
    return absl::InternalError("out of memory for a network");
  }
}

void Network::Step(absl::Span<StepRow> rows) const { impl_->Step(rows); }
const ModelSpec& Network::spec() const { return impl_->spec(); }
const std::string& Network::kernel_name() const { return impl_->kernel_name(); }
bool Network::deterministic() const { return impl_->deterministic(); }
double Network::flops_per_row() const { return impl_->flops_per_row(); }
size_t Network::max_batch_size() const { return impl_->max_batch_size(); }

}  // namespace rondo
