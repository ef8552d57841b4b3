#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "client/cli/commands.h"
#include "client/cli/model_table.h"
#include "client/cli/target.h"

namespace rondo {
namespace {

constexpr char kForecastDescription[] =
    R"(Feeds the model's outputs back as its inputs, from where the session stands; the session does not
move. Row k of the answer is the k-th step after the session's last one. --known is a CSV table with
a row for each of the steps 1 to N-1: the inputs that the model does not feed back, and a time
column if there is one. A model with inputs that are known before takes rows for the steps 1 to N,
or for as many more as it looks ahead. More rows are ignored. Without a time column in it the time
of each step is printed, if the model's table says how long a step is and the session's rows had
times.

examples:
  rondo forecast seattle --session=my-town --horizon=7
  rondo forecast load --session=grid --horizon=24 --known=tomorrow.csv
)";

struct ForecastCommandOptions {
  std::string session;
  int horizon = 0;
  std::string known;  // empty: nothing is known
  int paths = 0;      // 0: none are sampled
  std::string time;
  std::string series;
};

// What --known says of the steps ahead.
struct KnownSteps {
  Timesteps timesteps;                            // [horizon - 1]
  std::vector<std::string> columns;               // the table's leading ones
  std::vector<std::vector<std::string>> leading;  // [horizon]; of the last step empty cells if the table lacks it
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

absl::StatusOr<KnownSteps> ReadKnownSteps(const ForecastCommandOptions& options, const ModelDescription& model) {
  const int horizon = options.horizon;
  KnownSteps known;
  known.leading.resize(static_cast<size_t>(horizon));
  if (options.known.empty()) return known;
  absl::StatusOr<InputTable> table =
      OpenTable(options.known, model, {options.time, /*time_is_optional=*/true, FedBackInputs(model), options.series});
  if (!table.ok()) return table.status();
  known.columns = table->mapping.LeadingColumns();
  // The last step's inputs are not needed, but its time is shown if it is there.
  for (int step = 1; step <= horizon; ++step) {
    CsvRow row;
    const absl::StatusOr<bool> found = step < horizon ? table->Next(&row) : table->NextIncomplete(&row);
    if (!found.ok()) return found.status();
    const size_t ahead = table->mapping.ahead();
    if (!*found && step < horizon) {
      return Invalid("--known has ", ahead == 0 ? absl::StrCat(step - 1) : "too few", " rows; --horizon=", horizon,
                     " takes ", static_cast<size_t>(horizon) - 1 + ahead);
    }
    Timesteps last;
    absl::Status status = *found && row.later.size() == ahead
                              ? table->mapping.Append(row, step < horizon ? &known.timesteps : &last)
                              : absl::OkStatus();
    if (!status.ok()) return status;
    known.leading[static_cast<size_t>(step - 1)] =
        *found ? table->mapping.LeadingCells(row) : std::vector<std::string>(known.columns.size());
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

// Names the times of the steps ahead, if no table has and the server knows when the last step was.
absl::Status AddTimes(const ModelDescription& model, std::optional<int64_t> last_time, KnownSteps* known) {
  const absl::StatusOr<TableFormat> table = TableOf(model);
  if (!table.ok()) return table.status();
  if (!known->columns.empty() || !last_time.has_value() || !table->step.known()) return absl::OkStatus();
  known->columns = {table->time_column.empty() ? "time" : table->time_column};
  const absl::TimeZone zone = ReadingOf(*table)->zone;
  for (size_t step = 0; step < known->leading.size(); ++step) {
    const int64_t time = AddSteps(table->step, zone, *last_time * 1'000'000, static_cast<int64_t>(step) + 1);
    known->leading[step] = {FormatMicroseconds(time, zone)};
  }
  return absl::OkStatus();
}

absl::Status WriteForecast(const CommandContext& context, const ModelDescription& model, const std::string& series,
                           KnownSteps known, const std::vector<float>& values) {
  known.columns.push_back("step");
  for (size_t step = 0; step < known.leading.size(); ++step) known.leading[step].push_back(absl::StrCat(step + 1));
  absl::Status status = WriteHeader(context, model, known.columns);
  if (status.ok()) status = WritePredictions(context, model, series, known.leading, values);
  return status.ok() ? context.output.Flush() : status;
}

absl::Status RunForecast(const CommandContext& context, const ForecastCommandOptions& options) {
  absl::StatusOr<Target> target = OpenTarget(context, options.session);
  if (!target.ok()) return target.status();
  absl::StatusOr<KnownSteps> known = ReadKnownSteps(options, target->model);
  if (!known.ok()) return known.status();
  ForecastInput input;
  input.horizon = options.horizon;
  input.known_inputs = known->timesteps.values;
  input.known_times = known->timesteps.times;
  input.num_paths = options.paths;
  ModelDescription answered = target->model;
  if (options.paths > 0) answered = WithPathQuantiles(std::move(answered), &input);
  input.session_id = options.session;
  const absl::StatusOr<ForecastOutput> output = context.client.Forecast(target->model.name, input);
  if (!output.ok()) return output.status();
  if (absl::Status status = AddTimes(target->model, output->last_time, &*known); !status.ok()) return status;
  return WriteForecast(context, answered, options.series, *std::move(known), output->values);
}

}  // namespace

Command ForecastCommand() {
  constexpr int kMost = std::numeric_limits<int>::max();
  auto options = std::make_shared<ForecastCommandOptions>();
  return {"forecast",
          {"MODEL"},
          {Required({"session", Text(&options->session, "ID"), "The live session, after at least one step."}),
           Required({"horizon", Number(&options->horizon, {1, kMost}, "N"), "Steps ahead."}),
           {"known", Text(&options->known, "FILE|-"), "What is known of the steps ahead; '-' is stdin."},
           {"paths", Number(&options->paths, {1, kMost}, "N"),
            "Gaussian heads: sample N paths, print their 0.1, 0.5 and 0.9 quantiles."},
           TimeOption(&options->time),
           SeriesOption(&options->series)},
          "The next N steps of a session.",
          kForecastDescription,
          [options](const CommandContext& context) { return RunForecast(context, *options); }};
}

}  // namespace rondo
