#ifndef RONDO_SERVER_METRICS_SERVED_MODEL_H_
#define RONDO_SERVER_METRICS_SERVED_MODEL_H_

#include <memory>

#include "model/model.h"

namespace rondo {

struct ModelMetrics;

// A live model and where its numbers are counted. Requests and sessions share it; the model lives while one of them
// does.
struct ServedModel {
  std::shared_ptr<const Model> model;
  ModelMetrics* metrics = nullptr;  // never null; owned by Metrics, which outlives every server part

  const ModelSpec& spec() const { return model->spec(); }
};

using ServedModelPtr = std::shared_ptr<const ServedModel>;

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_SERVED_MODEL_H_
