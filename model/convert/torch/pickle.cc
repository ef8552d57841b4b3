#include "model/convert/torch/pickle.h"

#include <cstring>
#include <utility>

#include "absl/base/internal/endian.h"
#include "absl/strings/str_cat.h"
#include "model/convert/archive/little_endian.h"
#include "model/convert/torch/pickle_opcodes.h"
#include "model/convert/torch/pickle_stack.h"

namespace rondo::convert {

using Kind = PickleValue::Kind;

const PickleValue* PickleValue::Find(absl::string_view key) const {
  if (kind != Kind::kDictionary) return nullptr;
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::kText && items[i]->text == key) return items[i + 1];
  }
  return nullptr;
}

// Takes the opcodes off the bytes and has a stack do what they say. The first rule broken ends the reading.
class PickleReader {
 public:
  explicit PickleReader(absl::string_view bytes) : rest_(bytes) {}

  absl::string_view rest() const { return rest_; }

  absl::StatusOr<Pickle> Read() {
    PickleOp op = PickleOp::kMark;
    while (stack_.status().ok() && (op = static_cast<PickleOp>(Number<uint8_t>())) != PickleOp::kStop) Step(op);
    return stack_.Finish();
  }

 private:
  absl::string_view Take(uint64_t size) {
    if (size > rest_.size()) {
      stack_.Refuse("ends in the middle of a value");
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
      stack_.Refuse("ends in the middle of a name");
      return "";
    }
    std::string line(Take(end));
    Take(1);
    return line;
  }

  void PushLong() {
    const absl::string_view bytes = Take(Number<uint8_t>());
    if (bytes.size() > sizeof(int64_t)) return stack_.Refuse("has a whole number of more than 64 bits");
    uint64_t bits = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    if (!bytes.empty()) std::memcpy(&bits, bytes.data(), bytes.size());
    stack_.PushWhole(static_cast<int64_t>(bits));
  }

  void PushFloat() {
    const absl::string_view bytes = Take(sizeof(double));
    double number = 0;
    if (bytes.size() == sizeof(double)) {
      const uint64_t bits = absl::big_endian::Load64(bytes.data());
      std::memcpy(&number, &bits, sizeof(number));
    }
    stack_.PushNumber(number);
  }

  void Step(PickleOp op) {
    if (!stack_.status().ok() || StepPlain(op) || StepContainer(op)) return;
    switch (op) {
      case PickleOp::kProto:
        if (const int protocol = Number<uint8_t>(); protocol < 2 || protocol > 5) {
          stack_.Refuse(absl::StrCat("is of protocol ", protocol, "; 2 to 5 are read"));
        }
        return;
      case PickleOp::kFrame:
        Number<uint64_t>();
        return;
      case PickleOp::kGlobal: {
        const std::string module = Line();
        return stack_.PushName(module, Line());
      }
      case PickleOp::kStackGlobal:
        return stack_.PushStackName();
      case PickleOp::kNewObjectWithNames:
        stack_.Pop();  // arguments by name, which only foreign classes have
        return stack_.PushCall();
      case PickleOp::kReduce:
      case PickleOp::kNewObject:
        return stack_.PushCall();
      case PickleOp::kBuild:
        return stack_.Build();
      case PickleOp::kBinPersistent:
        return stack_.PushPersistent();
      case PickleOp::kBinPut:
        return stack_.PutMemo(Number<uint8_t>());
      case PickleOp::kLongBinPut:
        return stack_.PutMemo(Number<uint32_t>());
      case PickleOp::kMemoize:
        return stack_.PutNextMemo();
      case PickleOp::kBinGet:
        return stack_.GetMemo(Number<uint8_t>());
      case PickleOp::kLongBinGet:
        return stack_.GetMemo(Number<uint32_t>());
      default:
        return stack_.Refuse(absl::StrCat("has the opcode ", static_cast<int>(op), ", which is not read"));
    }
  }

