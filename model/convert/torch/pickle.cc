#include "model/convert/torch/pickle.h"

#include <cstring>
#include <map>
#include <utility>

#include "absl/base/internal/endian.h"
#include "absl/strings/str_cat.h"
#include "model/convert/archive/little_endian.h"
#include "model/convert/torch/pickle_names.h"
#include "model/convert/torch/pickle_opcodes.h"
#include "model/json/json_text.h"

namespace rondo::convert {

using Kind = PickleValue::Kind;

namespace {

constexpr size_t kMaxValues = size_t{1} << 22;
constexpr size_t kMaxShown = 100;  // of a name that is told to people

}  // namespace

const PickleValue* PickleValue::Find(absl::string_view key) const {
  if (kind != Kind::kDictionary) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::kText && items[i]->text == key) return items[i + 1];
  }
  return nullptr;
}

// Runs the opcodes over a stack, as the format says. The first rule broken stands in `status_` and ends the reading.
class PickleReader {
 public:
  explicit PickleReader(absl::string_view bytes) : rest_(bytes) {}

  absl::string_view rest() const { return rest_; }

  absl::StatusOr<Pickle> Read() {
    while (status_.ok() && pickle_.root_ == nullptr) Step(static_cast<PickleOp>(Number<uint8_t>()));
    if (!status_.ok()) return status_;
    return std::move(pickle_);
  }

 private:
  void Refuse(absl::string_view rule) {
    if (status_.ok()) status_ = absl::DataLossError(absl::StrCat("the pickle ", rule));
  }

  absl::string_view Take(uint64_t size) {
    if (size > rest_.size()) {
      Refuse("ends in the middle of a value");
      return {};
    }
    const absl::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  template <typename T>
  T Number() {
    const absl::string_view bytes = Take(sizeof(T));
    return bytes.size() == sizeof(T) ? LittleEndian<T>(bytes, 0) : T{0};
  }

  std::string Line() {
    const size_t end = rest_.find('\n');
    if (end == absl::string_view::npos) {
      Refuse("ends in the middle of a name");
      return "";
    }
    std::string line(Take(end));
    Take(1);
    return line;
  }

  PickleValue* Push(Kind kind) {
    if (pickle_.values_.size() == kMaxValues) Refuse(absl::StrCat("has more than ", kMaxValues, " values"));
    PickleValue* value = &pickle_.values_.emplace_back();
    value->kind = kind;
    stack_.push_back(value);
    return value;
  }

  void PushText(absl::string_view text) { Push(Kind::kText)->text = std::string(text); }

  void PushWhole(int64_t whole) { Push(Kind::kWhole)->whole = whole; }

  // The innermost value; one that stands for nothing after a refusal.
  PickleValue* Top() {
    if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) {
      Refuse("takes a value that is not there");
      return Push(Kind::kNone);
    }
    return stack_.back();
  }

  PickleValue* Pop() {
    PickleValue* top = Top();
    stack_.pop_back();
    return top;
  }

