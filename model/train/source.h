#ifndef RONDO_MODEL_TRAIN_SOURCE_H_
#define RONDO_MODEL_TRAIN_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/train/dataset.h"
#include "model/train/options.h"
#include "nlohmann/json.hpp"

namespace rondo::train {

// Holds a file of series or tokens, made ready to learn from.
struct Source {
  Dataset dataset;
  std::string file_name;  // without its folder
  uint64_t checksum = 0;  // of the file's bytes
};

// The most bytes of a file to learn from.
inline constexpr size_t kMaxSourceBytes = size_t{1} << 33;

// Returns what every result says of the program, its data and its options.
nlohmann::ordered_json ProvenanceOf(const TrainOptions& options, absl::string_view file_name, uint64_t checksum);

// Reads what --data or --tokens names. RESOURCE_EXHAUSTED: the file is larger than kMaxSourceBytes. Otherwise the
// errors of the file, of its table and of Dataset::Create, after the path.
absl::StatusOr<Source> ReadSource(const TrainOptions& options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SOURCE_H_
