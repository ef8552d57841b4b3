#include "model/train/source.h"

#include <filesystem>
#include <utility>

#include "base/files.h"
#include "model/checksum.h"
#include "model/train/annotate.h"
#include "model/train/csv_table.h"

namespace rondo::train {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 33;

}  // namespace

absl::StatusOr<Source> ReadSource(const TrainOptions& options) {
  const bool tokens = options.csv_path.empty();
  const std::string& path = tokens ? options.tokens_path : options.csv_path;
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxBytes);
  if (!text.ok()) return Annotate(text.status(), path);
  SeriesSet set;
  DatasetOptions dataset_options = options.dataset;
  if (tokens) {
    auto read = ReadTokens(*text, options.token_unit);
    if (!read.ok()) return Annotate(read.status(), path);
    set = std::move(read->set);
    dataset_options.token_names = std::move(read->names);
  } else {
    const auto table = ParseCsv(*text);
    if (!table.ok()) return Annotate(table.status(), path);
    auto made = MakeSeries(*table, options.series);
    if (!made.ok()) return Annotate(made.status(), path);
    set = *std::move(made);
  }
  auto dataset = Dataset::Create(std::move(set), dataset_options);
  if (!dataset.ok()) return Annotate(dataset.status(), path);
  return Source{*std::move(dataset), std::filesystem::path(path).filename().string(), Checksum(*text)};
}

}  // namespace rondo::train
