#include "model/train/packed_lstm.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <thread>

#include "absl/strings/str_cat.h"
#include "model/train/training_kernel.h"

namespace rondo::train {
namespace {

constexpr size_t kGates = 4;

// A thread costs some tens of microseconds to start, so each gets a millisecond of work at least.
constexpr double kFlopsOfThread = 1e8;

// weight: [rows][columns] -> [columns][rows].
std::vector<float> Transposed(absl::Span<const float> weight, size_t columns) {
  const size_t rows = weight.size() / columns;
  std::vector<float> transposed(weight.size());
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column)
      transposed[column * rows + row] = weight[row * columns + column];
  }
  return transposed;
}

// Calls `body(part, first, size)` for parts of 0..total-1, at once, each in its own thread but for the first and for
// those that the system has no thread for.
template <typename Body>
void InParts(size_t parts, size_t total, const Body& body) {
  std::vector<std::thread> threads;
  const auto run = [&](size_t part) {
    const size_t first = part * total / parts;
    body(part, first, (part + 1) * total / parts - first);
  };
  for (size_t part = 1; part < parts; ++part) {
    try {
      threads.emplace_back(run, part);
    } catch (const std::system_error&) {
      run(part);
    }
  }
  run(0);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

PackedLstm::PackedLstm(const Shape& shape, InstructionSet instruction_set)
    : shape_(shape),
      instruction_set_(instruction_set),
      kernel_name_(absl::StrCat("rondo/", InstructionSetName(instruction_set))),
      x_(static_cast<size_t>(shape.timesteps * shape.batch_size * shape.input_size)),
      h_(State(shape.timesteps + 1)),
      c_(State(shape.timesteps + 1)),
      tanh_c_(State(shape.timesteps)),
      gates_(kGates * State(shape.timesteps)),
      dx_(shape.input_gradient ? x_.size() : 0),
      dh_(State(shape.timesteps)),
      dh_next_(State(1)),
      dc_(State(1)),
      bias_gradient_(kGates * static_cast<size_t>(shape.hidden_size)) {}

absl::Status PackedLstm::SetWeights(const Tensors<const float>& weights) {
  const auto inputs = static_cast<size_t>(shape_.input_size), hiddens = static_cast<size_t>(shape_.hidden_size);
  try {
    std::vector<float> bias(weights.bias_ih.begin(), weights.bias_ih.end());
    for (size_t i = 0; i < bias.size(); ++i) bias[i] += weights.bias_hh[i];
    forward_ =
        std::make_unique<PackedProduct>(weights.weight_ih, weights.weight_hh, bias, kGates * hiddens, instruction_set_);
    to_hidden_ = std::make_unique<PackedProduct>(Transposed(weights.weight_hh, hiddens), absl::Span<const float>(),
                                                 absl::Span<const float>(), hiddens, instruction_set_);
    if (shape_.input_gradient) {
      to_input_ = std::make_unique<PackedProduct>(Transposed(weights.weight_ih, inputs), absl::Span<const float>(),
                                                  absl::Span<const float>(), inputs, instruction_set_);
    }
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(kNoMemoryForWindow);
  }
  return absl::OkStatus();
}

size_t PackedLstm::parts() const {
  const double flops = 2.0 * static_cast<double>(kGates * State(shape_.timesteps)) *
                       static_cast<double>(shape_.input_size + shape_.hidden_size);
  const auto worth = static_cast<int64_t>(flops / kFlopsOfThread);
  return static_cast<size_t>(std::clamp<int64_t>(std::min<int64_t>(worth, shape_.batch_size), 1, TrainingThreads()));
}

absl::Status PackedLstm::Forward() {
  InParts(parts(), static_cast<size_t>(shape_.batch_size),
          [this](size_t, size_t first, size_t rows) { ForwardRows(first, rows); });
  return absl::OkStatus();
}

absl::Status PackedLstm::Backward() {
  InParts(parts(), static_cast<size_t>(shape_.batch_size),
          [this](size_t, size_t first, size_t rows) { BackwardRows(first, rows); });
  return absl::OkStatus();
}

LstmTimestep PackedLstm::TimestepOf(size_t timestep, size_t first, size_t rows) {
  const size_t row = timestep * static_cast<size_t>(shape_.batch_size) + first;
  const auto hidden = static_cast<size_t>(shape_.hidden_size);
  LstmTimestep of;
  of.rows = rows;
  of.hidden_size = hidden;
  of.gates = gates_.get() + row * kGates * hidden;
  of.c_in = c_.get() + row * hidden;
  of.c = c_.get() + State(1) + row * hidden;
  of.tanh_c = tanh_c_.get() + row * hidden;
  of.h = h_.get() + State(1) + row * hidden;
  of.dh = dh_.get() + row * hidden;
  of.dh_next = dh_next_.get() + first * hidden;
  of.dc = dc_.get() + first * hidden;
  return of;
}

void PackedLstm::ForwardRows(size_t first, size_t rows) {
  const auto inputs = static_cast<size_t>(shape_.input_size), hidden = static_cast<size_t>(shape_.hidden_size);
  for (size_t t = 0; t < static_cast<size_t>(shape_.timesteps); ++t) {
    const LstmTimestep timestep = TimestepOf(t, first, rows);
    const size_t row = t * static_cast<size_t>(shape_.batch_size) + first;
    forward_->Apply({x_.get() + row * inputs, inputs}, {h_.get() + row * hidden, hidden}, rows, {}, timestep.gates,
                    kGates * hidden);
    TrainingFunctionsFor(instruction_set_).lstm_forward(timestep);
  }
}

void PackedLstm::BackwardRows(size_t first, size_t rows) {
  const auto inputs = static_cast<size_t>(shape_.input_size), hidden = static_cast<size_t>(shape_.hidden_size);
  std::fill_n(dh_next_.get() + first * hidden, rows * hidden, 0.0f);
  std::fill_n(dc_.get() + first * hidden, rows * hidden, 0.0f);
  for (auto t = static_cast<size_t>(shape_.timesteps); t-- > 0;) {
    const LstmTimestep timestep = TimestepOf(t, first, rows);
    TrainingFunctionsFor(instruction_set_).lstm_backward(timestep);
    const RowsView gradients{timestep.gates, kGates * hidden};
    to_hidden_->Apply(gradients, {}, rows, {}, dh_next_.get() + first * hidden, hidden);
    if (to_input_ == nullptr) continue;
    const size_t row = t * static_cast<size_t>(shape_.batch_size) + first;
    to_input_->Apply(gradients, {}, rows, {}, dx_.get() + row * inputs, inputs);
  }
}

absl::Status PackedLstm::AddGradients(const Tensors<float>& gradients) {
  const auto inputs = static_cast<size_t>(shape_.input_size), hidden = static_cast<size_t>(shape_.hidden_size);
  std::fill_n(bias_gradient_.get(), bias_gradient_.size(), 0.0f);
  try {
    std::vector<AlignedBuffer> scratchpads(parts());
    for (AlignedBuffer& each : scratchpads) each = AlignedBuffer(GradientScratchpadSize(inputs, hidden));
    InParts(scratchpads.size(), kGates * hidden, [&](size_t part, size_t first, size_t rows) {
      GradientProblem problem;
      problem.depth = static_cast<size_t>(shape_.timesteps * shape_.batch_size);
      problem.a = gates_.get() + first;
      problem.a_stride = kGates * hidden;
      problem.rows = rows;
      problem.of_x = {x_.get(), inputs, gradients.weight_ih.data() + first * inputs};
      problem.of_h = {h_.get(), hidden, gradients.weight_hh.data() + first * hidden};
      problem.bias = bias_gradient_.get() + first;
      problem.scratchpad = scratchpads[part].get();
      TrainingFunctionsFor(instruction_set_).add_gradient(problem);
    });
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(kNoMemoryForWindow);
  }
  for (size_t i = 0; i < bias_gradient_.size(); ++i) {
    gradients.bias_ih[i] += bias_gradient_.get()[i];
    gradients.bias_hh[i] += bias_gradient_.get()[i];
  }
  return absl::OkStatus();
}

}  // namespace rondo::train
