#ifndef RONDO_MODEL_JSON_OBJECT_READER_H_
#define RONDO_MODEL_JSON_OBJECT_READER_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace rondo {

// Takes a JSON object apart, member by member. The first rule broken stands in the status that all readers of one text
// share; after it nothing is written any more, so a caller reads everything and looks at the status once.
//
//   absl::Status status;
//   ObjectReader reader(json, "inputs[2]", &status);
//   reader.Read("mean", Need::kOptional, &mean);    // "inputs[2].mean is a string; it must be a number"
//   reader.RefuseOthers();                          // "inputs[2] has the unknown key 'maen'"
class ObjectReader {
 public:
  enum class Need { kRequired, kOptional };

  template <typename Enum>
  using Choices = std::vector<std::pair<absl::string_view, Enum>>;

  // Borrows both. `where` stands in messages; empty for the outermost object.
  ObjectReader(const nlohmann::json& json, std::string where, absl::Status* status);

  // The member, or null if it is absent or another rule is broken already.
  const nlohmann::json* Find(absl::string_view key, Need need);
  // Each leaves *value alone if the member is absent or wrong.
  void Read(absl::string_view key, Need need, std::string* value);
  void Read(absl::string_view key, Need need, double* value);
  void Read(absl::string_view key, Need need, int64_t* value);  // whole and not negative
  void Read(absl::string_view key, Need need, bool* value);
  const nlohmann::json* FindArray(absl::string_view key, Need need);
  // Appends the numbers of an array; leaves *numbers alone if it is absent.
  void ReadNumbers(absl::string_view key, std::vector<double>* numbers);
  template <typename Enum>
  void Read(absl::string_view key, Need need, const Choices<Enum>& choices, Enum* value) {
    if (const nlohmann::json* found = Find(key, need)) Choose(*found, Where(key), choices, value);
  }
  // The choice that the string `json` names; `where` stands in the message if there is none.
  template <typename Enum>
  void Choose(const nlohmann::json& json, const std::string& where, const Choices<Enum>& choices, Enum* value) {
    std::vector<absl::string_view> names;
    for (const auto& choice : choices) names.push_back(choice.first);
    if (const int index = IndexOf(json, where, names); index >= 0) *value = choices[index].second;
  }

  void RefuseOthers();  // every member that nothing asked for
  void Refuse(absl::string_view message);
  std::string Where(absl::string_view key) const;  // "inputs[2].mean"

 private:
  // Returns which of `names` the string is, or -1 after a refusal.
  int IndexOf(const nlohmann::json& json, const std::string& where, const std::vector<absl::string_view>& names);
  void RefuseKind(absl::string_view key, const nlohmann::json& json, absl::string_view wanted);

  const nlohmann::json& json_;
  const std::string where_;
  absl::Status* const status_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_JSON_OBJECT_READER_H_
