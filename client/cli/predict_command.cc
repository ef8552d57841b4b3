#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/target.h"
#include "client/cli/text_predictions.h"

namespace rondo {
namespace {

constexpr char kPredictDescription[] =
    R"(Without --session every run starts from a zero state, and nothing is kept on the server. With it the
session goes on where it stood. Tables of any length are sent piece by piece; if a row in the middle
is refused, the pieces before it have run, and the error says how far the session came.

CSV with a header row goes in and comes out. Columns are found by the model's input names; others
are ignored. A token model takes a column 'token', or a table of one column. Times are dates
(2015-01-31, 2015/01/31, 20150131, Jan 31 2015), months (2015-01) or years, dates with a time of day
(2015-01-31 13:45, UTC without an offset), or seconds, milli-, micro- or nanoseconds since 1970.
A model that rondo-train made says how its table was written: delimiter, decimal mark, time column,
format and zone, and what stands for no value; tables are then read alike, also gzip and UTF-16.
Where the model wants to know an input before, as the price of the next timestep, each row waits for
the row after it; the table then ends with rows that have no other value, and are no timesteps. Or a
column PRICE+1 has the next timestep's PRICE, and no row waits.
Row 1 is the first one after the header. Each row in is a row out; a time column comes out first.
With --text there is no header: each line is cut into the tokens of the model's vocabulary.

examples:
  rondo predict languages --input=words.txt --text --label
  rondo predict seattle --input=seattle-weather.csv > predictions.csv
  rondo predict seattle --input=- --session=my-town --time=day < today.csv
)";

struct PredictCommandOptions {
  std::string input;
  std::string session;
  RowMapping::Options table;
  bool label = false;
  bool text = false;

  Answer answer() const { return label ? Answer::kLabel : Answer::kNumbers; }
};

// Bounds of one message: well under a server's default of 4 MiB and 10,000 timesteps, and short enough that big
// networks answer within the deadline.
constexpr size_t kMaxRowsPerMessage = 256;
constexpr size_t kMaxFloatsPerMessage = size_t{1} << 18;

// A model that takes whole sequences is sent the table in one message. The server says if that is too long for it; this
// bounds only what is held here.
constexpr size_t kMaxRowsOfWholeSequence = size_t{1} << 20;

size_t RowsPerMessage(const ModelDescription& model) {
  if (model.whole_sequence) return kMaxRowsOfWholeSequence;
  const auto width = static_cast<size_t>(std::max({model.input_size, model.output_size, 1}));
  return std::clamp<size_t>(kMaxFloatsPerMessage / width, 1, kMaxRowsPerMessage);
}

// Rows that go in one message.
struct Piece {
  Timesteps timesteps;
  std::vector<std::vector<std::string>> leading;  // of each row, see RowMapping::LeadingCells
};

// One table through one model, piece by piece.
class TableRun {
 public:
  TableRun(const CommandContext& context, Target target, InputTable table, const PredictCommandOptions& options)
      : context_(context),
        target_(std::move(target)),
        table_(std::move(table)),
        series_(options.table.series),
        answer_(options.answer()) {}

  absl::Status Run() {
    const bool owns_session = !target_.session.has_value();
    absl::Status status = RunPieces();
    if (table_.mapping.odd_steps() > 0) {
      std::fprintf(stderr, "rondo: %lld rows are not one step after the row before; the last: %s\n",
                   static_cast<long long>(table_.mapping.odd_steps()), table_.mapping.last_odd_step().c_str());
    }
    if (context_.stderr_is_terminal && !context_.stdout_is_terminal) std::fprintf(stderr, "\r\033[K");
    if (status.ok()) table_.RemarkWaiting();
    if (!owns_session) return status.ok() || rows_ == 0 ? status : WithProgress(status);
    // If this fails, the server's idle timeout ends the session.
    if (target_.session.has_value()) (void)target_.session->End();
    return status;
  }

