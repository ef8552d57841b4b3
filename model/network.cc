#include "model/network.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/finite.h"
#include "model/feature_encoder.h"
#include "model/network_kernels.h"
#include "model/output_head.h"
#include "model/whole_sequence.h"
#include "model/workspace.h"

namespace rondo {
namespace {

constexpr size_t kMaxBatchSize = 1024;
// Floats of one block of outputs: bounds a workspace whatever the vocabulary is.
constexpr size_t kMaxOutputBlock = size_t{1} << 20;

void FailAll(absl::Span<StepRow> rows) {
  for (StepRow& row : rows) row.finite = false;
}

double FlopsPerRow(const ModelSpec& spec, const Graph& graph) {
  const double head = spec.graph != nullptr ? 0 : static_cast<double>(spec.output_size() * spec.hidden_size);
  return 2 * (head + graph.products());
}

}  // namespace

class Network::Impl {
 public:
  static absl::StatusOr<std::unique_ptr<const Impl>> Create(ModelSpec spec, Weights weights, const Options& options);

  void Step(absl::Span<StepRow> rows) const;
  void StepTimesteps(Timesteps* timesteps) const;
  size_t timesteps_at_once() const { return timesteps_at_once_; }
  void RunWhole(absl::Span<WholeSequence> sequences) const;

  const ModelSpec& spec() const { return spec_; }
  const std::vector<float>& initial_state() const { return initial_state_; }
  const std::string& kernel_name() const { return kernel_name_; }
  const std::vector<std::string>& element_kernel_names() const { return element_kernel_names_; }
  const std::string& head_kernel_name() const { return head_kernel_name_; }
  WeightFormat weights() const { return weights_; }
  bool deterministic() const { return deterministic_; }
  double flops_per_row() const { return flops_per_row_; }
  size_t max_batch_size() const { return max_batch_size_; }
  size_t max_timesteps() const {
    return spec_.whole_sequence() ? MaxWholeTimesteps(*graph_) : std::numeric_limits<size_t>::max();
  }

 private:
  Impl(ModelSpec spec, Weights weights, NetworkKernels kernels, const Options& options);

  std::unique_ptr<Workspace> TakeWorkspace() const;

  void StepBatch(absl::Span<StepRow> rows, Workspace& workspace) const;
  void Gather(absl::Span<StepRow> rows, size_t batch_size, Workspace& workspace) const;
  void RunHead(absl::Span<StepRow> rows, Workspace& workspace) const;

  const ModelSpec spec_;
  const std::shared_ptr<const Graph> graph_;
  const size_t max_batch_size_;
  const double flops_per_row_;
  const std::vector<size_t> batch_sizes_;  // ascending
  std::vector<size_t> padded_batch_size_;  // by number of rows, up to the largest batch size
  const FeatureEncoder encoder_;
  const OutputHead head_;
  const size_t head_block_;                                    // rows
  const std::vector<std::unique_ptr<ElementKernel>> kernels_;  // one a node of the graph
  const size_t timesteps_at_once_;
  const std::vector<float> initial_state_;
  const std::string kernel_name_;
  const std::vector<std::string> element_kernel_names_;
  const std::string head_kernel_name_;
  const WeightFormat weights_;
  const bool deterministic_;

  mutable WorkspacePool workspaces_;
};

Network::Impl::Impl(ModelSpec spec, Weights weights, NetworkKernels kernels, const Options& options)
    : spec_(std::move(spec)),
      graph_(std::move(kernels.graph)),
      max_batch_size_(options.max_batch_size),
      flops_per_row_(FlopsPerRow(spec_, *graph_)),
      batch_sizes_(std::move(kernels.batch_sizes)),
      encoder_(spec_, std::move(weights.embedding)),
      head_(spec_, weights, options.instruction_set),
      head_block_(
          std::clamp(kMaxOutputBlock / head_.output_size(), size_t{4}, std::max<size_t>(4, batch_sizes_.back()))),
      kernels_(std::move(kernels.elements)),
      timesteps_at_once_(spec_.graph != nullptr ? 1
                                                : TimestepRunner::TimestepsAtOnce(*graph_, kernels_, flops_per_row_)),
      initial_state_(std::move(kernels.initial_state)),
      kernel_name_(std::move(kernels.name)),
      element_kernel_names_(std::move(kernels.element_names)),
      head_kernel_name_(std::move(kernels.head_name)),
      weights_(kernels.weights),
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
  Options resolved = options;
  resolved.weights = options.weights.value_or(spec.weights);
  absl::StatusOr<NetworkKernels> kernels = MakeNetworkKernels(spec, weights, resolved);
  if (!kernels.ok()) return kernels.status();
  std::unique_ptr<Impl> impl(new Impl(std::move(spec), std::move(weights), *std::move(kernels), resolved));
  std::unique_ptr<Workspace> first = impl->TakeWorkspace();
  if (first == nullptr) return absl::InternalError("out of memory for a workspace");
  impl->workspaces_.Return(std::move(first));
  return impl;
}

