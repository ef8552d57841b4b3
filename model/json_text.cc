#include "model/json_text.h"

#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

using Json = nlohmann::json;

// Watches a parse for what nlohmann lets through. The first rule broken ends the parse by an exception of ours, so that
// the rest of a hostile text is not even read.
class Watcher {
 public:
  struct Refused {
    std::string message;
  };

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
        keys_.emplace_back();
        [[fallthrough]];
      case Json::parse_event_t::array_start:
        if (depth >= kMaxJsonDepth) throw Refused{absl::StrCat("is nested deeper than ", kMaxJsonDepth)};
        break;
      case Json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      case Json::parse_event_t::key: {
        const auto& key = parsed.get_ref<const std::string&>();
        if (!keys_.back().insert(key).second) throw Refused{absl::StrCat("has the key ", Quoted(key), " twice")};
        break;
      }
      default:
        break;
    }
    return true;
  }

 private:
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
};

}  // namespace

absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text) {
  if (text.size() > kMaxJsonBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the JSON has ", text.size(), " bytes; at most ", kMaxJsonBytes, " are read"));
  }
  Watcher watcher;
  try {
    return Json::parse(text.begin(), text.end(), std::ref(watcher));
  } catch (const Watcher::Refused& refused) {
    return absl::InvalidArgumentError(absl::StrCat("the JSON ", refused.message));
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError(absl::StrCat("not JSON: syntax error at byte ", error.byte));
  } catch (const Json::exception&) {
    return absl::InvalidArgumentError("the JSON has a number that a double cannot hold");
  }
}

std::string Quoted(absl::string_view name) {
  constexpr size_t kShown = 100;
  if (name.size() <= kShown) return absl::StrCat("'", absl::Utf8SafeCHexEscape(name), "'");
  // Escaping byte by byte: the cut may fall inside a UTF-8 character.
  return absl::StrCat("'", absl::CHexEscape(name.substr(0, kShown)), "...'");
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
