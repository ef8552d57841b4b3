#ifndef RONDO_MODEL_CONVERT_TORCH_PICKLE_H_
#define RONDO_MODEL_CONVERT_TORCH_PICKLE_H_

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo::convert {

// One value of a pickle. A pickle is a program that builds objects by calling functions; here a call is only written
// down, never made.
struct PickleValue {
  enum class Kind { kNone, kBool, kWhole, kNumber, kText, kTuple, kList, kDictionary, kName, kCall, kPersistent };

  Kind kind = Kind::kNone;
  int64_t whole = 0;  // kBool, kWhole
  double number = 0;
  std::string text;                         // kText; kName and kCall: "module.function"
  std::vector<const PickleValue*> items;    // of a dictionary: key, value, key, value ...; of a call: its arguments
  const PickleValue* attributes = nullptr;  // what was set on the object after it was made, or null

  bool Is(Kind wanted) const { return kind == wanted; }
  // The value under a key of a dictionary. Null: no dictionary, or no such key.
  const PickleValue* Find(absl::string_view key) const;
};

// A pickle, read. The values live as long as this does.
class Pickle {
 public:
  // Reads protocols 2 to 5. What a file of weights needs is understood (torch's tensors and storages, ordered
  // dictionaries, plain values). An object of another program's class is kept as a call that nobody makes, and named in
  // `foreign`; what names a function that runs something is refused, as are values nested or repeated without end.
  // DATA_LOSS.
  static absl::StatusOr<Pickle> Parse(absl::string_view bytes);
  // The pickle at the beginning of the bytes, which is taken off them.
  static absl::StatusOr<Pickle> ParseNext(absl::string_view* bytes);

  const PickleValue& root() const { return *root_; }
  const std::deque<PickleValue>& values() const { return values_; }
  const std::set<std::string>& foreign() const { return foreign_; }

 private:
  friend class PickleStack;

  std::deque<PickleValue> values_;
  std::set<std::string> foreign_;
  const PickleValue* root_ = nullptr;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_PICKLE_H_
