#ifndef RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_
#define RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_

#include "absl/status/statusor.h"
#include "server/metrics/served_model.h"
#include "server/registry/adopt_sessions.h"
#include "server/registry/model_registry.h"
#include "server/store/session_record.h"

namespace rondo {

// Finds the live model that goes on with a state of `recorded`: the version that the record names, or another version
// with its weights, else one that may adopt the state. If the recorded model is not live here any more, only its record
// is known: then a model of its cell and sizes counts as one of its shape. NOT_FOUND: no such model or version.
// UNAVAILABLE: the model is being loaded, or its file cannot be.
// FAILED_PRECONDITION: there is only another model by that name and version, or one of another shape. Both errors say
// which model the state is of, and which models there are.
absl::StatusOr<ServedModelPtr> FindRecordedModel(const ModelRegistry& registry, const RecordedModel& recorded,
                                                 AdoptSessions adopt);

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_
