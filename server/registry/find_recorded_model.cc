#include "server/registry/find_recorded_model.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/store/recorded_model.h"

namespace rondo {
namespace {

bool SameSizes(const RecordedModel& a, const RecordedModel& b) {
  return a.graph == b.graph && a.cell == b.cell && a.num_layers == b.num_layers && a.hidden_size == b.hidden_size &&
         a.input_size == b.input_size && a.output_size == b.output_size;
}

std::string ShapeOf(const RecordedModel& model) {
  if (model.graph != 0) {
    return absl::StrCat("graph ", absl::Hex(model.graph), ", input_size ", model.input_size, ", output_size ",
                        model.output_size);
  }
  return absl::StrCat(model.cell, " of ", model.num_layers, " layers, hidden_size ", model.hidden_size, ", input_size ",
                      model.input_size, ", output_size ", model.output_size);
}

}  // namespace

absl::StatusOr<ServedModelPtr> FindRecordedModel(const ModelRegistry& registry, const RecordedModel& recorded,
                                                 AdoptSessions adopt) {
  absl::StatusOr<ServedModelPtr> own = registry.Find(recorded.name, recorded.version);
  if (own.ok() && (*own)->model->fingerprint == recorded.fingerprint) return own;
  for (const ServedModelPtr& live : registry.List()) {
    if (live->model->name == recorded.name && live->model->fingerprint == recorded.fingerprint) return live;
  }
  const std::string state = absl::StrCat("the state is of model '", recorded.name, "' version ", recorded.version);
  if (adopt == AdoptSessions::kNever) {
    if (absl::IsUnavailable(own.status())) return own.status();
    if (!own.ok()) return Refuse(Why::kNotFound, absl::StrCat(state, "; ", own.status().message()));
    return Refuse(
        Why::kPosition,
        absl::StrCat(state,
                     "; the one that is live here by that name and version has other weights or another description"));
  }
  absl::StatusOr<ServedModelPtr> newest = registry.Find(recorded.name, 0);
  if (!newest.ok()) return newest.status();
  const RecordedModel offered = RecordedModelOf(*(*newest)->model);
  if (SameSizes(recorded, offered)) return newest;
  return Refuse(Why::kPosition, absl::StrCat(state, ", ", ShapeOf(recorded), "; version ", offered.version,
                                             " cannot adopt it: it is ", ShapeOf(offered)));
}

}  // namespace rondo
