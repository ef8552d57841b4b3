#ifndef RONDO_SERVER_REGISTRY_MODELS_JSON_H_
#define RONDO_SERVER_REGISTRY_MODELS_JSON_H_

#include <string>

#include "server/registry/model_registry.h"

namespace rondo {

// {"models": [...]}: what `rondo models` and `rondo models --graph` say of each version that is known, by name, then
// version, in the words of rondo.v1.Model, and its fingerprint. Of one that is not live there are name, version, state
// and reason only.
std::string ModelsJson(const ModelRegistry& registry);

}  // namespace rondo

#endif  // RONDO_SERVER_REGISTRY_MODELS_JSON_H_
