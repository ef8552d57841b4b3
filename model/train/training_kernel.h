#ifndef RONDO_MODEL_TRAIN_TRAINING_KERNEL_H_
#define RONDO_MODEL_TRAIN_TRAINING_KERNEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "model/train/recurrent_layer.h"

namespace rondo::train {

// Returns the version of the library in use, as "2.6.3".
std::string OneDnnVersion();

// Sets how many threads oneDNN uses for layers created and run on this thread, and flushes denormals to zero here and
// in those threads. Call it before the process first computes. 0: one for each CPU that the process may use.
void PrepareTrainingThread(int threads);

// Computes c[m][n] = alpha * op(a) * op(b) + beta * c, all row-major; op(a) is [m][k], op(b) is [k][n].
void MultiplyMatrices(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float* a,
                      const float* b, float beta, float* c);

// Makes a layer on oneDNN's training primitives; gate orders and signs are translated from the model file's convention.
// Errors as RecurrentLayer::Create.
absl::StatusOr<std::unique_ptr<RecurrentLayer>> CreateOneDnnLayer(const RecurrentLayer::Shape& shape);

inline constexpr char kNoMemoryForWindow[] =
    "no memory for the window: smaller --batch_size, --window or --hidden_size";

// Returns how many threads PrepareTrainingThread was told of on this thread.
int TrainingThreads();

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_TRAINING_KERNEL_H_
