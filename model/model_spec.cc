#include "model/model_spec.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "model/json/json_text.h"
#include "model/known_answers.h"
#include "model/table_json.h"

namespace rondo {
namespace {

constexpr int64_t kMaxLayers = 16;
constexpr int64_t kMaxHiddenSize = 16384;
constexpr int64_t kMaxTokens = int64_t{1} << 24;
constexpr int64_t kMaxInputs = int64_t{1} << 16;
constexpr int64_t kMaxOutputs = int64_t{1} << 20;
constexpr int64_t kMaxQuantiles = 99;
constexpr size_t kMaxNameBytes = 128;
constexpr double kMaxMagnitude = 1e30;  // of a mean or a standard deviation: well inside float
constexpr double kMaxStepSeconds = 1e10;

absl::Status CheckBounds(absl::string_view what, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Invalid(what, " is ", value, "; it must be ", least, " to ", most);
}

// Length in bytes of the printable UTF-8 character at the start of `text`, 0 if there is none (RFC 3629, table 3-7 of
// Unicode: no overlong form, no surrogate; and no control character).
size_t PrintableCharacter(absl::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned lead = byte(0), second = byte(1);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) && !(lead == 0xC2 && second < 0xA0) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

absl::Status CheckName(absl::string_view where, absl::string_view name) {
  if (name.empty()) return Invalid(where, ".name is empty");
  if (name.size() > kMaxNameBytes) {
    return Invalid(where, ".name has ", name.size(), " bytes; it must have at most ", kMaxNameBytes);
  }
  for (absl::string_view rest = name; !rest.empty();) {
    const size_t length = PrintableCharacter(rest);
    if (length == 0) return Invalid(where, ".name is ", Quoted(name), "; it must be printable UTF-8");
    rest.remove_prefix(length);
  }
  return absl::OkStatus();
}

// Names, mean and std of `inputs` or `outputs`, which are called `what`.
template <typename Feature>
absl::Status CheckFeatures(absl::string_view what, const std::vector<Feature>& features) {
  std::set<absl::string_view> names;
  for (size_t i = 0; i < features.size(); ++i) {
    const Feature& feature = features[i];
    const std::string where = absl::StrCat(what, "[", i, "]");
    if (absl::Status status = CheckName(where, feature.name); !status.ok()) return status;
    if (!names.insert(feature.name).second) return Invalid(where, ".name is ", Quoted(feature.name), ", used before");
    if (!(std::abs(feature.mean) <= kMaxMagnitude)) {
      return Invalid(where, ".mean is ", feature.mean, "; it must be finite and at most ", kMaxMagnitude);
    }
    if (!(feature.std >= 1 / kMaxMagnitude && feature.std <= kMaxMagnitude)) {
      return Invalid(where, ".std is ", feature.std, "; it must be ", 1 / kMaxMagnitude, " to ", kMaxMagnitude);
    }
  }
  return absl::OkStatus();
}

// A set, not a search for each name: a hostile file can bring ten thousand of both.
template <typename Feature>
std::set<absl::string_view> Names(const std::vector<Feature>& features) {
  std::set<absl::string_view> names;
  for (const Feature& feature : features) names.insert(feature.name);
  return names;
}

absl::Status CheckGraph(const ModelSpec& spec) {
  if (spec.graph->input().width != spec.feature_size() || spec.graph->input().tokens != spec.tokens) {
    return Invalid("the graph takes ", spec.graph->input().width, " numbers; the inputs are ", spec.feature_size());
  }
  if (spec.graph->output_size() == spec.output_size()) return absl::OkStatus();
  return Invalid("element '", spec.graph->output_name(), "' answers ", spec.graph->output_size(),
                 " numbers; horizon x outputs x numbers an output is ", spec.output_size());
}

absl::Status CheckNetwork(const ModelSpec& spec) {
  if (spec.graph != nullptr) return absl::OkStatus();
  if (absl::Status status = CheckBounds("num_layers", spec.num_layers, 1, kMaxLayers); !status.ok()) return status;
  if (absl::Status status = CheckBounds("hidden_size", spec.hidden_size, 1, kMaxHiddenSize); !status.ok()) {
    return status;
  }
  if (spec.cell != Cell::kRnn && spec.activation != Activation::kTanh) {
    return Invalid("activation is relu; only cell rnn takes it, and this is ", CellName(spec.cell));
  }
  return absl::OkStatus();
}

absl::Status CheckSources(const ModelSpec& spec) {
  constexpr int64_t kMostAhead = 10'000;
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    const InputSource& source = spec.inputs[i].source;
    const std::string where = absl::StrCat("inputs[", i, "]");
    for (const std::string* text : {&source.column, &source.category}) {
      if (text->size() > kMaxNameBytes) {
        return Invalid(where, " has a column or category of ", text->size(), " bytes; it must have at most ",
                       kMaxNameBytes);
      }
    }
    if (absl::Status status = CheckBounds(where + ".ahead", source.ahead, 0, kMostAhead); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckInputs(const ModelSpec& spec) {
  if (spec.vocabulary != nullptr && static_cast<int64_t>(spec.vocabulary->size()) != spec.tokens) {
    return Invalid("vocabulary has ", spec.vocabulary->size(), " texts; tokens is ", spec.tokens);
  }
  if (spec.tokens != 0) {
    if (absl::Status status = CheckBounds("tokens", spec.tokens, 1, kMaxTokens); !status.ok()) return status;
    if (!spec.inputs.empty()) return Invalid("inputs names features and tokens is set; a model takes one of them");
    if (!spec.calendar.empty()) return Invalid("calendar is set; a token model takes none");
    if (spec.graph != nullptr) return absl::OkStatus();
    return CheckBounds("embedding_size", spec.embedding_size, 1, kMaxHiddenSize);
  }
  if (spec.embedding_size != 0)
    return Invalid("embedding_size is ", spec.embedding_size, "; only a token model has one");
  const int64_t inputs = spec.inputs.size();
  if (absl::Status status = CheckBounds("the number of inputs", inputs, 1, kMaxInputs); !status.ok()) return status;
  if (absl::Status status = CheckFeatures("inputs", spec.inputs); !status.ok()) return status;
  if (absl::Status status = CheckSources(spec); !status.ok()) return status;
  if (std::set<Calendar>(spec.calendar.begin(), spec.calendar.end()).size() != spec.calendar.size()) {
    return Invalid("calendar has an entry twice");
  }
  return absl::OkStatus();
}

absl::Status CheckOutputs(const ModelSpec& spec) {
  const int64_t outputs = spec.outputs.size();
  if (absl::Status status = CheckBounds("the number of outputs", outputs, 1, kMaxOutputs); !status.ok()) return status;
  if (absl::Status status = CheckBounds("horizon", spec.horizon, 1, kMaxOutputs / outputs); !status.ok()) return status;
  if (absl::Status status = CheckFeatures("outputs", spec.outputs); !status.ok()) return status;
  const int64_t most_values = kMaxOutputs / outputs / spec.horizon, values = spec.values_per_output();
  if (absl::Status status = CheckBounds("values per output", values, 1, most_values); !status.ok()) return status;
  const std::set<absl::string_view> input_names = Names(spec.inputs);
  for (size_t i = 0; i < spec.outputs.size(); ++i) {
    const OutputFeature& output = spec.outputs[i];
    if (!output.added_to.empty() && input_names.count(output.added_to) == 0) {
      return Invalid("outputs[", i, "].added_to is ", Quoted(output.added_to), "; no input has that name");
    }
    const bool probabilities = spec.head == Head::kSoftmax || spec.head == Head::kSigmoid;
    if (probabilities && (output.mean != 0 || output.std != 1 || !output.added_to.empty())) {
      return Invalid("outputs[", i, "] has mean, std or added_to; head ", HeadName(spec.head),
                     " answers probabilities and takes none");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckQuantiles(const ModelSpec& spec) {
  if (spec.head != Head::kQuantile) {
    if (spec.quantiles.empty()) return absl::OkStatus();
    return Invalid("quantiles is set; only head quantile takes it, and this is ", HeadName(spec.head));
  }
  const int64_t quantiles = spec.quantiles.size();
  if (absl::Status status = CheckBounds("the number of quantiles", quantiles, 1, kMaxQuantiles); !status.ok()) {
    return status;
  }
  double last = 0;
  for (const double quantile : spec.quantiles) {
    if (!(quantile > last && quantile < 1)) {
      return Invalid("quantiles has ", quantile, " after ", last, "; they must grow, inside (0, 1)");
    }
    last = quantile;
  }
  return absl::OkStatus();
}

absl::Status CheckBandFactors(const ModelSpec& spec) {
  constexpr size_t kMost = size_t{1} << 16;
  constexpr double kWidest = 1e6;
  const std::vector<double>& factors = spec.band_factors;
  if (factors.empty()) return absl::OkStatus();
  if (spec.head != Head::kGaussian) return Invalid("band_factors is set; only head gaussian samples paths");
  if (factors.size() > kMost || factors.size() % spec.outputs.size() != 0) {
    return Invalid("band_factors has ", factors.size(), " numbers; it must be one for each output and step, at most ",
                   kMost);
  }
  for (const double factor : factors) {
    if (!(factor > 0 && factor <= kWidest))
      return Invalid("band_factors has ", factor, "; wanted more than 0 and at most ", kWidest);
  }
  return absl::OkStatus();
}

absl::Status CheckFeedback(const ModelSpec& spec) {
  const std::set<absl::string_view> input_names = Names(spec.inputs), output_names = Names(spec.outputs);
  std::set<absl::string_view> fed;
  for (size_t i = 0; i < spec.feedback.size(); ++i) {
    const FeedbackLink& link = spec.feedback[i];
    if (output_names.count(link.output) == 0) {
      return Invalid("feedback[", i, "].output is ", Quoted(link.output), "; no output has that name");
    }
    if (input_names.count(link.input) == 0) {
      return Invalid("feedback[", i, "].input is ", Quoted(link.input), "; no input has that name");
    }
    if (!fed.insert(link.input).second) return Invalid("feedback feeds the input ", Quoted(link.input), " twice");
  }
  return absl::OkStatus();
}

absl::Status CheckProvenance(const ModelSpec& spec) {
  if (!(spec.step_seconds >= 0 && spec.step_seconds <= kMaxStepSeconds)) {
    return Invalid("step_seconds is ", spec.step_seconds, "; it must be 0 (unknown) to ", kMaxStepSeconds);
  }
  if (absl::Status status = CheckTable(spec.table); !status.ok()) return status;
  if (absl::Status status = CheckBandFactors(spec); !status.ok()) return status;
  const absl::StatusOr<nlohmann::json> training = ParseJson(spec.training_json);
  if (!training.ok()) return Invalid("training: ", training.status().message());
  if (!training->is_object()) return Invalid("training is ", JsonKind(*training), "; it must be an object");
  return absl::OkStatus();
}

}  // namespace

int64_t ModelSpec::feature_size() const {
  if (tokens > 0) return graph != nullptr ? 1 : embedding_size;
  return static_cast<int64_t>(inputs.size() + 2 * calendar.size());
}

int64_t ModelSpec::values_per_output() const {
  switch (head) {
    case Head::kGaussian:
      return 2;
    case Head::kQuantile:
      return static_cast<int64_t>(quantiles.size());
    case Head::kLinear:
    case Head::kSigmoid:
    case Head::kSoftmax:
      break;
  }
  return 1;
}

int64_t ModelSpec::output_size() const { return horizon * static_cast<int64_t>(outputs.size()) * values_per_output(); }

int64_t ModelSpec::state_size() const {
  if (graph != nullptr) return graph->state_size();
  return num_layers * hidden_size * StateCount(cell);
}

absl::string_view ModelSpec::network_kind() const { return graph != nullptr ? "graph" : CellName(cell); }

absl::Status ModelSpec::Validate() const {
  for (const auto check :
       {CheckNetwork, CheckInputs, CheckQuantiles, CheckOutputs, CheckFeedback, CheckProvenance, CheckKnownAnswers}) {
    if (absl::Status status = check(*this); !status.ok()) return status;
  }
  return graph == nullptr ? absl::OkStatus() : CheckGraph(*this);
}

absl::string_view CellName(Cell cell) {
  switch (cell) {
    case Cell::kLstm:
      return "lstm";
    case Cell::kGru:
      return "gru";
    case Cell::kRnn:
      return "rnn";
  }
  return "";
}

absl::string_view HeadName(Head head) {
  switch (head) {
    case Head::kLinear:
      return "linear";
    case Head::kSigmoid:
      return "sigmoid";
    case Head::kSoftmax:
      return "softmax";
    case Head::kGaussian:
      return "gaussian";
    case Head::kQuantile:
      return "quantile";
  }
  return "";
}

}  // namespace rondo
