// Any text as a description: what parses and is valid, is written and parses to the same text again.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "model/spec_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  absl::StatusOr<rondo::ModelSpec> spec =
      rondo::ParseSpecJson(absl::string_view(reinterpret_cast<const char*>(bytes), size));
  if (!spec.ok()) return 0;
  spec->num_layers = 1;
  spec->hidden_size = 4;
  spec->embedding_size = spec->tokens > 0 ? 4 : 0;
  if (!spec->Validate().ok()) return 0;
  const std::string text = rondo::SpecJson(*spec);
  const absl::StatusOr<rondo::ModelSpec> again = rondo::ParseSpecJson(text);
  if (!again.ok() || rondo::SpecJson(*again) != text) std::abort();
  return 0;
}
