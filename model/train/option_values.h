#ifndef RONDO_MODEL_TRAIN_OPTION_VALUES_H_
#define RONDO_MODEL_TRAIN_OPTION_VALUES_H_

#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/option_table.h"
#include "model/model_spec.h"

namespace rondo::train {

// Reads auto (nothing), none, or a list of calendar inputs.
OptionValue CalendarValue(std::optional<std::vector<Calendar>>* target);

// Reads numbers between 0 and 1 that grow.
OptionValue QuantilesValue(std::vector<double>* target);

// Reads a mark of a CSV, of those in `accepted`; "tab" names one too. `may_be_none`: an empty text stands for none.
OptionValue MarkValue(char* target, absl::string_view wanted, absl::string_view accepted, bool may_be_none = false);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_OPTION_VALUES_H_
