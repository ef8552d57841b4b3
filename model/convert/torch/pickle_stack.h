#ifndef RONDO_MODEL_CONVERT_TORCH_PICKLE_STACK_H_
#define RONDO_MODEL_CONVERT_TORCH_PICKLE_STACK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/torch/pickle.h"

namespace rondo::convert {

// The machine that a pickle is a program for: a stack of values, marks in it, and values that are kept to be recalled.
// The first rule that a pickle breaks stands in `status`; what is done after it has no meaning, and does no harm.
class PickleStack {
 public:
  using Kind = PickleValue::Kind;
  using Items = std::vector<const PickleValue*>;

  const absl::Status& status() const { return status_; }
  void Refuse(absl::string_view rule);  // "the pickle " and the rule that is broken

  PickleValue* Push(Kind kind);
  void PushText(absl::string_view text) { Push(Kind::kText)->text = std::string(text); }
  void PushWhole(int64_t whole) { Push(Kind::kWhole)->whole = whole; }
  void PushNumber(double number) { Push(Kind::kNumber)->number = number; }
  void PushTuple(Items items) { Push(Kind::kTuple)->items = std::move(items); }
  void PushTupleOf(int count);  // of the innermost values
  // A name of a module, which is refused if it runs something.
  void PushName(absl::string_view module, absl::string_view name);
  void PushStackName();  // whose module and name are the innermost values
  void PushCall();       // of the arguments and the name that are the innermost values; it is written down

  // What the program knows by the innermost value: a storage, or in old files a class beside its source text.
  void PushPersistent();

  // The innermost value; one that stands for nothing after a refusal.
  PickleValue* Top();
  PickleValue* Pop();
  void Mark() { marks_.push_back(stack_.size()); }
  Items PopMark();  // the values above the last mark
  // Adds items to a list, or keys and values to a dictionary.
  void Extend(PickleValue* target, Kind kind, const Items& items);
  void Build();  // sets attributes of an object

  void PutMemo(uint32_t key);
  void PutNextMemo() { PutMemo(static_cast<uint32_t>(memo_.size())); }
  void GetMemo(uint32_t key);

  // Takes the innermost value for the pickle's. REQUIRES: it is the last thing that is done.
  absl::StatusOr<Pickle> Finish();

 private:
  bool Hold(size_t items);

  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::map<uint32_t, PickleValue*> memo_;
  size_t held_ = 0;  // items and bytes that values took over of others
  absl::Status status_;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_PICKLE_STACK_H_
