#ifndef RONDO_CLIENT_CLI_LATER_ROWS_H_
#define RONDO_CLIENT_CLI_LATER_ROWS_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "client/cli/row_mapping.h"

namespace rondo {

// Holds the rows of a table back until the rows after them have come, of which the model wants to know.
//
// A row that has nothing but what is known before is a promise. It is no timestep, and its place is taken by the row
// that comes for its time, or by the next row in a table without times.
//
// Threads: one.
class LaterRows {
 public:
  // `ahead`: rows after each one. `fills`: values that are missing are filled, so that a promise whose time has passed
  // is a timestep, and in a table without times every row is one that is followed by a row with values.
  LaterRows(size_t ahead, bool fills) : ahead_(ahead), fills_(fills) {}

  // Takes the table's next row. `time`: its cell; empty in a table without times.
  void Add(CsvRow row, bool is_promise, std::string time);

  // Returns the next timestep with the rows after it. Nothing: more rows are wanted.
  std::optional<CsvRow> Take();
  // Returns the next row with as many rows after it as there are.
  std::optional<CsvRow> TakeIncomplete();
  // Returns the first timestep that waits. Null: there is none.
  const CsvRow* waiting() const { return rows_.empty() || rows_.front().is_promise ? nullptr : &rows_.front().row; }

 private:
  struct Held {
    CsvRow row;
    bool is_promise = false;
    std::string time;
  };

  const size_t ahead_;
  const bool fills_;
  std::deque<Held> rows_;  // the promises come last
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_LATER_ROWS_H_
