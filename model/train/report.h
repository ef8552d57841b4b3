#ifndef RONDO_MODEL_TRAIN_REPORT_H_
#define RONDO_MODEL_TRAIN_REPORT_H_

#include <string>
#include <vector>

#include "model/model_spec.h"
#include "model/train/evaluation.h"
#include "model/train/ladder.h"
#include "model/train/trainer.h"
#include "nlohmann/json.hpp"

namespace rondo::train {

// Returns the scores as the JSON that scores.json has and the model's provenance keeps.
nlohmann::ordered_json ScoresJson(const Evaluation& evaluation);

// Returns the scores as a table for a terminal.
std::string ScoresTable(const Evaluation& evaluation);

struct ReportSource {
  const ModelSpec& spec;
  const Evaluation& evaluation;
  const LearningState& learning;
  const std::vector<Rung>& ladder;
  std::string title;
  std::vector<std::string> facts;  // one a line: data, parts, weights, time
};

// Returns one self-contained HTML page: scores, learning curves, forecast against actual, error by horizon, and the
// network's shape.
std::string RenderReport(const ReportSource& source);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_REPORT_H_
