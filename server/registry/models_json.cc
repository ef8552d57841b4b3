#include "server/registry/models_json.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "model/network_table.h"
#include "nlohmann/json.hpp"

namespace rondo {
namespace {

using Json = nlohmann::ordered_json;

template <typename Feature>
Json NamesOf(const std::vector<Feature>& features) {
  Json names = Json::array();
  for (const Feature& feature : features) names.push_back(feature.name);
  return names;
}

Json ElementJson(const NetworkTableRow& row) {
  return {{"name", row.name},
          {"type", row.type},
          {"of", row.of},
          {"attributes", row.attributes},
          {"channels", row.output.channels},
          {"length", row.output.length},
          {"parameters", row.parameters},
          {"state_size", row.state_size},
          {"kernel", row.kernel}};
}

void AddModel(const Model& model, Json* json) {
  const ModelSpec& spec = model.spec();
  Json elements = Json::array();
  int64_t parameters = 0;
  for (const NetworkTableRow& row : NetworkTable(*model.network)) {
    elements.push_back(ElementJson(row));
    parameters += row.parameters;
  }
  json->update({{"fingerprint", absl::StrCat(absl::Hex(model.fingerprint, absl::kZeroPad16))},
                {"cell", std::string(spec.network_kind())},
                {"kernel", model.network->kernel_name()},
                {"deterministic", model.network->deterministic()},
                {"inputs", NamesOf(spec.inputs)},
                {"tokens", spec.tokens},
                {"needs_times", spec.needs_times()},
                {"outputs", NamesOf(spec.outputs)},
                {"horizon", spec.horizon},
                {"head", std::string(HeadName(spec.head))},
                {"quantiles", spec.quantiles},
                {"step_seconds", spec.step_seconds},
                {"whole_sequence", spec.whole_sequence()},
                {"parameters", parameters},
                {"state_size", spec.whole_sequence() ? 0 : spec.state_size()},
                {"elements", std::move(elements)}});
}

}  // namespace

std::string ModelsJson(const ModelRegistry& registry) {
  Json models = Json::array();
  for (const ModelRegistry::Known& known : registry.ListKnown()) {
    Json& model = models.emplace_back(Json{{"name", known.name},
                                           {"version", known.version},
                                           {"state", known.served != nullptr ? "ready" : "unavailable"},
                                           {"reason", std::string(known.failure.message())}});
    if (known.served != nullptr) AddModel(*known.served->model, &model);
  }
  // Names and reasons may have bytes of a file that are no UTF-8.
  return Json{{"models", std::move(models)}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace rondo
