#ifndef RONDO_SERVER_REGISTRY_ADOPT_SESSIONS_H_
#define RONDO_SERVER_REGISTRY_ADOPT_SESSIONS_H_

#include "model/model_spec.h"
#include "server/metrics/served_model.h"
#include "server/registry/model_registry.h"

namespace rondo {

// Says which models may go on with the state of another.
enum class AdoptSessions {
  kNever,
  kSameShape,  // the newest version of the model's name, if SameShape holds between the two
};

// Tells whether `b` can go on where `a` stands, and whoever talks to `a` can talk to `b`. The two must agree on the
// recurrence (the graph, or cell with its variant or activation, layers, sizes), on what a timestep is (the token, or
// the inputs by name and order, and the times it needs), and on what a reply is (the outputs by name and order,
// horizon, head, quantiles). They may differ in weights, means and deviations, what outputs are added to, feedback,
// step_seconds and training. No shape tells whether the new weights can make sense of the old ones' state: they can if
// they were trained on from them.
bool SameShape(const ModelSpec& a, const ModelSpec& b);

// The model with which a live session of `current` goes on: the newest version of its name, which may be an older one
// once newer ones have left. Null: `current` itself, for there is no other, or none that may.
ServedModelPtr FindAdopter(const ModelRegistry& registry, const ServedModel& current, AdoptSessions adopt);

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_ADOPT_SESSIONS_H_
