#ifndef RONDO_MODEL_TRAIN_GATE_ORDER_H_
#define RONDO_MODEL_TRAIN_GATE_ORDER_H_

#include <cstdint>

#include "model/model_spec.h"

namespace rondo::train {

// Translates one layer's weights and gradients between the model file's gates (model/weights.h) and those of oneDNN's
// cells. A tensor of width W is [gates][hidden_size][W] on both sides. Immutable; any thread.
class GateOrder {
 public:
  struct Options {
    Cell cell = Cell::kLstm;
    GruReset gru_reset = GruReset::kAfter;
    GruUpdate gru_update = GruUpdate::kKeep;
    int64_t hidden_size = 0;
  };

  explicit GateOrder(const Options& options) : options_(options) {}

  int64_t gates() const;
  // Returns the rows of oneDNN's bias: one a gate, and one more with a gru's reset after the product.
  int64_t biases() const { return reset_after() ? gates() + 1 : gates(); }

  void FromFile(const float* file, int64_t width, float* ordered) const;
  // Adds gradients in oneDNN's order to those in the file's.
  void AddToFile(const float* ordered, int64_t width, float* file) const;
  // Adds up the file's two biases of each gate, which are one of oneDNN's: [biases][hidden_size].
  void JoinBiases(const float* bias_ih, const float* bias_hh, float* joined) const;
  void AddBiasGradients(const float* joined, float* bias_ih, float* bias_hh) const;

 private:
  bool reset_after() const { return options_.cell == Cell::kGru && options_.gru_reset == GruReset::kAfter; }
  // oneDNN's gate g is gate Source(g) of the file: a gru has u,r,o where the file has r,z,n.
  int64_t Source(int64_t g) const { return options_.cell == Cell::kGru && g < 2 ? 1 - g : g; }
  // h = (1-z)*h_prev + z*n is oneDNN's h = u*h_prev + (1-u)*n with u = 1 - z = sigmoid(-(...)).
  float Sign(int64_t g) const {
    return options_.cell == Cell::kGru && options_.gru_update == GruUpdate::kReplace && g == 0 ? -1.0f : 1.0f;
  }

  const Options options_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_GATE_ORDER_H_
