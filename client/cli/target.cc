#include "client/cli/target.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rondo {

Option SessionOption(std::string* session_id) {
  return {"session", Text(session_id, "ID"), "The live session; an unknown one starts at position 0."};
}

Option TimeOption(std::string* time_column) {
  return {"time", Text(time_column, "COLUMN"), "The column with each row's time; else time, date or timestamp."};
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
  absl::StatusOr<std::unique_ptr<CsvInput>> rows = CsvInput::Open(path);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<RowMapping> mapping = RowMapping::Create(model, (*rows)->header(), options);
  if (!mapping.ok()) return mapping.status();
  return InputTable{*std::move(rows), *std::move(mapping)};
}

absl::Status WriteHeader(const CommandContext& context, const ModelDescription& model,
                         std::vector<std::string> leading) {
  for (std::string& column : OutputColumns(model)) leading.push_back(std::move(column));
  return context.output.Row(leading);
}

absl::Status WritePredictions(const CommandContext& context, const ModelDescription& model,
                              const std::vector<std::vector<std::string>>& leading, absl::Span<const float> values) {
  const auto output_size = static_cast<size_t>(model.output_size);
  if (values.size() != leading.size() * output_size) {
    return absl::InternalError(absl::StrCat("the server answered ", values.size(), " values to ", leading.size(),
                                            " timesteps; output_size is ", output_size));
  }
  for (size_t t = 0; t < leading.size(); ++t) {
    std::vector<std::string> cells = leading[t];
    for (const float value : values.subspan(t * output_size, output_size)) cells.push_back(FloatText(value));
    if (absl::Status status = context.output.Row(cells); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rondo
