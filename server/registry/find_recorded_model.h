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

// The live model that goes on with a state of `recorded`: its own version with its own weights, else one that may adopt
// it. FAILED_PRECONDITION: there is none; says what is served instead.
absl::StatusOr<ServedModelPtr> FindRecordedModel(const ModelRegistry& registry, const RecordedModel& recorded,
                                                 AdoptSessions adopt);

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_FIND_RECORDED_MODEL_H_
