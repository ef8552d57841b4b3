#include "model/convert/torch/pickle.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "absl/base/internal/endian.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/convert/archive/little_endian.h"
#include "model/json/json_text.h"

namespace rondo::convert {

using Kind = PickleValue::Kind;

namespace {

constexpr size_t kMaxValues = size_t{1} << 22;

// https://docs.python.org/3/library/pickle.html, Lib/pickletools.py.
enum class Op : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersistent = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kBinString = 'T',
  kShortBinString = 'U',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kList = 'l',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kProto = 0x80,
  kNewObject = 0x81,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

// The names that a file of weights may use. None of them is called.
constexpr absl::string_view kNames[] = {
    "_codecs.encode",
    "argparse.Namespace",
    "builtins.set",
    "collections.OrderedDict",
    "collections.defaultdict",
    "builtins.dict",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
    "numpy.dtype",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.WindowsPath",
    "torch.Size",
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch._utils._rebuild_qtensor",
    "torch._utils._rebuild_tensor",
    "torch._utils._rebuild_tensor_v2",
    "torch.device",
    "torch.per_channel_affine",
    "torch.per_tensor_affine",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.restore_type_tag",
    "torch.nn.parameter.Parameter",
};

bool IsTorchType(absl::string_view name) {
  constexpr absl::string_view kTypes[] = {"float32", "float64", "float16", "bfloat16", "int8",   "uint8",  "int16",
                                          "int32",   "int64",   "bool",    "qint8",    "quint8", "strided"};
  return std::find(std::begin(kTypes), std::end(kTypes), name) != std::end(kTypes);
}

bool IsAllowed(absl::string_view module, absl::string_view name) {
  if (module == "torch" && (absl::EndsWith(name, "Storage") || IsTorchType(name))) return true;
  if (module == "torch.storage" && (name == "UntypedStorage" || name == "TypedStorage")) return true;
  if (absl::StartsWith(module, "__torch__")) return true;  // a class that TorchScript wrote; here a bag of attributes
  const std::string full = absl::StrCat(module, ".", name);
  return std::find(std::begin(kNames), std::end(kNames), full) != std::end(kNames);
}

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

  absl::StatusOr<Pickle> Read() {
    while (status_.ok() && pickle_.root_ == nullptr) Step(static_cast<Op>(Number<uint8_t>()));
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
    if (!IsAllowed(module, name)) {
      return Refuse(
          absl::StrCat("names ", Quoted(absl::StrCat(module, ".", name)),
                       ", which no file of weights needs; torch.save(model.state_dict(), ...) writes one that "
                       "can be read"));
    }
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
    PickleValue* call = Push(Kind::kCall);
    call->text = std::string(name);
    call->items = arguments->items;
  }

  void Extend(PickleValue* target, Kind kind, const std::vector<const PickleValue*>& items) {
    if (target->kind == Kind::kCall) return;  // what a class does with items is its own affair
    if (target->kind != kind) return Refuse("adds items to what holds none");
    if (kind == Kind::kDictionary && items.size() % 2 != 0) return Refuse("has a key without a value");
    target->items.insert(target->items.end(), items.begin(), items.end());
    held_ += items.size();
    if (held_ > kMaxValues) Refuse(absl::StrCat("has more than ", kMaxValues, " items"));
  }

  void PutMemo(uint32_t key) { memo_[key] = Top(); }

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

  void Step(Op op) {
    if (!status_.ok() || StepPlain(op) || StepContainer(op)) return;
    switch (op) {
      case Op::kProto:
        if (const int protocol = Number<uint8_t>(); protocol < 2 || protocol > 5) {
          Refuse(absl::StrCat("is of protocol ", protocol, "; 2 to 5 are read"));
        }
        return;
      case Op::kFrame:
        Number<uint64_t>();
        return;
      case Op::kStop:
        pickle_.root_ = Pop();
        return;
      case Op::kGlobal: {
        const std::string module = Line();
        return PushName(module, Line());
      }
      case Op::kStackGlobal:
        return PushStackName();
      case Op::kReduce:
      case Op::kNewObject:
        return PushCall();
      case Op::kBuild:
        return Build();
      case Op::kBinPersistent: {
        const PickleValue* id = Pop();
        Push(Kind::kPersistent)->items = {id};
        return;
      }
      case Op::kBinPut:
        return PutMemo(Number<uint8_t>());
      case Op::kLongBinPut:
        return PutMemo(Number<uint32_t>());
      case Op::kMemoize:
        return PutMemo(static_cast<uint32_t>(memo_.size()));
      case Op::kBinGet:
        return GetMemo(Number<uint8_t>());
      case Op::kLongBinGet:
        return GetMemo(Number<uint32_t>());
      default:
        return Refuse(absl::StrCat("has the opcode ", static_cast<int>(op), ", which is not read"));
    }
  }

  bool StepPlain(Op op) {
    switch (op) {
      case Op::kNone:
        return Push(Kind::kNone) != nullptr;
      case Op::kNewTrue:
      case Op::kNewFalse:
        Push(Kind::kBool)->whole = op == Op::kNewTrue ? 1 : 0;
        return true;
      case Op::kBinInt:
        PushWhole(Number<int32_t>());
        return true;
      case Op::kBinInt1:
        PushWhole(Number<uint8_t>());
        return true;
      case Op::kBinInt2:
        PushWhole(Number<uint16_t>());
        return true;
      case Op::kLong1:
        PushLong();
        return true;
      case Op::kBinFloat:
        PushFloat();
        return true;
      case Op::kBinUnicode:
      case Op::kBinString:
      case Op::kBinBytes:
        PushText(Take(Number<uint32_t>()));
        return true;
      case Op::kShortBinUnicode:
      case Op::kShortBinString:
      case Op::kShortBinBytes:
        PushText(Take(Number<uint8_t>()));
        return true;
      default:
        return false;
    }
  }

  bool StepContainer(Op op) {
    switch (op) {
      case Op::kMark:
        marks_.push_back(stack_.size());
        return true;
      case Op::kPop:
        Pop();
        return true;
      case Op::kPopMark:
        PopMark();
        return true;
      case Op::kEmptyDict:
        return Push(Kind::kDictionary) != nullptr;
      case Op::kEmptyList:
      case Op::kEmptySet:
        return Push(Kind::kList) != nullptr;
      case Op::kEmptyTuple:
        return Push(Kind::kTuple) != nullptr;
      case Op::kTuple:
        PushTuple(PopMark());
        return true;
      case Op::kTuple1:
      case Op::kTuple2:
      case Op::kTuple3:
        PushTupleOf(static_cast<int>(op) - static_cast<int>(Op::kTuple1) + 1);
        return true;
      case Op::kList:
      case Op::kDict: {
        const std::vector<const PickleValue*> items = PopMark();
        const Kind kind = op == Op::kList ? Kind::kList : Kind::kDictionary;
        Extend(Push(kind), kind, items);
        return true;
      }
      case Op::kAppend:
      case Op::kSetItem: {
        std::vector<const PickleValue*> items = {Pop()};
        if (op == Op::kSetItem) items.insert(items.begin(), Pop());
        Extend(Top(), op == Op::kAppend ? Kind::kList : Kind::kDictionary, items);
        return true;
      }
      case Op::kAppends:
      case Op::kAddItems:
      case Op::kSetItems: {
        const std::vector<const PickleValue*> items = PopMark();
        Extend(Top(), op == Op::kSetItems ? Kind::kDictionary : Kind::kList, items);
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

absl::StatusOr<Pickle> Pickle::Parse(absl::string_view bytes) { return PickleReader(bytes).Read(); }

}  // namespace rondo::convert
