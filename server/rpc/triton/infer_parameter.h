#ifndef RONDO_SERVER_RPC_TRITON_INFER_PARAMETER_H_
#define RONDO_SERVER_RPC_TRITON_INFER_PARAMETER_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace rondo {

// One entry of a map<string, inference.InferParameter>. Its texts are those of the bytes it was read from.
struct InferParameter {
  enum class Type { kNone, kBool, kInt64, kString, kDouble, kUint64 };

  absl::string_view key;
  Type type = Type::kNone;
  uint64_t number = 0;  // of kBool, kInt64 (its bits) and kUint64
  absl::string_view text;

  bool flag() const { return number != 0; }
  int64_t integer() const { return static_cast<int64_t>(number); }
};

// Reads an entry as protobuf does: unknown fields are skipped, of several values the last one counts. False: these
// bytes are no entry.
bool ReadParameter(absl::string_view bytes, InferParameter* parameter);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TRITON_INFER_PARAMETER_H_
