#include "model/spec_json.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/json_text.h"
#include "model/object_reader.h"
#include "model/table_json.h"

namespace rondo {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
using Need = ObjectReader::Need;

constexpr int64_t kFormat = 1;

template <typename Enum>
using Choices = ObjectReader::Choices<Enum>;

const Choices<Cell>& CellChoices() {
  static const auto& choices = *new Choices<Cell>{{"lstm", Cell::kLstm}, {"gru", Cell::kGru}, {"rnn", Cell::kRnn}};
  return choices;
}
const Choices<GruReset>& ResetChoices() {
  static const auto& choices = *new Choices<GruReset>{{"before", GruReset::kBefore}, {"after", GruReset::kAfter}};
  return choices;
}
const Choices<GruUpdate>& UpdateChoices() {
  static const auto& choices = *new Choices<GruUpdate>{{"keep", GruUpdate::kKeep}, {"replace", GruUpdate::kReplace}};
  return choices;
}
const Choices<Activation>& ActivationChoices() {
  static const auto& choices = *new Choices<Activation>{{"tanh", Activation::kTanh}, {"relu", Activation::kRelu}};
  return choices;
}
const Choices<Head>& HeadChoices() {
  static const auto& choices = *new Choices<Head>{{"linear", Head::kLinear},
                                                  {"softmax", Head::kSoftmax},
                                                  {"gaussian", Head::kGaussian},
                                                  {"quantile", Head::kQuantile}};
  return choices;
}
const Choices<Calendar>& CalendarChoices() {
  static const auto& choices = *new Choices<Calendar>{
      {"hour", Calendar::kHour}, {"weekday", Calendar::kWeekday}, {"day_of_year", Calendar::kDayOfYear}};
  return choices;
}

template <typename Enum>
std::string NameOf(const Choices<Enum>& choices, Enum value) {
  for (const auto& choice : choices) {
    if (choice.second == value) return std::string(choice.first);
  }
  return "";
}

std::string Element(absl::string_view array, size_t index) { return absl::StrCat(array, "[", index, "]"); }

// Reads the keys that only one kind of cell takes. They cannot be guessed: a wrong guess gives plausible wrong numbers.
void ReadCell(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  root.Read("cell", Need::kRequired, CellChoices(), &spec->cell);
  const bool is_gru = spec->cell == Cell::kGru, is_rnn = spec->cell == Cell::kRnn;
  if (const Json* gru = root.Find("gru", is_gru ? Need::kRequired : Need::kOptional)) {
    if (!is_gru) root.Refuse("gru is set; only cell gru takes it");
    ObjectReader reader(*gru, "gru", status);
    reader.Read("reset", Need::kRequired, ResetChoices(), &spec->gru_reset);
    reader.Read("update", Need::kRequired, UpdateChoices(), &spec->gru_update);
    reader.RefuseOthers();
  }
  if (root.Find("activation", Need::kOptional) != nullptr && !is_rnn) {
    root.Refuse("activation is set; only cell rnn takes it");
  }
  root.Read("activation", is_rnn ? Need::kRequired : Need::kOptional, ActivationChoices(), &spec->activation);
}

void ReadInputs(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  const Json* inputs = root.Find("inputs", Need::kRequired);
  if (inputs == nullptr) return;
  if (inputs->is_object()) {
    ObjectReader reader(*inputs, "inputs", status);
    reader.Read("tokens", Need::kRequired, &spec->tokens);
    if (status->ok() && spec->tokens == 0) reader.Refuse("inputs.tokens is 0; it must be at least 1");
    return reader.RefuseOthers();
  }
  if (!inputs->is_array()) {
    return root.Refuse(absl::StrCat("inputs is ", JsonKind(*inputs), "; it must be an array or {\"tokens\": N}"));
  }
  for (size_t i = 0; i < inputs->size() && status->ok(); ++i) {
    InputFeature& input = spec->inputs.emplace_back();
    ObjectReader reader((*inputs)[i], Element("inputs", i), status);
    reader.Read("name", Need::kRequired, &input.name);
    reader.Read("mean", Need::kOptional, &input.mean);
    reader.Read("std", Need::kOptional, &input.std);
    reader.RefuseOthers();
  }
}

void ReadCalendar(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  const Json* calendar = root.FindArray("calendar", Need::kOptional);
  if (calendar == nullptr) return;
  for (size_t i = 0; i < calendar->size() && status->ok(); ++i) {
    root.Choose((*calendar)[i], Element("calendar", i), CalendarChoices(), &spec->calendar.emplace_back());
  }
}

void ReadOutputs(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  const Json* outputs = root.FindArray("outputs", Need::kRequired);
  if (outputs == nullptr) return;
  for (size_t i = 0; i < outputs->size() && status->ok(); ++i) {
    OutputFeature& output = spec->outputs.emplace_back();
    ObjectReader reader((*outputs)[i], Element("outputs", i), status);
    reader.Read("name", Need::kRequired, &output.name);
    reader.Read("mean", Need::kOptional, &output.mean);
    reader.Read("std", Need::kOptional, &output.std);
    reader.Read("added_to", Need::kOptional, &output.added_to);
    reader.RefuseOthers();
  }
}

void ReadNumbers(ObjectReader& root, absl::string_view key, std::vector<double>* numbers) {
  const Json* array = root.FindArray(key, Need::kOptional);
  if (array == nullptr) return;
  for (size_t i = 0; i < array->size(); ++i) {
    const Json& number = (*array)[i];
    if (!number.is_number()) {
      root.Refuse(absl::StrCat(Element(key, i), " is ", JsonKind(number), "; it must be a number"));
      return;
    }
    numbers->push_back(number.get<double>());
  }
}

void ReadFeedback(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  const Json* feedback = root.FindArray("feedback", Need::kOptional);
  if (feedback == nullptr) return;
  for (size_t i = 0; i < feedback->size() && status->ok(); ++i) {
    FeedbackLink& link = spec->feedback.emplace_back();
    ObjectReader reader((*feedback)[i], Element("feedback", i), status);
    reader.Read("output", Need::kRequired, &link.output);
    reader.Read("input", Need::kRequired, &link.input);
    reader.RefuseOthers();
  }
}

OrderedJson InputsJson(const ModelSpec& spec) {
  if (spec.tokens > 0) return {{"tokens", spec.tokens}};
  OrderedJson inputs = OrderedJson::array();
  for (const InputFeature& input : spec.inputs) {
    inputs.push_back({{"name", input.name}, {"mean", input.mean}, {"std", input.std}});
  }
  return inputs;
}

OrderedJson OutputsJson(const ModelSpec& spec) {
  OrderedJson outputs = OrderedJson::array();
  for (const OutputFeature& output : spec.outputs) {
    outputs.push_back({{"name", output.name}, {"mean", output.mean}, {"std", output.std}});
    if (!output.added_to.empty()) outputs.back()["added_to"] = output.added_to;
  }
  return outputs;
}

}  // namespace

