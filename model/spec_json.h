#ifndef RONDO_MODEL_SPEC_JSON_H_
#define RONDO_MODEL_SPEC_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/model_spec.h"
#include "nlohmann/json.hpp"

namespace rondo {

// The JSON text of a model file: what tensors cannot say (README.md here has every key).
//
// Strict: an unknown key, a wrong type or a missing required key is INVALID_ARGUMENT and named with what came and what
// was wanted. num_layers, hidden_size and embedding_size stay 0: the tensors say them, and ModelSpec::Validate judges
// the whole afterwards.
absl::StatusOr<ModelSpec> ParseSpecJson(absl::string_view text);

// The text that parses to `spec` again. REQUIRES: spec.Validate() is OK.
std::string SpecJson(const ModelSpec& spec);

// The attributes that the cells of a plain stack have as elements of a graph: where a gru resets and how it updates,
// the activation of an rnn, none of an lstm.
nlohmann::ordered_json CellAttributes(const ModelSpec& spec);

}  // namespace rondo

#endif  // RONDO_MODEL_SPEC_JSON_H_