  bool StepPlain(PickleOp op) {
    switch (op) {
      case PickleOp::kNone:
        return stack_.Push(Kind::kNone) != nullptr;
      case PickleOp::kNewTrue:
      case PickleOp::kNewFalse:
        stack_.Push(Kind::kBool)->whole = op == PickleOp::kNewTrue ? 1 : 0;
        return true;
      case PickleOp::kBinInt:
        stack_.PushWhole(Number<int32_t>());
        return true;
      case PickleOp::kBinInt1:
        stack_.PushWhole(Number<uint8_t>());
        return true;
      case PickleOp::kBinInt2:
        stack_.PushWhole(Number<uint16_t>());
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
        stack_.PushText(Take(Number<uint32_t>()));
        return true;
      case PickleOp::kBinUnicode8:
      case PickleOp::kBinBytes8:
      case PickleOp::kByteArray8:
        stack_.PushText(Take(Number<uint64_t>()));
        return true;
      case PickleOp::kShortBinUnicode:
      case PickleOp::kShortBinString:
      case PickleOp::kShortBinBytes:
        stack_.PushText(Take(Number<uint8_t>()));
        return true;
      default:
        return false;
    }
  }

  bool StepContainer(PickleOp op) {
    switch (op) {
      case PickleOp::kMark:
        stack_.Mark();
        return true;
      case PickleOp::kPop:
        stack_.Pop();
        return true;
      case PickleOp::kPopMark:
        stack_.PopMark();
        return true;
      case PickleOp::kEmptyDict:
        return stack_.Push(Kind::kDictionary) != nullptr;
      case PickleOp::kEmptyList:
      case PickleOp::kEmptySet:
        return stack_.Push(Kind::kList) != nullptr;
      case PickleOp::kFrozenSet: {
        const std::vector<const PickleValue*> items = stack_.PopMark();
        stack_.Extend(stack_.Push(Kind::kList), Kind::kList, items);
        return true;
      }
      case PickleOp::kEmptyTuple:
        return stack_.Push(Kind::kTuple) != nullptr;
      case PickleOp::kTuple:
        stack_.PushTuple(stack_.PopMark());
        return true;
      case PickleOp::kTuple1:
      case PickleOp::kTuple2:
      case PickleOp::kTuple3:
        stack_.PushTupleOf(static_cast<int>(op) - static_cast<int>(PickleOp::kTuple1) + 1);
        return true;
      case PickleOp::kList:
      case PickleOp::kDict: {
        const std::vector<const PickleValue*> items = stack_.PopMark();
        const Kind kind = op == PickleOp::kList ? Kind::kList : Kind::kDictionary;
        stack_.Extend(stack_.Push(kind), kind, items);
        return true;
      }
      case PickleOp::kAppend:
      case PickleOp::kSetItem: {
        std::vector<const PickleValue*> items = {stack_.Pop()};
        if (op == PickleOp::kSetItem) items.insert(items.begin(), stack_.Pop());
        stack_.Extend(stack_.Top(), op == PickleOp::kAppend ? Kind::kList : Kind::kDictionary, items);
        return true;
      }
      case PickleOp::kAppends:
      case PickleOp::kAddItems:
      case PickleOp::kSetItems: {
        const std::vector<const PickleValue*> items = stack_.PopMark();
        stack_.Extend(stack_.Top(), op == PickleOp::kSetItems ? Kind::kDictionary : Kind::kList, items);
        return true;
      }
      default:
        return false;
    }
  }

  absl::string_view rest_;
  PickleStack stack_;
};

absl::StatusOr<Pickle> Pickle::Parse(absl::string_view bytes) { return ParseNext(&bytes); }

absl::StatusOr<Pickle> Pickle::ParseNext(absl::string_view* bytes) {
  PickleReader reader(*bytes);
  absl::StatusOr<Pickle> pickle = reader.Read();
  *bytes = reader.rest();
  return pickle;
}

}  // namespace rondo::convert
