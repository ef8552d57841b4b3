// ReadTorchFile: from the values of a pickle to tensors by name.

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/archive/little_endian.h"
#include "model/convert/archive/zip_archive.h"
#include "model/convert/torch/pickle.h"
#include "model/convert/torch/torch_tensor.h"
#include "model/convert/torch/weight_file.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using Kind = PickleValue::Kind;

constexpr int kMaxArchiveDepth = 32;  // of dictionaries and modules inside each other
constexpr size_t kMaxTensors = 65536;
constexpr size_t kMaxName = 4096;  // of a tensor or a module, with those that it is in

// Dictionaries that hold tensors, by the keys that lead to them.
struct Found {
  std::string path;
  const PickleValue* value;
};

bool IsModule(const PickleValue& value) {
  const PickleValue* attributes = value.kind == Kind::kCall ? value.attributes : nullptr;
  return attributes != nullptr && attributes->Find("_parameters") != nullptr && attributes->Find("_modules") != nullptr;
}

// What a value holds by name: keys and values by turns. Modules, TorchScript's objects and dictionaries alike.
std::vector<const PickleValue*> Members(const PickleValue& value) {
  if (value.kind == Kind::kDictionary) return value.items;
  std::vector<const PickleValue*> members;
  const bool scripted = value.kind == Kind::kCall && absl::StartsWith(value.text, "__torch__");
  if (scripted && value.attributes != nullptr && value.attributes->kind == Kind::kDictionary)
    return value.attributes->items;
  if (!IsModule(value)) return members;
  for (const char* key : {"_parameters", "_buffers", "_modules"}) {
    const PickleValue* part = value.attributes->Find(key);
    if (part == nullptr || part->kind != Kind::kDictionary) continue;
    members.insert(members.end(), part->items.begin(), part->items.end());
  }
  return members;
}

void FindStateDicts(const PickleValue& value, const std::string& path, int depth, std::set<const PickleValue*>* seen,
                    std::vector<Found>* found) {
  // A value may stand in several places, also inside itself.
  if (!seen->insert(&value).second || depth > kMaxArchiveDepth || found->size() > 100) return;
  const std::vector<const PickleValue*> members = Members(value);
  bool holds = value.kind == Kind::kCall && !members.empty();
  for (size_t i = 1; i < members.size(); i += 2) holds |= IsTensor(*members[i]);
  if (holds) return found->push_back({path, &value});
  for (size_t i = 0; i + 1 < members.size(); i += 2) {
    const std::string& key = members[i]->text;
    if (absl::StrContains(key, "optim") || absl::StrContains(key, "sched") || path.size() + key.size() > kMaxName)
      continue;
    FindStateDicts(*members[i + 1], path.empty() ? key : absl::StrCat(path, ".", key), depth + 1, seen, found);
  }
}

absl::StatusOr<const PickleValue*> ChooseStateDict(const Pickle& pickle, absl::string_view key) {
  std::vector<Found> found;
  std::set<const PickleValue*> seen;
  FindStateDicts(pickle.root(), "", 0, &seen, &found);
  if (found.empty()) {
    const std::string classes = absl::StrJoin(pickle.foreign(), ", ").substr(0, 200);
    return absl::DataLossError(absl::StrCat("the file holds no tensors by name",
                                            classes.empty() ? "" : absl::StrCat(", but objects of ", classes),
                                            "; save model.state_dict()"));
  }
  std::vector<std::string> paths;
  for (const Found& each : found) {
    if (each.path == key || (found.size() == 1 && key.empty())) return each.value;
    paths.push_back(each.path);
  }
  for (const absl::string_view usual : {"state_dict", "model_state_dict", "model"}) {
    for (const Found& each : found) {
      if (key.empty() && each.path == usual) return each.value;
    }
  }
  return absl::DataLossError(
      absl::StrCat("the file holds tensors under ", absl::StrJoin(paths, ", "), "; say which with --key"));
}

class TensorCollector {
 public:
  explicit TensorCollector(const StorageBytes& storages) : storages_(storages) {}

  absl::Status Collect(const PickleValue& value, const std::string& prefix, int depth, WeightFile* file) {
    const std::vector<const PickleValue*> members = Members(value);
    if (depth > kMaxArchiveDepth || !seen_.insert(&value).second) return absl::OkStatus();
    for (size_t i = 0; i + 1 < members.size(); i += 2) {
      if (members[i]->kind != Kind::kText) continue;
      if (prefix.size() + members[i]->text.size() > kMaxName)
        return RefuseTensor(prefix + members[i]->text.substr(0, 100),
                            absl::StrCat("... has a name of more than ", kMaxName, " bytes"));
      const std::string name = prefix + members[i]->text;
      const PickleValue& member = *members[i + 1];
      if (!IsTensor(member)) {
        if (absl::Status status = Collect(member, name + ".", depth + 1, file); !status.ok()) return status;
        continue;
      }
      if (file->tensors.size() == kMaxTensors) return RefuseTensor(name, "is one too many");
      absl::StatusOr<Array> array = ReadTensor(storages_, name, member);
      if (!array.ok()) return array.status();
      values_ += array->size();
      if (values_ > kMaxArrayValues) return RefuseTensor(name, "makes the weights too many");
      file->tensors.push_back({name, *std::move(array)});
    }
    return absl::OkStatus();
  }

 private:
  const StorageBytes& storages_;
  std::set<const PickleValue*> seen_;
  int64_t values_ = 0;
};

