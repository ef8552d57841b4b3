#ifndef RONDO_MODEL_TRAIN_SOURCE_H_
#define RONDO_MODEL_TRAIN_SOURCE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "model/train/dataset.h"
#include "model/train/options.h"

namespace rondo::train {

// Holds a file of series or tokens, made ready to learn from.
struct Source {
  Dataset dataset;
  std::string file_name;  // without its folder
  uint64_t checksum = 0;  // of the file's bytes
};

// Reads what --data or --tokens names. RESOURCE_EXHAUSTED: the file is larger than 8 GiB. Otherwise the errors of the
// file, of its table and of Dataset::Create, after the path.
absl::StatusOr<Source> ReadSource(const TrainOptions& options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SOURCE_H_
