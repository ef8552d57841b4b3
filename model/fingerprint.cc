#include "model/fingerprint.h"

#include "absl/strings/str_cat.h"
#include "model/checksum.h"
#include "model/spec_json.h"

namespace rondo {

uint64_t FingerprintOf(const ModelSpec& spec, const Weights& weights) {
  ModelSpec computed = spec;
  computed.training_json = "{}";
  computed.band_factors.clear();
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

}  // namespace rondo
