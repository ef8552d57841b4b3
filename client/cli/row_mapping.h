#ifndef RONDO_CLIENT_CLI_ROW_MAPPING_H_
#define RONDO_CLIENT_CLI_ROW_MAPPING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/table_format.h"
#include "client/messages.h"

namespace rondo {

struct CsvRow {
  int64_t number = 0;  // 1: the first after the header
  std::vector<std::string> cells;
  std::vector<std::vector<std::string>> later = {};  // the cells of the rows after it, as many as the model looks ahead
};

// Holds the timesteps of one message.
struct Timesteps {
  std::vector<float> values;   // [timesteps][input_size]
  std::vector<int64_t> times;  // unix seconds, one a timestep; empty if the model needs none or the table has none
};

// Says what becomes of a row that is not one step after the row before.
enum class OddStep { kAccept, kRefuse };

// Finds the inputs of a model in the columns of a CSV table, and reads its rows as the model's table says.
class RowMapping {
 public:
  struct Options {
    std::string time_column;        // empty: the model's, else the one named time, date or timestamp, if there is one
    bool time_is_optional = false;  // send no times rather than refuse a table without a time column
    std::vector<std::string> optional_inputs;  // 0, whether the table has them or not
    std::string series;                        // read only this series' rows, in its unit; empty: all are of one
    OddStep odd_step = OddStep::kAccept;
  };

  // Finds the columns. INVALID_ARGUMENT names a column that is missing or there twice.
  static absl::StatusOr<RowMapping> Create(const ModelDescription& model, const std::vector<std::string>& header,
                                           const Options& options);

  // Returns how many rows after a row have to be there with it.
  size_t ahead() const { return ahead_; }
  // Returns the columns of which later rows are wanted.
  std::vector<std::string> ColumnsKnownBefore() const;
  // Tells whether a row has no value but of those columns.
  bool HasOnlyWhatIsKnownBefore(const CsvRow& row) const;
  bool fills() const { return table_.missing != Missing::kError; }

  // Tells whether a row belongs to the series that is read.
  bool IsOfSeries(const CsvRow& row) const;

  // Appends one timestep; a cell without a value has the one of the row before, if the model's table says so.
  // INVALID_ARGUMENT names the row and the column; nothing was appended.
  absl::Status Append(const CsvRow& row, Timesteps* timesteps);

  // How often a row was not one step after the row before, and the last of these, in words.
  int64_t odd_steps() const { return odd_steps_; }
  const std::string& last_odd_step() const { return last_odd_step_; }

  // What comes out before the outputs: the time column, if the table has one, as it stands there.
  std::vector<std::string> LeadingColumns() const { return LeadingCells({0, header_}); }
  std::vector<std::string> LeadingCells(const CsvRow& row) const;

 private:
  absl::Status FindTimeColumn(const ModelDescription& model, const Options& options);
  absl::Status FindInputs(const ModelDescription& model, const std::vector<std::string>& optional_inputs);
  absl::Status FindInput(const ModelDescription& model, size_t input);
  absl::Status FindToken();
  absl::Status FindSeries(const ModelDescription& model, const Options& options);
  absl::StatusOr<int64_t> ReadRowTime(const CsvRow& row);
  absl::Status CheckStep(const CsvRow& row, int64_t time);
  absl::StatusOr<float> ReadCell(const CsvRow& row, size_t input) const;
  absl::StatusOr<float> ReadCategory(const CsvRow& row, size_t input, const std::string& cell) const;
  float ReadSeries(const CsvRow& row, size_t input) const;
  absl::StatusOr<float> ReadToken(const CsvRow& row, size_t column) const;

  // Says where in a row an input stands.
  struct Place {
    std::optional<size_t> column;  // nothing: the input is 0
    size_t ahead = 0;              // of so many rows later
    std::string category;          // not empty: 1 where the cell has this text, else 0
    bool of_series = false;        // the category is the name of the row's series, and may be none that is known
  };

  std::vector<std::string> header_;
  std::vector<Place> places_;  // [input_size]
  size_t ahead_ = 0;           // the most of places_
  std::optional<size_t> time_column_;
  std::optional<size_t> series_column_;
  std::string series_;
  TableFormat table_;
  TimeReading reading_;
  OddStep odd_step_ = OddStep::kAccept;
  std::vector<ColumnUnit> units_;                  // [input_size]
  std::vector<float> last_values_;                 // of the row before; empty: there was none
  std::optional<int64_t> first_time_, last_time_;  // unix microseconds
  int64_t odd_steps_ = 0;
  std::string last_odd_step_;
  bool sends_times_ = false;
  int64_t tokens_ = 0;
};

// Returns the names of a reply's floats: those of the outputs, or without names p0.. (softmax) or y0.. (others). A
// gaussian head adds "name_std", a quantile head has "name_q0.1" and so on. With a horizon of more than one step,
// "name+2" is the value of "name" two steps ahead.
std::vector<std::string> OutputColumns(const ModelDescription& model);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_ROW_MAPPING_H_
