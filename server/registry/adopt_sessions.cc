#include "server/registry/adopt_sessions.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "model/fingerprint.h"

namespace rondo {
namespace {

template <typename Features>
bool SameNames(const Features& a, const Features& b) {
  return absl::c_equal(a, b, [](const auto& x, const auto& y) { return x.name == y.name; });
}

bool SameRecurrence(const ModelSpec& a, const ModelSpec& b) {
  if (a.graph != nullptr || b.graph != nullptr) return GraphFingerprintOf(a) == GraphFingerprintOf(b);
  return a.cell == b.cell && a.gru_reset == b.gru_reset && a.gru_update == b.gru_update &&
         a.activation == b.activation && a.num_layers == b.num_layers && a.hidden_size == b.hidden_size;
}

bool SameTimestep(const ModelSpec& a, const ModelSpec& b) {
  return a.tokens == b.tokens && a.embedding_size == b.embedding_size && SameNames(a.inputs, b.inputs) &&
         a.calendar == b.calendar;
}

bool SameReply(const ModelSpec& a, const ModelSpec& b) {
  return SameNames(a.outputs, b.outputs) && a.horizon == b.horizon && a.head == b.head && a.quantiles == b.quantiles;
}

}  // namespace

bool SameShape(const ModelSpec& a, const ModelSpec& b) {
  return SameRecurrence(a, b) && SameTimestep(a, b) && SameReply(a, b);
}

ServedModelPtr FindAdopter(const ModelRegistry& registry, const ServedModel& current, AdoptSessions adopt) {
  if (adopt == AdoptSessions::kNever) return nullptr;
  absl::StatusOr<ServedModelPtr> newest = registry.Find(current.model->name, 0);
  if (!newest.ok() || newest->get() == &current || !SameShape(current.spec(), (*newest)->spec())) return nullptr;
  return *std::move(newest);
}

}  // namespace rondo
