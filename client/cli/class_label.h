#ifndef RONDO_CLIENT_CLI_CLASS_LABEL_H_
#define RONDO_CLIENT_CLI_CLASS_LABEL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/messages.h"

namespace rondo {

// A class by its name in the model's file, and its probability.
struct ClassLabel {
  std::string name;
  float probability = 0;
};

// INVALID_ARGUMENT: the answers of the model are not the probabilities of classes, one step ahead.
absl::Status CheckLabels(const ModelDescription& model);

// The most probable class of one answer; of a sigmoid head "yes" or "no". REQUIRES: CheckLabels is OK, and `answer` has
// output_size numbers.
ClassLabel LabelOf(const ModelDescription& model, absl::Span<const float> answer);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_CLASS_LABEL_H_
