#include "client/cli/target.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/class_label.h"
#include "client/cli/model_table.h"

namespace rondo {

Option SessionOption(std::string* session_id) {
  return {"session", Text(session_id, "ID"), "The live session; an unknown one starts at position 0."};
}

Option TimeOption(std::string* time_column) {
  return {"time", Text(time_column, "COLUMN"), "The column with each row's time; else time, date or timestamp."};
}

Option SeriesOption(std::string* series) {
  return {"series", Text(series, "NAME"), "Whose rows they are, in its unit; of a table with several, only its rows."};
}

Option OddStepsOption(OddStep* odd_step) {
  return {"odd_steps", Choice(odd_step, {{"accept", OddStep::kAccept}, {"refuse", OddStep::kRefuse}}),
          "A row that is not one step of the model after the row before; what is accepted is said on stderr."};
}

absl::StatusOr<Target> OpenTarget(const CommandContext& context, const std::string& session_id) {
  Target target;
  const std::string& name = context.words[0];
  if (!session_id.empty()) {
    absl::StatusOr<Session> session = context.client.OpenSession(name, session_id);
    if (!session.ok()) return session.status();
    target.session = *std::move(session);
  }
  absl::StatusOr<ModelDescription> model =
      context.client.GetModel(name, target.session.has_value() ? target.session->version() : 0);
  if (!model.ok()) return model.status();
  target.model = *std::move(model);
  return target;
}

void RemarkPosition(const CommandContext& context, const Session& session) {
  if (!context.stderr_is_terminal) return;
  const std::string what = session.position() == 0 ? "starts at 0" : absl::StrCat("continues at ", session.position());
  std::fprintf(stderr, "session '%s' %s\n", session.id().c_str(), what.c_str());
}

absl::StatusOr<InputTable> OpenTable(const std::string& path, const ModelDescription& model,
                                     const RowMapping::Options& options) {
  const absl::StatusOr<TableFormat> format = TableOf(model);
  if (!format.ok()) return format.status();
  absl::StatusOr<std::unique_ptr<CsvInput>> rows = CsvInput::Open(path, format->delimiter);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(model, (*rows)->header(), options);
  if (!mapping.ok()) return mapping.status();
  const LaterRows later(mapping->ahead(), mapping->fills());
  return InputTable{*std::move(rows), *std::move(mapping), later};
}

absl::StatusOr<bool> InputTable::Next(CsvRow* row) {
  while (true) {
    if (std::optional<CsvRow> taken = later.Take()) {
      *row = *std::move(taken);
      return true;
    }
    CsvRow read;
    const absl::StatusOr<bool> found = rows->Next(&read);
    if (!found.ok() || !*found) return found;
    if (!mapping.IsOfSeries(read)) continue;
    const bool is_promise = mapping.HasOnlyWhatIsKnownBefore(read);
    const std::vector<std::string> time = mapping.LeadingCells(read);
    later.Add(std::move(read), is_promise, time.empty() ? "" : time[0]);
  }
}

absl::StatusOr<bool> InputTable::NextIncomplete(CsvRow* row) {
  const absl::StatusOr<bool> found = Next(row);
  if (!found.ok() || *found) return found;
  std::optional<CsvRow> taken = later.TakeIncomplete();
  if (!taken.has_value()) return false;
  *row = *std::move(taken);
  return true;
}

void InputTable::RemarkWaiting() const {
  if (later.waiting() == nullptr) return;
  std::fprintf(stderr,
               "rondo: row %lld has not run: the table ends before the model knows %s of %zu timesteps later; give the "
               "row again, and after it rows with no other value than that\n",
               static_cast<long long>(later.waiting()->number),
               absl::StrJoin(mapping.ColumnsKnownBefore(), ", ").c_str(), mapping.ahead());
}

absl::Status WriteHeader(const CommandContext& context, const ModelDescription& model, std::vector<std::string> leading,
                         Answer answer) {
  if (answer == Answer::kLabel) {
    if (absl::Status status = CheckLabels(model); !status.ok()) return status;
    leading.insert(leading.end(), {"label", "probability"});
    return context.output.Row(leading);
  }
  for (std::string& column : OutputColumns(model)) leading.push_back(std::move(column));
  return context.output.Row(leading);
}

absl::Status WritePredictions(const CommandContext& context, const ModelDescription& model, const std::string& series,
                              const std::vector<std::vector<std::string>>& leading, absl::Span<const float> values,
                              Answer answer) {
  const absl::StatusOr<TableFormat> format = TableOf(model);
  if (!format.ok()) return format.status();
  const std::vector<AnswerUnit> units = AnswerUnits(model, *format, series);
  const auto output_size = static_cast<size_t>(model.output_size);
  if (values.size() != leading.size() * output_size) {
    return absl::InternalError(absl::StrCat("the server answered ", values.size(), " values to ", leading.size(),
                                            " timesteps; output_size is ", output_size));
  }
  for (size_t t = 0; t < leading.size(); ++t) {
    std::vector<std::string> cells = leading[t];
    if (answer == Answer::kLabel) {
      const ClassLabel label = LabelOf(model, values.subspan(t * output_size, output_size));
      cells.insert(cells.end(), {label.name, FloatText(label.probability)});
    }
    for (size_t i = 0; i < output_size && answer == Answer::kNumbers; ++i) {
      const float value = values[t * output_size + i];
      const bool is_own = units.empty() || (units[i].offset == 0 && units[i].scale == 1);
      cells.push_back(is_own ? FloatText(value) : DoubleText(units[i].scale * value + units[i].offset));
    }
    if (absl::Status status = context.output.Row(cells); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rondo
