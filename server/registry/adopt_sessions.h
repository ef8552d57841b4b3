#ifndef RONDO_SERVER_REGISTRY_ADOPT_SESSIONS_H_
#define RONDO_SERVER_REGISTRY_ADOPT_SESSIONS_H_

#include "model/model_spec.h"
#include "server/metrics/served_model.h"
#include "server/registry/model_registry.h"

namespace rondo {

// Which models may go on with the state of another.
enum class AdoptSessions {
  kNever,
  kSameShape,  // the newest version of the same name, if its shape is the same: SameShape of two models
};

// Whether `b` can go on where `a` stands, and whoever talks to `a` can talk to `b`: the recurrence (cell with its
// variant or activation, layers, sizes), what a timestep is (the token, or the inputs by name and order, and the times
// it needs), and what a reply is (the outputs by name and order, horizon, head, quantiles) are the same. Whether the
// new weights can make sense of the old ones' state, no shape tells: they can if they were trained on from them. Free:
// weights, means and deviations, what outputs are added to, feedback, step_seconds, training.
bool SameShape(const ModelSpec& a, const ModelSpec& b);

// The model with which a live session of `current` goes on: the newest version of its name, which may be an older one
// once newer ones have left. Null: `current` itself, for there is no other, or none that may.
ServedModelPtr FindAdopter(const ModelRegistry& registry, const ServedModel& current, AdoptSessions adopt);

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_ADOPT_SESSIONS_H_
