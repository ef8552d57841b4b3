#ifndef RONDO_SERVER_ACCESS_JSON_TEXT_MEMBER_H_
#define RONDO_SERVER_ACCESS_JSON_TEXT_MEMBER_H_

#include <string>

#include "nlohmann/json.hpp"

namespace rondo {

// The text of a member of an object; empty: there is none, or it is no text.
inline std::string TextMember(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_JSON_TEXT_MEMBER_H_
