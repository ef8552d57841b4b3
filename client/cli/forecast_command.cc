#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/csv_input.h"
#include "client/cli/target.h"

namespace rondo {
namespace {

constexpr char kDescription[] =
    R"(Feeds the model's outputs back as its inputs, from where the session stands; the session does not
move. Row k of the answer is the k-th step after the session's last one. --known is a CSV table with
a row for each of the steps 1 to N-1: the inputs that the model does not feed back, and a time
column if there is one. More rows are ignored.

examples:
  rondo forecast seattle --session=my-town --horizon=7
  rondo forecast load --session=grid --horizon=24 --known=tomorrow.csv
)";

struct Options {
  std::string session;
  int horizon = 0;
  std::string known;  // empty: nothing is known
  int paths = 0;      // 0: none are sampled
  std::string time;
};

// What --known says of the steps ahead.
struct KnownSteps {
  Timesteps timesteps;             // [horizon - 1]
  std::string time_name;           // empty: the table has no time column
  std::vector<std::string> times;  // as they stand in the table, [horizon]; the last one empty if it is not there
};

std::vector<std::string> FedBackInputs(const ModelDescription& model) {
  std::vector<std::string> inputs;
  for (const FeedbackDescription& link : model.feedback) inputs.push_back(link.input);
  return inputs;
}

bool FeedsAllBack(const ModelDescription& model) {
  const std::vector<std::string> fed_back = FedBackInputs(model);
  return model.tokens == 0 && std::all_of(model.inputs.begin(), model.inputs.end(), [&](const std::string& input) {
           return std::find(fed_back.begin(), fed_back.end(), input) != fed_back.end();
         });
}

absl::StatusOr<RowMapping> MapKnownColumns(const std::string& time_column, const ModelDescription& model,
                                           const std::vector<std::string>& header) {
  RowMapping::Options options;
  options.time_column = time_column;
  options.time_is_optional = true;
  options.optional_inputs = FedBackInputs(model);
  return RowMapping::Create(model, header, options);
}

absl::StatusOr<KnownSteps> ReadKnownSteps(const Options& options, const ModelDescription& model) {
  const int horizon = options.horizon;
  const absl::StatusOr<std::unique_ptr<CsvInput>> input = CsvInput::Open(options.known);
  if (!input.ok()) return input.status();
  const absl::StatusOr<RowMapping> mapping = MapKnownColumns(options.time, model, (*input)->header());
  if (!mapping.ok()) return mapping.status();
  KnownSteps known;
  if (mapping->has_time()) known.time_name = mapping->time_name();
  // The last step's inputs are not needed, but its time is shown if it is there.
  for (int step = 1; step <= horizon; ++step) {
    CsvRow row;
    const absl::StatusOr<bool> found = (*input)->Next(&row);
    if (!found.ok()) return found.status();
    if (!*found && step < horizon) {
      return absl::InvalidArgumentError(
          absl::StrCat("--known has ", step - 1, " rows; --horizon=", horizon, " takes ", horizon - 1));
    }
    Timesteps last;
    absl::Status status = *found ? mapping->Append(row, step < horizon ? &known.timesteps : &last) : absl::OkStatus();
    if (!status.ok()) return status;
    if (mapping->has_time()) known.times.push_back(*found ? mapping->TimeText(row) : "");
  }
  if (FeedsAllBack(model)) known.timesteps.values.clear();  // the table is there for its times
  return known;
}

// Sampled paths are answered as a quantile head would.
ModelDescription WithPathQuantiles(ModelDescription model, ForecastInput* input) {
  input->path_quantiles = {0.1, 0.5, 0.9};
  model.head = "quantile";
  model.quantiles = input->path_quantiles;
  model.output_size = model.horizon * static_cast<int>(model.outputs.size() * model.quantiles.size());
  return model;
}

absl::Status WriteForecast(const CommandContext& context, const ModelDescription& model, size_t horizon,
                           const KnownSteps& known, const std::vector<float>& values) {
  const auto output_size = static_cast<size_t>(model.output_size);
  if (values.size() != horizon * output_size) {
    return absl::InternalError(absl::StrCat("the server answered ", values.size(), " values to a horizon of ", horizon,
                                            "; output_size is ", output_size));
  }
  std::vector<std::string> cells = OutputColumns(model);
  cells.insert(cells.begin(), "step");
  if (!known.time_name.empty()) cells.insert(cells.begin(), known.time_name);
  absl::Status status = context.output.Row(cells);
  for (size_t step = 0; step < horizon && status.ok(); ++step) {
    cells.clear();
    if (!known.time_name.empty()) cells.push_back(known.times[step]);
    cells.push_back(absl::StrCat(step + 1));
    for (size_t i = 0; i < output_size; ++i) cells.push_back(FloatText(values[step * output_size + i]));
    status = context.output.Row(cells);
  }
  return status.ok() ? context.output.Flush() : status;
}

absl::Status Run(const CommandContext& context, const Options& options) {
  absl::StatusOr<Target> target = OpenTarget(context, options.session);
  if (!target.ok()) return target.status();
  KnownSteps known;
  if (!options.known.empty()) {
    absl::StatusOr<KnownSteps> read = ReadKnownSteps(options, target->model);
    if (!read.ok()) return read.status();
    known = *std::move(read);
  }
  ForecastInput input;
  input.horizon = options.horizon;
  input.known_inputs = known.timesteps.values;
  input.known_times = known.timesteps.times;
  input.num_paths = options.paths;
  ModelDescription answered = target->model;
  if (options.paths > 0) answered = WithPathQuantiles(std::move(answered), &input);
  const absl::StatusOr<std::vector<float>> values = target->session->Forecast(std::move(input));
  if (!values.ok()) return values.status();
  return WriteForecast(context, answered, static_cast<size_t>(options.horizon), known, *values);
}

}  // namespace

Command ForecastCommand() {
  constexpr int kMost = std::numeric_limits<int>::max();
  auto options = std::make_shared<Options>();
  return {"forecast",
          {"MODEL"},
          {Required({"session", Text(&options->session, "ID"), "The live session, after at least one step."}),
           Required({"horizon", Number(&options->horizon, {1, kMost}, "N"), "Steps ahead."}),
           {"known", Text(&options->known, "FILE|-"), "What is known of the steps ahead; '-' is stdin."},
           {"paths", Number(&options->paths, {1, kMost}, "N"),
            "Gaussian heads: sample N paths, print their 0.1, 0.5 and 0.9 quantiles."},
           TimeOption(&options->time)},
          "The next N steps of a session.",
          kDescription,
          [options](const CommandContext& context) { return Run(context, *options); }};
}

}  // namespace rondo
