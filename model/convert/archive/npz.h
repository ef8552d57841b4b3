#ifndef RONDO_MODEL_CONVERT_ARCHIVE_NPZ_H_
#define RONDO_MODEL_CONVERT_ARCHIVE_NPZ_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/array.h"

namespace rondo::convert {

// One array of numpy.save: format 1 to 3, types f2, f4, f8, i1, i2, i4, i8, u1 and b1, C order. UNIMPLEMENTED: another
// type. DATA_LOSS.
absl::StatusOr<Array> ParseNpy(absl::string_view bytes);

// The arrays of numpy.savez by name; those of other types are left out. DATA_LOSS names the array.
absl::StatusOr<std::map<std::string, Array>> ParseNpz(std::string bytes);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ARCHIVE_NPZ_H_
