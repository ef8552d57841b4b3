#include "model/json/object_reader.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/json/json_text.h"

namespace rondo {

using Json = nlohmann::json;

ObjectReader::ObjectReader(const Json& json, std::string where, absl::Status* status)
    : json_(json), where_(std::move(where)), status_(status) {
  if (!json_.is_object()) {
    Refuse(absl::StrCat(where_.empty() ? "the JSON" : where_, " is ", JsonKind(json_), "; it must be an object"));
  }
}

const Json* ObjectReader::Find(absl::string_view key, Need need) {
  asked_.emplace(key);
  if (!status_->ok()) return nullptr;
  const auto found = json_.find(std::string(key));
  if (found != json_.end()) return &*found;
  if (need == Need::kRequired) Refuse(absl::StrCat(Where(key), " is missing"));
  return nullptr;
}

void ObjectReader::Read(absl::string_view key, Need need, std::string* value) {
  const Json* json = Find(key, need);
  if (json == nullptr) return;
  if (!json->is_string()) return RefuseKind(key, *json, "a string");
  *value = json->get_ref<const std::string&>();
}

void ObjectReader::Read(absl::string_view key, Need need, double* value) {
  const Json* json = Find(key, need);
  if (json == nullptr) return;
  if (!json->is_number()) return RefuseKind(key, *json, "a number");
  *value = json->get<double>();
}

void ObjectReader::Read(absl::string_view key, Need need, int64_t* value) {
  const Json* json = Find(key, need);
  if (json == nullptr) return;
  if (!json->is_number_unsigned()) return RefuseKind(key, *json, "a whole number");
  const uint64_t number = json->get<uint64_t>();
  if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return Refuse(absl::StrCat(Where(key), " is ", number, "; it must be less than 2^63"));
  }
  *value = static_cast<int64_t>(number);
}

void ObjectReader::Read(absl::string_view key, Need need, bool* value) {
  const Json* json = Find(key, need);
  if (json == nullptr) return;
  if (!json->is_boolean()) return RefuseKind(key, *json, "true or false");
  *value = json->get<bool>();
}

const Json* ObjectReader::FindArray(absl::string_view key, Need need) {
  const Json* json = Find(key, need);
  if (json == nullptr || json->is_array()) return json;
  RefuseKind(key, *json, "an array");
  return nullptr;
}

void ObjectReader::ReadNumbers(absl::string_view key, std::vector<double>* numbers) {
  const Json* const array = FindArray(key, Need::kOptional);
  if (array == nullptr) return;
  for (size_t i = 0; i < array->size(); ++i) {
    const Json& number = (*array)[i];
    if (!number.is_number()) {
      return Refuse(absl::StrCat(Where(key), "[", i, "] is ", JsonKind(number), "; it must be a number"));
    }
    numbers->push_back(number.get<double>());
  }
}

int ObjectReader::IndexOf(const Json& json, const std::string& where, const std::vector<absl::string_view>& names) {
  const std::string wanted = absl::StrJoin(names, " or ");
  if (!json.is_string()) {
    Refuse(absl::StrCat(where, " is ", JsonKind(json), "; it must be ", wanted));
    return -1;
  }
  const auto& name = json.get_ref<const std::string&>();
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  Refuse(absl::StrCat(where, " is ", Quoted(name), "; it must be ", wanted));
  return -1;
}

void ObjectReader::RefuseOthers() {
  if (!status_->ok()) return;
  for (const auto& member : json_.items()) {
    if (asked_.find(member.key()) == asked_.end()) {
      return Refuse(absl::StrCat(where_.empty() ? "the JSON" : where_, " has the unknown key ", Quoted(member.key())));
    }
  }
}

void ObjectReader::Refuse(absl::string_view message) {
  if (status_->ok()) *status_ = absl::InvalidArgumentError(message);
}

std::string ObjectReader::Where(absl::string_view key) const {
  return where_.empty() ? std::string(key) : absl::StrCat(where_, ".", key);
}

void ObjectReader::RefuseKind(absl::string_view key, const Json& json, absl::string_view wanted) {
  Refuse(absl::StrCat(Where(key), " is ", JsonKind(json), "; it must be ", wanted));
}

}  // namespace rondo