  // The values above the last mark.
  std::vector<const PickleValue*> PopMark() {
    if (marks_.empty()) {
      Refuse("goes back to a mark that is not there");
      return {};
    }
    std::vector<const PickleValue*> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  void PushTuple(std::vector<const PickleValue*> items) { Push(Kind::kTuple)->items = std::move(items); }

  void PushTupleOf(int count) {
    std::vector<const PickleValue*> items;
    for (int i = 0; i < count; ++i) items.insert(items.begin(), Pop());
    PushTuple(std::move(items));
  }

  void PushName(absl::string_view module, absl::string_view name) {
    const bool allowed = IsAllowedInPickles(module, name);
    if (!allowed && IsForeignInPickles(module)) {
      pickle_.foreign_.insert(absl::StrCat(module.substr(0, kMaxShown), ".", name.substr(0, kMaxShown)));
    } else if (!allowed) {
      return Refuse(
          absl::StrCat("names ", Quoted(absl::StrCat(module, ".", name)),
                       ", which no file of weights needs; torch.save(model.state_dict(), ...) writes one that "
                       "can be read"));
    }
    if (!Hold((module.size() + name.size()) / sizeof(void*))) return;
    Push(Kind::kName)->text = absl::StrCat(module, ".", name);
  }

  void PushStackName() {
    const PickleValue *name = Pop(), *module = Pop();
    PushName(module->text, name->text);
  }

  // A call, or an object of a class: written down.
  void PushCall() {
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

  void Extend(PickleValue* target, Kind kind, const std::vector<const PickleValue*>& items) {
    if (target->kind == Kind::kCall) return;  // what a class does with items is its own affair
    if (target->kind != kind) return Refuse("adds items to what holds none");
    if (kind == Kind::kDictionary && items.size() % 2 != 0) return Refuse("has a key without a value");
    if (Hold(items.size())) target->items.insert(target->items.end(), items.begin(), items.end());
  }

  // Counts what a value takes over of others, by which a few bytes of the pickle could make a value of any size. False:
  // it is too much.
  bool Hold(size_t items) {
    held_ += items;
    if (held_ > kMaxValues) Refuse(absl::StrCat("has more than ", kMaxValues, " items"));
    return status_.ok();
  }

  void PutMemo(uint32_t key) {
    memo_[key] = Top();
    if (memo_.size() > kMaxValues) Refuse(absl::StrCat("keeps more than ", kMaxValues, " values"));
  }

  void GetMemo(uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) return Refuse("recalls a value that was not kept");
    stack_.push_back(found->second);
    if (stack_.size() > kMaxValues) Refuse("repeats values without end");
  }

  void Build() {
    const PickleValue* attributes = Pop();
    Top()->attributes = attributes;
  }

  void PushLong() {
    const absl::string_view bytes = Take(Number<uint8_t>());
    if (bytes.size() > sizeof(int64_t)) return Refuse("has a whole number of more than 64 bits");
    uint64_t bits = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    if (!bytes.empty()) std::memcpy(&bits, bytes.data(), bytes.size());
    PushWhole(static_cast<int64_t>(bits));
  }

  void PushFloat() {
    const absl::string_view bytes = Take(sizeof(double));
    double number = 0;
    if (bytes.size() == sizeof(double)) {
      const uint64_t bits = absl::big_endian::Load64(bytes.data());
      std::memcpy(&number, &bits, sizeof(number));
    }
    Push(Kind::kNumber)->number = number;
  }

  void Step(PickleOp op) {
    if (!status_.ok() || StepPlain(op) || StepContainer(op)) return;
    switch (op) {
      case PickleOp::kProto:
        if (const int protocol = Number<uint8_t>(); protocol < 2 || protocol > 5) {
          Refuse(absl::StrCat("is of protocol ", protocol, "; 2 to 5 are read"));
        }
        return;
      case PickleOp::kFrame:
        Number<uint64_t>();
        return;
      case PickleOp::kStop:
        pickle_.root_ = Pop();
        return;
      case PickleOp::kGlobal: {
        const std::string module = Line();
        return PushName(module, Line());
      }
      case PickleOp::kStackGlobal:
        return PushStackName();
      case PickleOp::kNewObjectWithNames:
        Pop();  // arguments by name, which only foreign classes have
        return PushCall();
      case PickleOp::kReduce:
      case PickleOp::kNewObject:
        return PushCall();
      case PickleOp::kBuild:
        return Build();
      case PickleOp::kBinPersistent: {
        const PickleValue* id = Pop();
        Push(Kind::kPersistent)->items = {id};
        return;
      }
      case PickleOp::kBinPut:
        return PutMemo(Number<uint8_t>());
      case PickleOp::kLongBinPut:
        return PutMemo(Number<uint32_t>());
      case PickleOp::kMemoize:
        return PutMemo(static_cast<uint32_t>(memo_.size()));
      case PickleOp::kBinGet:
        return GetMemo(Number<uint8_t>());
      case PickleOp::kLongBinGet:
        return GetMemo(Number<uint32_t>());
      default:
        return Refuse(absl::StrCat("has the opcode ", static_cast<int>(op), ", which is not read"));
    }
  }

  bool StepPlain(PickleOp op) {
    switch (op) {
      case PickleOp::kNone:
        return Push(Kind::kNone) != nullptr;
      case PickleOp::kNewTrue:
      case PickleOp::kNewFalse:
        Push(Kind::kBool)->whole = op == PickleOp::kNewTrue ? 1 : 0;
        return true;
      case PickleOp::kBinInt:
        PushWhole(Number<int32_t>());
        return true;
      case PickleOp::kBinInt1:
        PushWhole(Number<uint8_t>());
        return true;
      case PickleOp::kBinInt2:
        PushWhole(Number<uint16_t>());
        return true;
      case PickleOp::kLong1:
        PushLong();
        return true;
      case PickleOp::kBinFloat:
        PushFloat();
        return true;
      case PickleOp::kBinUnicode:
      case PickleOp::kBinString:
      case PickleOp::kBinBytes:
        PushText(Take(Number<uint32_t>()));
        return true;
      case PickleOp::kBinUnicode8:
      case PickleOp::kBinBytes8:
      case PickleOp::kByteArray8:
        PushText(Take(Number<uint64_t>()));
        return true;
      case PickleOp::kShortBinUnicode:
      case PickleOp::kShortBinString:
      case PickleOp::kShortBinBytes:
        PushText(Take(Number<uint8_t>()));
        return true;
      default:
        return false;
    }
  }

  bool StepContainer(PickleOp op) {
    switch (op) {
      case PickleOp::kMark:
        marks_.push_back(stack_.size());
        return true;
      case PickleOp::kPop:
        Pop();
        return true;
      case PickleOp::kPopMark:
        PopMark();
        return true;
      case PickleOp::kEmptyDict:
        return Push(Kind::kDictionary) != nullptr;
      case PickleOp::kEmptyList:
      case PickleOp::kEmptySet:
        return Push(Kind::kList) != nullptr;
      case PickleOp::kFrozenSet: {
        const std::vector<const PickleValue*> items = PopMark();
        Extend(Push(Kind::kList), Kind::kList, items);
        return true;
      }
      case PickleOp::kEmptyTuple:
        return Push(Kind::kTuple) != nullptr;
      case PickleOp::kTuple:
        PushTuple(PopMark());
        return true;
      case PickleOp::kTuple1:
      case PickleOp::kTuple2:
      case PickleOp::kTuple3:
        PushTupleOf(static_cast<int>(op) - static_cast<int>(PickleOp::kTuple1) + 1);
        return true;
      case PickleOp::kList:
      case PickleOp::kDict: {
        const std::vector<const PickleValue*> items = PopMark();
        const Kind kind = op == PickleOp::kList ? Kind::kList : Kind::kDictionary;
        Extend(Push(kind), kind, items);
        return true;
      }
      case PickleOp::kAppend:
      case PickleOp::kSetItem: {
        std::vector<const PickleValue*> items = {Pop()};
        if (op == PickleOp::kSetItem) items.insert(items.begin(), Pop());
        Extend(Top(), op == PickleOp::kAppend ? Kind::kList : Kind::kDictionary, items);
        return true;
      }
      case PickleOp::kAppends:
      case PickleOp::kAddItems:
      case PickleOp::kSetItems: {
        const std::vector<const PickleValue*> items = PopMark();
        Extend(Top(), op == PickleOp::kSetItems ? Kind::kDictionary : Kind::kList, items);
        return true;
      }
      default:
        return false;
    }
  }

  absl::string_view rest_;
  Pickle pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::map<uint32_t, PickleValue*> memo_;
  size_t held_ = 0;
  absl::Status status_;
};

absl::StatusOr<Pickle> Pickle::Parse(absl::string_view bytes) { return ParseNext(&bytes); }

absl::StatusOr<Pickle> Pickle::ParseNext(absl::string_view* bytes) {
  PickleReader reader(*bytes);
  absl::StatusOr<Pickle> pickle = reader.Read();
  *bytes = reader.rest();
  return pickle;
}

}  // namespace rondo::convert