// A state_dict's `_metadata` names every module.
void CollectModules(const PickleValue& value, WeightFile* file) {
  const PickleValue* metadata = value.attributes == nullptr ? nullptr : value.attributes->Find("_metadata");
  if (metadata == nullptr || metadata->kind != Kind::kDictionary) return;
  for (size_t i = 0; i < metadata->items.size(); i += 2) {
    if (metadata->items[i]->text.size() <= kMaxName) file->modules.push_back(metadata->items[i]->text);
  }
}

absl::StatusOr<WeightFile> Collected(const Pickle& pickle, const StorageBytes& storages, absl::string_view key) {
  const absl::StatusOr<const PickleValue*> state = ChooseStateDict(pickle, key);
  if (!state.ok()) return state.status();
  WeightFile file;
  CollectModules(**state, &file);
  TensorCollector collector(storages);
  if (absl::Status status = collector.Collect(**state, "", 0, &file); !status.ok()) return status;
  return file;
}

absl::StatusOr<WeightFile> ReadZipFile(std::string bytes, absl::string_view key) {
  const absl::StatusOr<ZipArchive> archive = ZipArchive::Open(std::move(bytes));
  if (!archive.ok()) return archive.status();
  const ZipEntry* entry = archive->FindLast("data.pkl");
  if (entry == nullptr) return absl::DataLossError("the archive has no data.pkl; torch.save writes one");
  const absl::StatusOr<std::string> text = archive->Read(*entry);
  if (!text.ok()) return text.status();
  const absl::StatusOr<Pickle> pickle = Pickle::Parse(*text);
  if (!pickle.ok()) return pickle.status();
  const std::string folder = entry->name.substr(0, entry->name.size() - std::string("data.pkl").size());
  const StorageBytes storages = [&](const std::string& storage) -> absl::StatusOr<std::string> {
    const ZipEntry* found = archive->Find(absl::StrCat(folder, "data/", storage));
    if (found == nullptr) return absl::NotFoundError("");
    return archive->Read(*found);
  };
  return Collected(*pickle, storages, key);
}

// What torch.save wrote before PyTorch 1.6: pickles one after the other (a number that marks the file, the format's
// version, facts of the machine, what was saved, the keys of the storages), then the storages in the order of their
// keys, each a count of numbers and the numbers.
constexpr absl::string_view kMarkOfOldFiles("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13);

// How many bytes the pickle of the mark has; 0: the bytes do not begin with it. Its protocol is 2, or what the program
// said (flair says 4); since 4 a frame may stand around it.
size_t SizeOfMark(absl::string_view bytes) {
  constexpr size_t kProtocolBytes = 2, kFrameBytes = 9;
  if (bytes.size() < kProtocolBytes || bytes[0] != '\x80' || bytes[1] < 2 || bytes[1] > 5) return 0;
  const bool framed = bytes.size() > kProtocolBytes && bytes[kProtocolBytes] == '\x95';
  const size_t begin = kProtocolBytes + (framed ? kFrameBytes : 0);
  const bool marked = bytes.size() > begin && absl::StartsWith(bytes.substr(begin), kMarkOfOldFiles);
  return marked ? begin + kMarkOfOldFiles.size() : 0;
}

absl::StatusOr<std::map<std::string, absl::string_view>> OldStorages(const Pickle& pickle, const PickleValue& keys,
                                                                     absl::string_view rest) {
  std::map<std::string, size_t> sizes;  // of one number, by key
  for (const PickleValue& value : pickle.values()) {
    if (value.kind != Kind::kPersistent) continue;
    const absl::StatusOr<TorchStorage> storage = ReadStorage("of the file", value);
    if (!storage.ok()) continue;  // a tensor that reads it says why
    sizes[storage->key] = static_cast<size_t>(BytesOf(storage->type));
  }
  std::map<std::string, absl::string_view> storages;
  for (const PickleValue* key : keys.items) {
    const auto size = sizes.find(key->text);
    if (size == sizes.end()) return absl::DataLossError("the file has a storage that no tensor has");
    const uint64_t count = rest.size() < 8 ? 0 : LittleEndian<uint64_t>(rest, 0);
    if (rest.size() < 8 || count > (rest.size() - 8) / size->second)
      return absl::DataLossError("the file ends in the middle of a storage");
    storages[key->text] = rest.substr(8, count * size->second);
    rest.remove_prefix(8 + count * size->second);
  }
  return storages;
}

absl::StatusOr<WeightFile> ReadOldFile(absl::string_view bytes, absl::string_view key) {
  bytes.remove_prefix(SizeOfMark(bytes));
  std::deque<Pickle> pickles;  // values know each other by their places, so that none may move
  while (pickles.size() < 4) {
    absl::StatusOr<Pickle> next = Pickle::ParseNext(&bytes);
    if (!next.ok()) return next.status();
    pickles.push_back(*std::move(next));
  }
  const Pickle& saved = pickles[2];
  const auto found = OldStorages(saved, pickles[3].root(), bytes);
  if (!found.ok()) return found.status();
  const StorageBytes storages = [&](const std::string& storage) -> absl::StatusOr<std::string> {
    const auto own = found->find(storage);
    if (own == found->end()) return absl::NotFoundError("");
    return std::string(own->second);
  };
  return Collected(saved, storages, key);
}

}  // namespace

bool IsOldTorchFile(absl::string_view bytes) { return SizeOfMark(bytes) > 0; }

absl::StatusOr<WeightFile> ReadTorchFile(std::string bytes, absl::string_view key) {
  return IsOldTorchFile(bytes) ? ReadOldFile(bytes, key) : ReadZipFile(std::move(bytes), key);
}

}  // namespace rondo::convert
