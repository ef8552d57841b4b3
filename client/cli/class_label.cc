#include "client/cli/class_label.h"

#include <algorithm>
#include <cstddef>

#include "base/invalid.h"
#include "client/cli/row_mapping.h"

namespace rondo {

absl::Status CheckLabels(const ModelDescription& model) {
  const bool is_yes_or_no = model.head == "sigmoid" && model.output_size == 1;
  if ((model.head == "softmax" || is_yes_or_no) && model.horizon == 1) return absl::OkStatus();
  return Invalid("--label: model '", model.name, "' has a ", model.head, " head of ", model.output_size,
                 " numbers for ", model.horizon,
                 " steps ahead; wanted softmax, or sigmoid with one output, for one step ahead");
}

ClassLabel LabelOf(const ModelDescription& model, absl::Span<const float> answer) {
  if (model.head == "sigmoid") {
    return answer[0] >= 0.5f ? ClassLabel{"yes", answer[0]} : ClassLabel{"no", 1 - answer[0]};
  }
  const auto best = static_cast<size_t>(std::max_element(answer.begin(), answer.end()) - answer.begin());
  return {OutputColumns(model)[best], answer[best]};
}

}  // namespace rondo
