#include "model/convert/torch/pickle_stack.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/torch/pickle_names.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr size_t kMaxValues = size_t{1} << 22;
constexpr size_t kMaxShown = 100;  // of a name that is told to people

}  // namespace

void PickleStack::Refuse(absl::string_view rule) {
  if (status_.ok()) status_ = absl::DataLossError(absl::StrCat("the pickle ", rule));
}

PickleValue* PickleStack::Push(Kind kind) {
  if (pickle_.values_.size() == kMaxValues) Refuse(absl::StrCat("has more than ", kMaxValues, " values"));
  PickleValue* value = &pickle_.values_.emplace_back();
  value->kind = kind;
  stack_.push_back(value);
  return value;
}

PickleValue* PickleStack::Top() {
  if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) {
    Refuse("takes a value that is not there");
    return Push(Kind::kNone);
  }
  return stack_.back();
}

PickleValue* PickleStack::Pop() {
  PickleValue* top = Top();
  stack_.pop_back();
  return top;
}

PickleStack::Items PickleStack::PopMark() {
  if (marks_.empty()) {
    Refuse("goes back to a mark that is not there");
    return {};
  }
  Items items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return items;
}

void PickleStack::PushTupleOf(int count) {
  Items items;
  for (int i = 0; i < count; ++i) items.insert(items.begin(), Pop());
  PushTuple(std::move(items));
}

void PickleStack::PushName(absl::string_view module, absl::string_view name) {
  const bool allowed = IsAllowedInPickles(module, name);
  if (!allowed && IsForeignInPickles(module)) {
    pickle_.foreign_.insert(absl::StrCat(module.substr(0, kMaxShown), ".", name.substr(0, kMaxShown)));
  } else if (!allowed) {
    return Refuse(absl::StrCat("names ", Quoted(absl::StrCat(module, ".", name)),
                               ", which no file of weights needs; torch.save(model.state_dict(), ...) writes one that "
                               "can be read"));
  }
  if (!Hold((module.size() + name.size()) / sizeof(void*))) return;
  Push(Kind::kName)->text = absl::StrCat(module, ".", name);
}

void PickleStack::PushStackName() {
  const PickleValue *name = Pop(), *module = Pop();
  PushName(module->text, name->text);
}

void PickleStack::PushCall() {
  const PickleValue *arguments = Pop(), *callee = Pop();
  if (callee->kind != Kind::kName || arguments->kind != Kind::kTuple) return Refuse("calls what is no function");
  const absl::string_view name = callee->text;
  if (name == "collections.OrderedDict" || name == "collections.defaultdict" || name == "builtins.dict") {
    Push(Kind::kDictionary);
    return;
  }
  if (!Hold(arguments->items.size() + name.size() / sizeof(void*))) return;
  PickleValue* call = Push(Kind::kCall);
  call->text = std::string(name);
  call->items = arguments->items;
}

void PickleStack::PushPersistent() {
  const PickleValue* id = Pop();
  const bool of_class = id->kind == Kind::kTuple && id->items.size() > 1 && id->items[0]->text == "module" &&
                        id->items[1]->kind == Kind::kName;
  if (!of_class) {
    Push(Kind::kPersistent)->items = {id};
  } else if (Hold(id->items[1]->text.size() / sizeof(void*))) {
    Push(Kind::kName)->text = id->items[1]->text;
  }
}

void PickleStack::Extend(PickleValue* target, Kind kind, const Items& items) {
  if (target->kind == Kind::kCall) return;  // what a class does with items is its own affair
  if (target->kind != kind) return Refuse("adds items to what holds none");
  if (kind == Kind::kDictionary && items.size() % 2 != 0) return Refuse("has a key without a value");
  if (Hold(items.size())) target->items.insert(target->items.end(), items.begin(), items.end());
}

// Counts what a value takes over of others, by which a few bytes of the pickle could make a value of any size. False:
// it is too much.
bool PickleStack::Hold(size_t items) {
  held_ += items;
  if (held_ > kMaxValues) Refuse(absl::StrCat("has more than ", kMaxValues, " items"));
  return status_.ok();
}

void PickleStack::PutMemo(uint32_t key) {
  memo_[key] = Top();
  if (memo_.size() > kMaxValues) Refuse(absl::StrCat("keeps more than ", kMaxValues, " values"));
}

void PickleStack::GetMemo(uint32_t key) {
  const auto found = memo_.find(key);
  if (found == memo_.end()) return Refuse("recalls a value that was not kept");
  stack_.push_back(found->second);
  if (stack_.size() > kMaxValues) Refuse("repeats values without end");
}

void PickleStack::Build() {
  const PickleValue* attributes = Pop();
  Top()->attributes = attributes;
}

absl::StatusOr<Pickle> PickleStack::Finish() {
  pickle_.root_ = Pop();
  if (!status_.ok()) return status_;
  return std::move(pickle_);
}

}  // namespace rondo::convert