absl::StatusOr<ModelSpec> ParseSpecJson(absl::string_view text) {
  const absl::StatusOr<Json> json = ParseJson(text);
  if (!json.ok()) return json.status();
  ModelSpec spec;
  absl::Status status;
  ObjectReader root(*json, "", &status);
  int64_t format = 0;
  root.Read("format", Need::kRequired, &format);
  if (status.ok() && format != kFormat) {
    root.Refuse(absl::StrCat("format is ", format, "; this version reads ", kFormat));
  }
  ReadCell(root, &spec, &status);
  ReadInputs(root, &spec, &status);
  ReadCalendar(root, &spec, &status);
  ReadOutputs(root, &spec, &status);
  root.Read("horizon", Need::kOptional, &spec.horizon);
  root.Read("head", Need::kOptional, HeadChoices(), &spec.head);
  ReadNumbers(root, "quantiles", &spec.quantiles);
  ReadNumbers(root, "band_factors", &spec.band_factors);
  ReadFeedback(root, &spec, &status);
  root.Read("step_seconds", Need::kOptional, &spec.step_seconds);
  ReadTable(root, &spec.table, &status);
  if (const Json* training = root.Find("training", Need::kOptional)) spec.training_json = training->dump();
  root.RefuseOthers();
  if (!status.ok()) return status;
  return spec;
}

std::string SpecJson(const ModelSpec& spec) {
  OrderedJson json;
  json["format"] = kFormat;
  json["cell"] = NameOf(CellChoices(), spec.cell);
  if (spec.cell == Cell::kGru) {
    json["gru"] = {{"reset", NameOf(ResetChoices(), spec.gru_reset)},
                   {"update", NameOf(UpdateChoices(), spec.gru_update)}};
  }
  if (spec.cell == Cell::kRnn) json["activation"] = NameOf(ActivationChoices(), spec.activation);
  json["inputs"] = InputsJson(spec);
  json["calendar"] = OrderedJson::array();
  for (const Calendar calendar : spec.calendar) json["calendar"].push_back(NameOf(CalendarChoices(), calendar));
  json["outputs"] = OutputsJson(spec);
  json["horizon"] = spec.horizon;
  json["head"] = NameOf(HeadChoices(), spec.head);
  if (!spec.quantiles.empty()) json["quantiles"] = spec.quantiles;
  json["feedback"] = OrderedJson::array();
  for (const FeedbackLink& link : spec.feedback) {
    json["feedback"].push_back({{"output", link.output}, {"input", link.input}});
  }
  if (!spec.band_factors.empty()) json["band_factors"] = spec.band_factors;
  json["step_seconds"] = spec.step_seconds;
  OrderedJson table = TableJson(spec.table);
  if (!table.is_null()) json["table"] = std::move(table);
  json["training"] = OrderedJson::parse(spec.training_json, nullptr, /*allow_exceptions=*/false);
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace rondo