 private:
  absl::Status RunPieces() {
    absl::Status status = WriteHeader(context_, target_.model, table_.mapping.LeadingColumns(), answer_);
    while (status.ok() && !ended_) {
      Piece piece;
      status = ReadPiece(&piece);
      if (status.ok() && !piece.leading.empty()) status = RunPiece(piece);
    }
    return status.ok() ? context_.output.Flush() : status;
  }

  absl::Status ReadPiece(Piece* piece) {
    CsvRow row;
    while (piece->leading.size() < RowsPerMessage(target_.model)) {
      const absl::StatusOr<bool> found = table_.Next(&row);
      if (!found.ok()) return found.status();
      ended_ = !*found;
      if (ended_) return absl::OkStatus();
      absl::Status status = table_.mapping.Append(row, &piece->timesteps);
      if (!status.ok()) return status;
      piece->leading.push_back(table_.mapping.LeadingCells(row));
    }
    return absl::OkStatus();
  }

  absl::Status RunPiece(const Piece& piece) {
    const absl::StatusOr<std::vector<float>> values = Predict(piece.timesteps);
    if (!values.ok()) return values.status();
    rows_ += piece.leading.size();
    absl::Status status = WritePredictions(context_, target_.model, series_, piece.leading, *values, answer_);
    if (status.ok()) status = context_.output.Flush();
    if (context_.stderr_is_terminal && !context_.stdout_is_terminal) std::fprintf(stderr, "\r%zu rows", rows_);
    return status;
  }

  absl::StatusOr<std::vector<float>> Predict(const Timesteps& timesteps) {
    if (!target_.session.has_value()) {
      // The only piece needs no state on the server; more of them share a session of their own.
      if (ended_)
        return context_.client.Predict(target_.model.name, timesteps.values, timesteps.times,
                                       {target_.model.version, /*last_only=*/false, {}});
      absl::StatusOr<Session> session =
          context_.client.OpenSession(target_.model.name, /*id=*/"", target_.model.version);
      if (!session.ok()) return session.status();
      target_.session = *std::move(session);
    }
    return target_.session->Run(timesteps.values, timesteps.times);
  }

  absl::Status WithProgress(const absl::Status& status) const {
    return absl::Status(status.code(),
                        absl::StrCat(status.message(), " (rows 1 to ", rows_, " have run; session '",
                                     target_.session->id(), "' is at ", target_.session->position(), ")"));
  }

  const CommandContext& context_;
  Target target_;
  InputTable table_;
  const std::string series_;
  const Answer answer_;
  bool ended_ = false;  // the table
  size_t rows_ = 0;     // that have run
};

absl::Status RunPredict(const CommandContext& context, const PredictCommandOptions& options) {
  absl::StatusOr<Target> target = OpenTarget(context, options.session);
  if (!target.ok()) return target.status();
  if (options.text) {
    if (!target->session.has_value()) return PredictTexts(context, target->model, options.input, options.answer());
    return absl::InvalidArgumentError("--text and --session are given: each line is a text of its own; wanted one");
  }
  absl::StatusOr<InputTable> table = OpenTable(options.input, target->model, options.table);
  if (!table.ok()) return table.status();
  if (target->session.has_value()) RemarkPosition(context, *target->session);
  return TableRun(context, *std::move(target), *std::move(table), options).Run();
}

}  // namespace

Command PredictCommand() {
  auto options = std::make_shared<PredictCommandOptions>();
  return {"predict",
          {"MODEL"},
          {Required({"input", Text(&options->input, "FILE|-"), "The table; '-' is stdin."}),
           SessionOption(&options->session),
           TimeOption(&options->table.time_column),
           SeriesOption(&options->table.series),
           OddStepsOption(&options->table.odd_step),
           {"label", Switch(&options->label), "Print the most probable class and its probability only."},
           {"text", Switch(&options->text), "Each line is a text: print what the model says after its last token."}},
          "A prediction for each row of a table.",
          kPredictDescription,
          [options](const CommandContext& context) { return RunPredict(context, *options); }};
}

}  // namespace rondo
