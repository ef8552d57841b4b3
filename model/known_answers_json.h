#ifndef RONDO_MODEL_KNOWN_ANSWERS_JSON_H_
#define RONDO_MODEL_KNOWN_ANSWERS_JSON_H_

#include "absl/status/status.h"
#include "model/json/object_reader.h"
#include "model/model_spec.h"
#include "nlohmann/json.hpp"

namespace rondo {

// The key `accuracy` of a model's description (README.md here has the format). The sizes are the spec's affair.
void ReadKnownAnswers(ObjectReader& root, KnownAnswers* answers, absl::Status* status);
nlohmann::ordered_json KnownAnswersJson(const KnownAnswers& answers);

}  // namespace rondo

#endif  // RONDO_MODEL_KNOWN_ANSWERS_JSON_H_