// Null: out of memory.
std::unique_ptr<Workspace> Network::Impl::TakeWorkspace() const {
  std::unique_ptr<Workspace> workspace = workspaces_.Take();
  if (workspace != nullptr) return workspace;
  return Workspace::Make(*graph_, kernels_,
                         {batch_sizes_.back(), head_block_ * head_.output_size(), timesteps_at_once_});
}

void Network::Impl::Step(absl::Span<StepRow> rows) const {
  FailAll(rows);
  std::unique_ptr<Workspace> workspace = TakeWorkspace();
  if (workspace == nullptr) return;
  for (size_t done = 0; done < rows.size(); done += batch_sizes_.back()) {
    StepBatch(rows.subspan(done, batch_sizes_.back()), *workspace);
  }
  workspaces_.Return(std::move(workspace));
}

void Network::Impl::StepTimesteps(Timesteps* timesteps) const {
  timesteps->finite = false;
  std::unique_ptr<Workspace> workspace = TakeWorkspace();
  if (workspace == nullptr) return;
  workspace->timesteps->Run(encoder_, head_, timesteps);
  workspaces_.Return(std::move(workspace));
}

void Network::Impl::RunWhole(absl::Span<WholeSequence> sequences) const {
  for (WholeSequence& sequence : sequences) sequence.finite = false;
  std::unique_ptr<Workspace> workspace = TakeWorkspace();
  if (workspace == nullptr) return;
  const WholeSequenceRunner runner(*graph_, encoder_, head_, initial_state_, padded_batch_size_);
  for (size_t first = 0; first < sequences.size();) {
    const size_t count = SequencesAtOnce(*graph_, sequences.subspan(first));
    runner.Run(sequences.subspan(first, count), *workspace);
    first += count;
  }
  workspaces_.Return(std::move(workspace));
}

void Network::Impl::StepBatch(absl::Span<StepRow> rows, Workspace& workspace) const {
  const size_t batch_size = padded_batch_size_[rows.size()];
  Gather(rows, batch_size, workspace);
  for (const auto& element : workspace.elements) {
    if (!element->Run(rows, batch_size)) return FailAll(rows);
  }
  for (const auto& element : workspace.elements) element->CheckStates(rows);
  RunHead(rows, workspace);
  for (const auto& element : workspace.elements) element->Commit(rows);
}

// Rows past the real ones are zeroed: they carry nobody's input.
void Network::Impl::Gather(absl::Span<StepRow> rows, size_t batch_size, Workspace& workspace) const {
  float* features = workspace.features.get();
  for (StepRow& row : rows) {
    row.finite = true;
    encoder_.Encode(row.input, row.time, features);
    features += encoder_.feature_size();
  }
  std::memset(features, 0, (batch_size - rows.size()) * encoder_.feature_size() * sizeof(float));
}

void Network::Impl::RunHead(absl::Span<StepRow> rows, Workspace& workspace) const {
  const float* const answers = workspace.values[graph_->output()].get();
  const auto width = static_cast<size_t>(graph_->output_size());
  workspace.places.clear();
  workspace.inputs.clear();
  workspace.answers.clear();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].finite || rows[i].output == nullptr) continue;
    workspace.places.push_back(i);
    workspace.inputs.push_back(rows[i].input);
    workspace.answers.push_back(answers + i * width);
  }
  for (size_t done = 0; done < workspace.places.size(); done += head_block_) {
    const size_t block = std::min(head_block_, workspace.places.size() - done);
    head_.Apply(&workspace.inputs[done], &workspace.answers[done], block, workspace.outputs.get());
    for (size_t i = 0; i < block; ++i) {
      StepRow& row = rows[workspace.places[done + i]];
      const float* output = workspace.outputs.get() + i * head_.output_size();
      row.finite = AllFinite({output, head_.output_size()});
      if (row.finite) std::memcpy(row.output, output, head_.output_size() * sizeof(float));
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
void Network::StepTimesteps(Timesteps* timesteps) const { impl_->StepTimesteps(timesteps); }
size_t Network::timesteps_at_once() const { return impl_->timesteps_at_once(); }
void Network::RunWhole(absl::Span<WholeSequence> sequences) const { impl_->RunWhole(sequences); }
size_t Network::max_timesteps() const { return impl_->max_timesteps(); }
const ModelSpec& Network::spec() const { return impl_->spec(); }
const std::vector<float>& Network::initial_state() const { return impl_->initial_state(); }
const std::string& Network::kernel_name() const { return impl_->kernel_name(); }
const std::vector<std::string>& Network::element_kernel_names() const { return impl_->element_kernel_names(); }
const std::string& Network::head_kernel_name() const { return impl_->head_kernel_name(); }
WeightFormat Network::weights() const { return impl_->weights(); }
bool Network::deterministic() const { return impl_->deterministic(); }
double Network::flops_per_row() const { return impl_->flops_per_row(); }
size_t Network::max_batch_size() const { return impl_->max_batch_size(); }

}  // namespace rondo
