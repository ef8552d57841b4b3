#include "model/spec_json.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"
#include "model/json/object_reader.h"
#include "model/known_answers_json.h"
#include "model/network/cell_element.h"
#include "model/table_json.h"

namespace rondo {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
using Need = ObjectReader::Need;

constexpr int64_t kStackFormat = 1, kGraphFormat = 2;

template <typename Enum>
using Choices = ObjectReader::Choices<Enum>;

const Choices<Cell>& CellChoices() {
  static const auto& choices = *new Choices<Cell>{{"lstm", Cell::kLstm}, {"gru", Cell::kGru}, {"rnn", Cell::kRnn}};
  return choices;
}
const Choices<Activation>& ActivationChoices() {
  static const auto& choices = *new Choices<Activation>{{"tanh", Activation::kTanh}, {"relu", Activation::kRelu}};
  return choices;
}
const Choices<Head>& HeadChoices() {
  static const auto& choices = *new Choices<Head>{{"linear", Head::kLinear},
                                                  {"sigmoid", Head::kSigmoid},
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

const Choices<WeightFormat>& WeightFormatChoices() {
  static const auto& choices = *new Choices<WeightFormat>{
      {"f32", WeightFormat::kF32}, {"bf16", WeightFormat::kBf16}, {"int8", WeightFormat::kInt8}};
  return choices;
}

template <typename Enum>
std::string NameOf(const Choices<Enum>& choices, Enum value) {
  for (const auto& choice : choices) {
    if (choice.second == value) return std::string(choice.first);
  }
  return "";
}

std::string ElementOf(absl::string_view array, size_t index) { return absl::StrCat(array, "[", index, "]"); }

// Reads the keys that only one kind of cell takes. They cannot be guessed: a wrong guess gives plausible wrong numbers.
void ReadCell(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  root.Read("cell", Need::kRequired, CellChoices(), &spec->cell);
  const bool is_gru = spec->cell == Cell::kGru, is_rnn = spec->cell == Cell::kRnn;
  if (const Json* gru = root.Find("gru", is_gru ? Need::kRequired : Need::kOptional)) {
    if (!is_gru) root.Refuse("gru is set; only cell gru takes it");
    ObjectReader reader(*gru, "gru", status);
    reader.Read("reset", Need::kRequired, GruResetChoices(), &spec->gru_reset);
    reader.Read("update", Need::kRequired, GruUpdateChoices(), &spec->gru_update);
    reader.RefuseOthers();
  }
  if (root.Find("activation", Need::kOptional) != nullptr && !is_rnn) {
    root.Refuse("activation is set; only cell rnn takes it");
  }
  root.Read("activation", is_rnn ? Need::kRequired : Need::kOptional, ActivationChoices(), &spec->activation);
}

// Inputs or outputs that a description only counts: it announces their names, and brings none.
constexpr int64_t kMostBySize = int64_t{1} << 16;

// Reads the texts of a token model's tokens.
void ReadVocabulary(ObjectReader& reader, ModelSpec* spec) {
  const Json* const array = reader.FindArray("vocabulary", Need::kOptional);
  if (array == nullptr) return;
  std::vector<std::string> texts;
  for (const Json& text : *array) {
    if (!text.is_string()) {
      return reader.Refuse(absl::StrCat(reader.Where(ElementOf("vocabulary", texts.size())), " is ", JsonKind(text),
                                        "; it must be a string"));
    }
    texts.push_back(text.get<std::string>());
  }
  auto vocabulary = Vocabulary::Create(std::move(texts));
  if (!vocabulary.ok()) return reader.Refuse(absl::StrCat("inputs.", vocabulary.status().message()));
  spec->vocabulary = *std::move(vocabulary);
}

int64_t ReadSize(ObjectReader& reader) {
  int64_t size = 0;
  reader.Read("size", Need::kRequired, &size);
  if (size >= 1 && size <= kMostBySize) return size;
  reader.Refuse(absl::StrCat(reader.Where("size"), " is ", size, "; it must be 1 to ", kMostBySize));
  return 1;
}

void ReadInputs(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  const Json* inputs = root.Find("inputs", Need::kRequired);
  if (inputs == nullptr) return;
  if (inputs->is_object()) {
    ObjectReader reader(*inputs, "inputs", status);
    if (reader.Find("size", Need::kOptional) != nullptr) {
      spec->inputs_by_size = true;
      spec->inputs = NumberedFeatures<InputFeature>("x", ReadSize(reader));
    } else {
      reader.Read("tokens", Need::kRequired, &spec->tokens);
      if (status->ok() && spec->tokens == 0) reader.Refuse("inputs.tokens is 0; it must be at least 1");
      ReadVocabulary(reader, spec);
    }
    return reader.RefuseOthers();
  }
  if (!inputs->is_array()) {
    return root.Refuse(
        absl::StrCat("inputs is ", JsonKind(*inputs), "; it must be an array or {\"tokens\": N} or {\"size\": N}"));
  }
  for (size_t i = 0; i < inputs->size() && status->ok(); ++i) {
    InputFeature& input = spec->inputs.emplace_back();
    ObjectReader reader((*inputs)[i], ElementOf("inputs", i), status);
    reader.Read("name", Need::kRequired, &input.name);
    reader.Read("mean", Need::kOptional, &input.mean);
    reader.Read("std", Need::kOptional, &input.std);
    reader.Read("column", Need::kOptional, &input.source.column);
    reader.Read("category", Need::kOptional, &input.source.category);
    reader.Read("ahead", Need::kOptional, &input.source.ahead);
    reader.Read("remembered", Need::kOptional, &input.source.remembered);
    reader.RefuseOthers();
  }
}

void ReadCalendar(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  const Json* calendar = root.FindArray("calendar", Need::kOptional);
  if (calendar == nullptr) return;
  for (size_t i = 0; i < calendar->size() && status->ok(); ++i) {
    root.Choose((*calendar)[i], ElementOf("calendar", i), CalendarChoices(), &spec->calendar.emplace_back());
  }
}

void ReadOutputs(ObjectReader& root, Need need, ModelSpec* spec, absl::Status* status) {
  const Json* outputs = root.Find("outputs", need);
  if (outputs == nullptr) return;
  if (outputs->is_object()) {
    ObjectReader reader(*outputs, root.Where("outputs"), status);
    spec->outputs_by_size = true;
    spec->outputs = NumberedFeatures<OutputFeature>("y", ReadSize(reader));
    return reader.RefuseOthers();
  }
  outputs = root.FindArray("outputs", need);
  if (outputs == nullptr) return;
  for (size_t i = 0; i < outputs->size() && status->ok(); ++i) {
    OutputFeature& output = spec->outputs.emplace_back();
    ObjectReader reader((*outputs)[i], ElementOf("outputs", i), status);
    reader.Read("name", Need::kRequired, &output.name);
    reader.Read("mean", Need::kOptional, &output.mean);
    reader.Read("std", Need::kOptional, &output.std);
    reader.Read("added_to", Need::kOptional, &output.added_to);
    reader.RefuseOthers();
  }
}

void ReadFeedback(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  const Json* feedback = root.FindArray("feedback", Need::kOptional);
  if (feedback == nullptr) return;
  for (size_t i = 0; i < feedback->size() && status->ok(); ++i) {
    FeedbackLink& link = spec->feedback.emplace_back();
    ObjectReader reader((*feedback)[i], ElementOf("feedback", i), status);
    reader.Read("output", Need::kRequired, &link.output);
    reader.Read("input", Need::kRequired, &link.input);
    reader.RefuseOthers();
  }
}

OrderedJson InputsJson(const ModelSpec& spec) {
  if (spec.tokens > 0) {
    OrderedJson inputs = {{"tokens", spec.tokens}};
    if (spec.vocabulary != nullptr) inputs["vocabulary"] = spec.vocabulary->texts();
    return inputs;
  }
  if (spec.inputs_by_size) return {{"size", spec.inputs.size()}};
  OrderedJson inputs = OrderedJson::array();
  for (const InputFeature& input : spec.inputs) {
    OrderedJson& json = inputs.emplace_back();
    json = {{"name", input.name}, {"mean", input.mean}, {"std", input.std}};
    if (!input.source.column.empty()) json["column"] = input.source.column;
    if (!input.source.category.empty()) json["category"] = input.source.category;
    if (input.source.ahead > 0) json["ahead"] = input.source.ahead;
    if (input.source.remembered) json["remembered"] = true;
  }
  return inputs;
}

OrderedJson OutputsJson(const ModelSpec& spec) {
  if (spec.outputs_by_size) return {{"size", spec.outputs.size()}};
  OrderedJson outputs = OrderedJson::array();
  for (const OutputFeature& output : spec.outputs) {
    outputs.push_back({{"name", output.name}, {"mean", output.mean}, {"std", output.std}});
    if (!output.added_to.empty()) outputs.back()["added_to"] = output.added_to;
  }
  return outputs;
}

// What a reply is.
void ReadReply(ObjectReader& reader, Need need, ModelSpec* spec, absl::Status* status) {
  ReadOutputs(reader, need, spec, status);
  reader.Read("horizon", Need::kOptional, &spec->horizon);
  reader.Read("head", Need::kOptional, HeadChoices(), &spec->head);
  reader.ReadNumbers("quantiles", &spec->quantiles);
}

// Outputs that the description does not list are as many as the graph answers.
void CountOutputs(ObjectReader& reader, ModelSpec* spec) {
  const int64_t values = spec->values_per_output();
  if (!spec->outputs.empty() || spec->horizon < 1 || values < 1) return;
  const int64_t count = spec->graph->output_size() / values / spec->horizon;
  if (count > kMostBySize) {
    return reader.Refuse(absl::StrCat("output.outputs would be ", count, "; without names at most ", kMostBySize));
  }
  spec->outputs_by_size = true;
  spec->outputs = NumberedFeatures<OutputFeature>("y", count);
}

void ReadElements(ObjectReader& root, ModelSpec* spec, absl::Status* status) {
  const Json* const elements = root.Find("elements", Need::kRequired);
  const Json* const output = root.Find("output", Need::kRequired);
  if (elements == nullptr || output == nullptr) return;
  ObjectReader reader(*output, "output", status);
  std::string of;
  reader.Read("of", Need::kRequired, &of);
  ReadReply(reader, Need::kOptional, spec, status);
  reader.RefuseOthers();
  if (!status->ok()) return;
  const int64_t width = spec->tokens > 0 ? 1 : static_cast<int64_t>(spec->inputs.size() + 2 * spec->calendar.size());
  if (width < 1) return root.Refuse("inputs is empty; it must name at least one");
  auto graph = Graph::Read(*elements, {width, spec->tokens}, of);
  if (!graph.ok()) return root.Refuse(graph.status().message());
  spec->graph = *std::move(graph);
  CountOutputs(root, spec);
}

void WriteReply(const ModelSpec& spec, OrderedJson* json) {
  (*json)["outputs"] = OutputsJson(spec);
  (*json)["horizon"] = spec.horizon;
  (*json)["head"] = NameOf(HeadChoices(), spec.head);
  if (!spec.quantiles.empty()) (*json)["quantiles"] = spec.quantiles;
}

void WriteCell(const ModelSpec& spec, OrderedJson* json) {
  (*json)["cell"] = NameOf(CellChoices(), spec.cell);
  if (spec.cell == Cell::kGru) (*json)["gru"] = CellAttributes(spec);
  if (spec.cell == Cell::kRnn) json->update(CellAttributes(spec));
}

}  // namespace

OrderedJson CellAttributes(const ModelSpec& spec) {
  if (spec.cell == Cell::kGru) {
    return {{"reset", NameOf(GruResetChoices(), spec.gru_reset)},
            {"update", NameOf(GruUpdateChoices(), spec.gru_update)}};
  }
  if (spec.cell == Cell::kRnn) return {{"activation", NameOf(ActivationChoices(), spec.activation)}};
  return OrderedJson::object();
}

absl::StatusOr<ModelSpec> ParseSpecJson(absl::string_view text) {
  const absl::StatusOr<Json> json = ParseJson(text);
  if (!json.ok()) return json.status();
  ModelSpec spec;
  absl::Status status;
  ObjectReader root(*json, "", &status);
  int64_t format = 0;
  root.Read("format", Need::kRequired, &format);
  if (status.ok() && format != kStackFormat && format != kGraphFormat) {
    root.Refuse(absl::StrCat("format is ", format, "; this version reads ", kStackFormat, " and ", kGraphFormat));
  }
  if (format == kStackFormat) ReadCell(root, &spec, &status);
  ReadInputs(root, &spec, &status);
  ReadCalendar(root, &spec, &status);
  if (format == kStackFormat) {
    ReadReply(root, Need::kRequired, &spec, &status);
  } else {
    ReadElements(root, &spec, &status);
  }
  root.ReadNumbers("band_factors", &spec.band_factors);
  ReadFeedback(root, &spec, &status);
  root.Read("step_seconds", Need::kOptional, &spec.step_seconds);
  ReadTable(root, &spec.table, &status);
  root.Read("weights", Need::kOptional, WeightFormatChoices(), &spec.weights);
  ReadKnownAnswers(root, &spec.accuracy, &status);
  if (const Json* training = root.Find("training", Need::kOptional)) spec.training_json = training->dump();
  root.RefuseOthers();
  if (!status.ok()) return status;
  return spec;
}

std::string SpecJson(const ModelSpec& spec) {
  OrderedJson json;
  json["format"] = spec.graph == nullptr ? kStackFormat : kGraphFormat;
  if (spec.graph == nullptr) WriteCell(spec, &json);
  json["inputs"] = InputsJson(spec);
  json["calendar"] = OrderedJson::array();
  for (const Calendar calendar : spec.calendar) json["calendar"].push_back(NameOf(CalendarChoices(), calendar));
  if (spec.graph == nullptr) {
    WriteReply(spec, &json);
  } else {
    json["elements"] = spec.graph->ElementsJson();
    OrderedJson output = {{"of", spec.graph->output_name()}};
    WriteReply(spec, &output);
    json["output"] = std::move(output);
  }
  json["feedback"] = OrderedJson::array();
  for (const FeedbackLink& link : spec.feedback) {
    json["feedback"].push_back({{"output", link.output}, {"input", link.input}});
  }
  if (!spec.band_factors.empty()) json["band_factors"] = spec.band_factors;
  json["step_seconds"] = spec.step_seconds;
  OrderedJson table = TableJson(spec.table);
  if (!table.is_null()) json["table"] = std::move(table);
  if (spec.weights != WeightFormat::kF32) json["weights"] = WeightFormatName(spec.weights);
  if (!spec.accuracy.outputs.empty()) json["accuracy"] = KnownAnswersJson(spec.accuracy);
  json["training"] = OrderedJson::parse(spec.training_json, nullptr, /*allow_exceptions=*/false);
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace rondo
