#ifndef RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_
#define RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_

#include "absl/status/statusor.h"
#include "server/metrics/served_model.h"
#include "server/registry/adopt_sessions.h"
#include "server/registry/model_registry.h"
#include "server/store/session_record.h"

namespace rondo {

// The live model that goes on with a state of `recorded`: the version that it names, or another one with the same
// weights, else one that may adopt it. Of a model that is not live here any more only its record is known: then the
// same shape is the same cell and sizes. NOT_FOUND: no such model or version. FAILED_PRECONDITION: only another model
// by that name and version, or one of another shape. Both say what the state is of, and what there is.
absl::StatusOr<ServedModelPtr> FindRecordedModel(const ModelRegistry& registry, const RecordedModel& recorded,
                                                 AdoptSessions adopt);

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_
