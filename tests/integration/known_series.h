#ifndef RONDO_TESTS_INTEGRATION_KNOWN_SERIES_H_
#define RONDO_TESTS_INTEGRATION_KNOWN_SERIES_H_

#include <memory>
#include <vector>

#include "model/model_file.h"
#include "model/network.h"
#include "server/options.h"

namespace rondo {

// For servers whose answers are compared bit for bit, on any CPU: they do not depend on what shares a batch.
void MakeDeterministic(ServerOptions* options);
// The network of `model`, as such a server makes it.
std::unique_ptr<Network> NetworkOf(const ModelFile& model);

// Series of random timesteps, and what a network says of each from a zero state: the answers of an undisturbed session.
//
// Threads: every method may be called from any thread.
class KnownSeries {
 public:
  KnownSeries(const Network& network, size_t count, int64_t timesteps);

  size_t count() const { return inputs_.size(); }
  int64_t timesteps() const { return timesteps_; }
  // Timesteps begin .. end - 1: [end - begin][input_size] and [end - begin][output_size].
  std::vector<float> Inputs(size_t series, int64_t begin, int64_t end) const;
  std::vector<float> Outputs(size_t series, int64_t begin, int64_t end) const;

 private:
  const int64_t timesteps_;
  const int64_t input_size_;
  const int64_t output_size_;
  std::vector<std::vector<float>> inputs_;
  std::vector<std::vector<float>> outputs_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_KNOWN_SERIES_H_
