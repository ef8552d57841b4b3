#ifndef RONDO_MODEL_KERNELS_LAYER_H_
#define RONDO_MODEL_KERNELS_LAYER_H_

#include <cstdint>
#include <vector>

namespace rondo {

enum class Cell { kLstm, kGru, kRnn };
inline constexpr Cell kCells[] = {Cell::kLstm, Cell::kGru, Cell::kRnn};

constexpr int64_t GateCount(Cell cell) { return cell == Cell::kLstm ? 4 : cell == Cell::kGru ? 3 : 1; }
// Returns how many numbers each unit keeps between timesteps: h, and c of an lstm.
constexpr int64_t StateCount(Cell cell) { return cell == Cell::kLstm ? 2 : 1; }

// Where GRU's reset gate acts: before the recurrent product (Cho et al. 2014, ONNX default) or after it (PyTorch,
// Keras).
enum class GruReset { kBefore, kAfter };

// kKeep:    h = z * h_prev + (1 - z) * n   (PyTorch nn.GRU, ONNX, Keras)
// kReplace: h = (1 - z) * h_prev + z * n   (Chung et al. 2014)
enum class GruUpdate { kKeep, kReplace };

enum class Activation { kTanh, kRelu };

// How weights are held in memory, and read by each step; all sums are of float32. kInt8 has a factor for the weights of
// x and one for those of h of each unit of each gate.
enum class WeightFormat { kF32, kBf16, kInt8 };

constexpr const char* WeightFormatName(WeightFormat format) {
  return format == WeightFormat::kInt8 ? "int8" : format == WeightFormat::kBf16 ? "bf16" : "f32";
}

// Describes one recurrent layer apart from its weights.
struct LayerShape {
  Cell cell = Cell::kLstm;
  GruReset gru_reset = GruReset::kAfter;      // gru only
  GruUpdate gru_update = GruUpdate::kKeep;    // gru only
  Activation activation = Activation::kTanh;  // rnn only
  int64_t input_size = 0;
  int64_t hidden_size = 0;
};

// One layer in PyTorch's layout: gates G = 4 (lstm: i,f,g,o), 3 (gru: r,z,n) or 1 (rnn); row-major.
// The gru gates stand in the model file's own convention; the kernels translate (GruUpdate, GruReset).
struct LayerWeights {
  std::vector<float> weight_ih;  // [G * hidden_size][input_size]
  std::vector<float> weight_hh;  // [G * hidden_size][hidden_size]
  std::vector<float> bias_ih;    // [G * hidden_size]
  std::vector<float> bias_hh;    // [G * hidden_size]
};

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_LAYER_H_
