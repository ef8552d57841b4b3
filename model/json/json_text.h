#ifndef RONDO_MODEL_JSON_JSON_TEXT_H_
#define RONDO_MODEL_JSON_JSON_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace rondo {

// JSON from a file that nobody has checked: deeper or longer than any honest one is refused before it costs anything.
constexpr size_t kMaxJsonBytes = size_t{1} << 20;
constexpr size_t kMaxJsonDepth = 16;  // arrays and objects inside each other

// Parses one JSON text strictly: UTF-8, no comments, no duplicate keys, numbers that a double holds, at most
// kMaxJsonBytes and kMaxJsonDepth. Never throws. INVALID_ARGUMENT names the rule and never quotes more than a key.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text);

// A name that came from outside, for a message: in single quotes, escaped, cut after 100 bytes.
std::string Quoted(absl::string_view name);

// Says for a message what kind of value `value` is: "a string", "an array", "a negative number" ...
absl::string_view JsonKind(const nlohmann::json& value);

}  // namespace rondo

#endif  // RONDO_MODEL_JSON_JSON_TEXT_H_
