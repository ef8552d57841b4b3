#ifndef RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_
#define RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_

#include "absl/status/statusor.h"
#include "server/registry/model_registry.h"
#include "server/served_model.h"
#include "server/store/session_record.h"

namespace rondo {

// Which models may go on with the state of another.
enum class AdoptSessions {
  kNever,
  kSameShape,  // the newest version of the same name, if its cell and sizes are the same
};

// The live model that goes on with a state of `recorded`: the version that it names, or another one with the same
// weights, else one that may adopt it. NOT_FOUND: no such model or version. FAILED_PRECONDITION: only another model by
// that name and version; says both.
absl::StatusOr<ServedModelPtr> FindRecordedModel(const ModelRegistry& registry, const RecordedModel& recorded,
                                                 AdoptSessions adopt);

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_
