#ifndef RONDO_MODEL_CONVERT_CONVERT_H_
#define RONDO_MODEL_CONVERT_CONVERT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/convert/graph/element_graph.h"
#include "model/convert/options.h"

namespace rondo::convert {

// Reads the file, whatever of the known kinds it is, into a network. The file is hostile until checked.
// INVALID_ARGUMENT and DATA_LOSS name the part of it that is wrong or not supported, and what would be.
absl::StatusOr<ElementGraph> ReadSource(const ConvertOptions& options);

// What rondo-convert does: reads, prints the graph to stdout, checks and writes. On error nothing is written.
absl::Status RunConvert(const ConvertOptions& options);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_CONVERT_H_
