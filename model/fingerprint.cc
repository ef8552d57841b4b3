#include "model/fingerprint.h"

#include "absl/strings/str_cat.h"
#include "model/checksum.h"
#include "model/spec_json.h"

namespace rondo {

uint64_t FingerprintOf(const ModelSpec& spec, const Weights& weights) {
  ModelSpec computed = spec;
  computed.training_json = "{}";
  computed.band_factors.clear();
  computed.accuracy = {};
  computed.vocabulary = nullptr;
  computed.table = {};
  computed.table.time_zone = spec.table.time_zone;  // the calendar follows it
  computed.table.units = spec.table.units;
  uint64_t fingerprint = Checksum(SpecJson(computed));
  for (const TensorSlot& slot : TensorSlots(spec, const_cast<Weights*>(&weights))) {
    fingerprint = Checksum(absl::StrCat(slot.name, slot.shape.ToString()), fingerprint);
    // The bytes in memory are those of the file: safetensors.cc takes little-endian machines only.
    const absl::string_view bytes(reinterpret_cast<const char*>(slot.values->data()),
                                  slot.values->size() * sizeof(float));
    fingerprint = Checksum(bytes, fingerprint);
  }
  return fingerprint;
}

uint64_t GraphFingerprintOf(const ModelSpec& spec) {
  if (spec.graph == nullptr) return 0;
  const auto& input = spec.graph->input();
  const uint64_t fingerprint = Checksum(absl::StrCat(input.width, " ", input.tokens, " ", spec.graph->output_name()));
  return Checksum(spec.graph->ElementsJson().dump(), fingerprint) | 1;  // never 0
}

}  // namespace rondo
