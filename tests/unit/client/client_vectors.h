#ifndef RONDO_TESTS_UNIT_CLIENT_CLIENT_VECTORS_H_
#define RONDO_TESTS_UNIT_CLIENT_CLIENT_VECTORS_H_

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace rondo {

// A file of tests/golden/client, whose README.md says what is in it.
inline nlohmann::json ReadClientVectors(const std::string& file) {
  std::ifstream stream(RONDO_SOURCE_DIR "/tests/golden/client/" + file);
  return nlohmann::json::parse(stream);
}

// The status code called `name`, such as "NOT_FOUND".
inline absl::StatusCode StatusCodeNamed(const std::string& name) {
  for (int code = 0; code <= 16; ++code) {
    const auto found = static_cast<absl::StatusCode>(code);
    if (absl::StatusCodeToString(found) == name) return found;
  }
  ADD_FAILURE() << "no status code is called " << name;
  return absl::StatusCode::kUnknown;
}

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_CLIENT_CLIENT_VECTORS_H_
