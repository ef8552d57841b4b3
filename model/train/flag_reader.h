#ifndef RONDO_MODEL_TRAIN_FLAG_READER_H_
#define RONDO_MODEL_TRAIN_FLAG_READER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rondo::train {

// Reads flags one after another; the first broken rule stands in status(). One thread.
class FlagReader {
 public:
  // The flag's value. Refuses one that is not least to most.
  template <typename Number>
  Number InBounds(const absl::Flag<Number>& flag, const char* name, Number least, Number most) {
    const Number value = absl::GetFlag(flag);
    if (!(value >= least && value <= most)) {
      Refuse(absl::StrCat("--", name, "=", value, "; it must be ", least, " to ", most));
    }
    return value;
  }

  // What the flag's text stands for. Refuses a text that is none of the choices.
  template <typename Enum>
  Enum Choice(const absl::Flag<std::string>& flag, const char* name,
              const std::vector<std::pair<const char*, Enum>>& choices) {
    const std::string value = absl::GetFlag(flag);
    std::vector<std::string> names;
    for (const auto& [text, choice] : choices) {
      if (value == text) return choice;
      names.emplace_back(text);
    }
    Refuse(absl::StrCat("--", name, "=", value, "; it must be ", absl::StrJoin(names, ", ")));
    return choices[0].second;
  }

  void Refuse(const std::string& message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(message);
  }
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_FLAG_READER_H_
