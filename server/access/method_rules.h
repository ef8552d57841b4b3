#ifndef RONDO_SERVER_ACCESS_METHOD_RULES_H_
#define RONDO_SERVER_ACCESS_METHOD_RULES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rondo {

// Says what a caller may do. Each role may also do what those before it may.
enum class Role : uint8_t {
  kAnyone,    // ask for health; nobody has to say who they are for it
  kPredict,   // run steps and forecasts, ask for models
  kSessions,  // make, list, copy, move and end sessions by name
  kAdmin,     // the rest
};

absl::string_view NameOf(Role role);
// INVALID_ARGUMENT: `word` is none of predict, sessions and admin.
absl::StatusOr<Role> ParseRole(absl::string_view word);

struct MethodRule {
  absl::string_view method;  // PACKAGE.SERVICE/METHOD
  Role role;                 // the least that may call the method
};

// Every method of every service. One that is not here may be called by nobody.
absl::Span<const MethodRule> MethodRules();

// Null: there is no rule for the method.
const MethodRule* RuleOf(absl::string_view method);

// FAILED_PRECONDITION unless each of `methods`, which are those that the server serves, has one rule, and each rule is
// of one of them.
absl::Status CheckMethodRules(absl::Span<const std::string> methods);

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_METHOD_RULES_H_
