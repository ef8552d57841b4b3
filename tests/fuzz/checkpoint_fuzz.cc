// Any bytes as a trainer's checkpoint, with and without the frame that fits them: what parses is written as the same
// bytes.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "model/checksum.h"
#include "model/train/checkpoint.h"

namespace {

constexpr uint64_t kFingerprint = 0;

void Check(const std::string& bytes) {
  const auto state = rondo::train::ParseCheckpoint(kFingerprint, bytes);
  if (state.ok() && rondo::train::CheckpointBytes(*state, kFingerprint) != bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  Check(text);
  std::string framed = absl::StrCat("RONDOCK2", std::string(sizeof(kFingerprint), '\0'), text);
  const uint64_t checksum = rondo::Checksum(framed);
  framed.append(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
  Check(framed);
  return 0;
}
