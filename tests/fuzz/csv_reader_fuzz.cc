// A table fed in two pieces reads as it does in one, and every cell survives being read as a time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/csv_reader.h"
#include "base/time_text.h"

namespace {

struct Table {
  std::vector<std::vector<std::string>> rows;
  absl::Status status;
};

Table Read(absl::string_view text, size_t split) {
  Table table;
  rondo::CsvReader reader;
  table.status = reader.Feed(text.substr(0, split));
  if (table.status.ok()) table.status = reader.Feed(text.substr(split));
  if (table.status.ok()) table.status = reader.Finish();
  while (std::optional<std::vector<std::string>> row = reader.TakeRow()) table.rows.push_back(*std::move(row));
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const absl::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const Table whole = Read(text, text.size());
  const Table pieces = Read(text, bytes[0] % size);
  if (whole.rows != pieces.rows || whole.status != pieces.status) std::abort();
  for (const std::vector<std::string>& row : whole.rows) {
    for (const std::string& cell : row) (void)rondo::ParseTimeText(cell);
  }
  return 0;
}
