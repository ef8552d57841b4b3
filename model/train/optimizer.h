#ifndef RONDO_MODEL_TRAIN_OPTIMIZER_H_
#define RONDO_MODEL_TRAIN_OPTIMIZER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "model/train/network_shape.h"

namespace rondo::train {

// Scales `gradient` so that its Euclidean norm over all parameters is at most `max_norm` (Pascanu et al. 2013), and
// returns the norm that it had. max_norm 0: no limit.
double ClipByGlobalNorm(double max_norm, absl::Span<float> gradient);

// Does what PyTorch's torch.optim.AdamW does (Loshchilov and Hutter 2019), with weight decay on matrices alone.
class AdamW {
 public:
  struct Options {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double weight_decay = 0.01;  // times the learning rate, of each matrix; 0: none
  };
  struct State {
    int64_t step = 0;
    std::vector<float> first_moment, second_moment;  // as the parameters
  };

  AdamW(const ParameterLayout& layout, const Options& options);

  // Returns a state of the layout's size that is all zero.
  State InitialState() const;
  // Moves the parameters against the gradient, and `state` by one step.
  void Step(absl::Span<const float> gradient, double learning_rate, State* state, absl::Span<float> parameters) const;

 private:
  const size_t size_;
  const std::vector<ParameterLayout::Range> matrices_;
  const Options options_;
};

enum class Decay { kNone, kCosine, kPlateau };

// Says the learning rate of each step: a linear warm-up, then what `decay` says.
//
// kCosine: half a cosine from the peak to 1% of it at total_steps. kPlateau: halved after each `plateau_patience`
// epochs without a better validation loss, down to 1% of the peak.
class LearningRate {
 public:
  struct Options {
    double peak = 1e-3;
    Decay decay = Decay::kCosine;
    int64_t warmup_steps = 0;  // 0: none
    int64_t total_steps = 1;   // kCosine
    int64_t plateau_patience = 5;
  };
  struct State {
    double plateau_factor = 1;
    int64_t epochs_without_gain = 0;
  };

  explicit LearningRate(const Options& options) : options_(options) {}

  double At(int64_t step) const;
  void EndEpoch(bool better);

  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  const Options options_;
  State state_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_OPTIMIZER_H_
