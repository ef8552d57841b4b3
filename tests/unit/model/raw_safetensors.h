#ifndef RONDO_TESTS_UNIT_MODEL_RAW_SAFETENSORS_H_
#define RONDO_TESTS_UNIT_MODEL_RAW_SAFETENSORS_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace rondo {

void WriteBytes(const std::string& path, const std::string& bytes);
std::string ReadBytes(const std::string& path);

// Safetensors bytes put together by hand, apart from the code under test.
struct RawTensor {
  std::string name;
  std::string type;
  std::vector<int64_t> shape;
  std::string bytes;
};

// `values` floats 0.001, 0.002, ... as F32.
RawTensor Floats(const std::string& name, const std::vector<int64_t>& shape);

// 8-byte length, `json`, `payload`.
std::string RawFile(const std::string& json, const std::string& payload);
// `metadata` as JSON ("" for none), then the tensors in their order without hole.
std::string RawFile(const std::string& metadata, const std::vector<RawTensor>& tensors);

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_MODEL_RAW_SAFETENSORS_H_
