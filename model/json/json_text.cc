#include "model/json/json_text.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"

namespace rondo {
namespace {

using Json = nlohmann::json;

// Builds the value and stops at the first rule broken, so that the rest of a hostile text is not even read. Not
// nlohmann's own parser callback: that takes quadratic time on an array of objects (24 s for 1 MiB).
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t value, const string_t&) override { return Add(value); }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t&) override { return Refuse("the JSON holds binary values"); }
  bool start_object(size_t) override { return Open(Json::object()); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    const auto [member, is_new] = open_.back()->emplace(name, nullptr);
    if (!is_new) return Refuse(absl::StrCat("the JSON has the key ", Quoted(name), " twice"));
    member_ = &*member;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const Json::exception& error) override {
    constexpr int kNumberOverflow = 406;  // out_of_range.406; every other error of a parse is one of syntax
    return Refuse(error.id == kNumberOverflow ? "the JSON has a number that a double cannot hold"
                                              : absl::StrCat("not JSON: syntax error at byte ", position));
  }

  const absl::Status& status() const { return status_; }
  Json Take() { return std::move(root_); }

 private:
  bool Refuse(absl::string_view message) {
    status_ = absl::InvalidArgumentError(message);
    return false;
  }

  // Where the next value goes: the member whose key came last, the end of the innermost array, or the root.
  Json* Place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (open_.back()->is_object()) return &(*member_ = std::move(value));
    return &open_.back()->emplace_back(std::move(value));
  }

  bool Add(Json value) {
    Place(std::move(value));
    return true;
  }

  bool Open(Json empty) {
    if (open_.size() >= kMaxJsonDepth) return Refuse(absl::StrCat("the JSON is nested deeper than ", kMaxJsonDepth));
    open_.push_back(Place(std::move(empty)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Json*> open_;  // outermost first; none of them grows while one inside it is open, so the pointers hold
  Json* member_ = nullptr;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text) {
  if (text.size() > kMaxJsonBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the JSON has ", text.size(), " bytes; at most ", kMaxJsonBytes, " are read"));
  }
  // nlohmann takes a NUL byte for the end of the text and would ignore what follows.
  if (const size_t nul = text.find('\0'); nul != absl::string_view::npos) {
    return Invalid("not JSON: NUL at byte ", nul + 1);
  }
  StrictBuilder builder;
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) return builder.status();
  return builder.Take();
}

std::string Quoted(absl::string_view name) {
  constexpr size_t kShown = 100;
  if (name.size() <= kShown) return absl::StrCat("'", absl::Utf8SafeCHexEscape(name), "'");
  // Escaping byte by byte: the cut may fall inside a UTF-8 character.
  return absl::StrCat("'", absl::CHexEscape(name.substr(0, kShown)), "'...");
}

absl::string_view JsonKind(const nlohmann::json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    case Json::value_t::number_float:
      return "a number with a fraction or exponent";
    case Json::value_t::number_integer:
      return "a negative number";
    case Json::value_t::number_unsigned:
      return "a number";
    default:
      return "unknown";
  }
}

}  // namespace rondo
