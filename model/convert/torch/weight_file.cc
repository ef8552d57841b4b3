#include "model/convert/torch/weight_file.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/files.h"
#include "model/json/json_text.h"
#include "model/safetensors.h"

namespace rondo::convert {
namespace {

constexpr absl::string_view kIndexSuffix = ".safetensors.index.json";
constexpr size_t kMaxShards = 1000;

absl::Status AddShard(const std::string& path, WeightFile* file) {
  const absl::StatusOr<SafetensorsReader> reader = SafetensorsReader::Open(path);
  if (!reader.ok()) return reader.status();
  if (absl::Status status = reader->file().CheckDense(); !status.ok()) return status;
  if (const auto found = reader->metadata().find("rondo"); found != reader->metadata().end()) {
    file->description = found->second;
  }
  for (const TensorInfo& tensor : reader->tensors()) {
    if (!SizeOf(tensor.shape.dimensions).has_value()) {
      return absl::DataLossError(absl::StrCat("tensor ", Quoted(tensor.name), " is too large"));
    }
    const absl::StatusOr<std::vector<float>> values = reader->Read(tensor);
    if (!values.ok()) return values.status();
    file->tensors.push_back(
        {tensor.name, {tensor.shape.dimensions, std::vector<double>(values->begin(), values->end())}});
  }
  return absl::OkStatus();
}

// The files that the index names, each once, in the order of their names. A shard lies beside its index.
absl::StatusOr<std::set<std::string>> ShardsOf(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxJsonBytes);
  if (!text.ok()) return text.status();
  const absl::StatusOr<nlohmann::json> index = ParseJson(*text);
  if (!index.ok()) return index.status();
  const auto map = index->find("weight_map");
  if (map == index->end() || !map->is_object()) return absl::DataLossError("the index has no weight_map");
  std::set<std::string> shards;
  for (const auto& member : map->items()) {
    const bool plain = member.value().is_string() && !absl::StrContains(member.value().get<std::string>(), "/");
    if (!plain)
      return absl::DataLossError(absl::StrCat("the index places ", Quoted(member.key()), " in no file beside it"));
    shards.insert(member.value().get<std::string>());
  }
  if (shards.size() > kMaxShards) return absl::DataLossError(absl::StrCat("the index names ", shards.size(), " files"));
  return shards;
}

NamedTensor* Find(WeightFile* file, absl::string_view name) {
  const auto found = std::find_if(file->tensors.begin(), file->tensors.end(),
                                  [&](const NamedTensor& tensor) { return tensor.name == name; });
  return found == file->tensors.end() ? nullptr : &*found;
}

// The tensor's name before weight_norm took it apart; empty: `name` is not its length.
std::string NormedName(absl::string_view name, std::string* direction) {
  if (absl::EndsWith(name, "_g")) {
    *direction = absl::StrCat(absl::StripSuffix(name, "_g"), "_v");
    return std::string(absl::StripSuffix(name, "_g"));
  }
  if (absl::StrContains(name, "parametrizations.") && absl::EndsWith(name, ".original0")) {
    *direction = absl::StrCat(absl::StripSuffix(name, "0"), "1");
    return absl::StrReplaceAll(absl::StripSuffix(name, ".original0"), {{"parametrizations.", ""}});
  }
  return "";
}

}  // namespace

absl::StatusOr<WeightFile> ReadSafetensorsFiles(const std::string& path) {
  WeightFile file;
  if (!absl::EndsWith(path, kIndexSuffix)) {
    if (absl::Status status = AddShard(path, &file); !status.ok()) return status;
    return file;
  }
  const absl::StatusOr<std::set<std::string>> shards = ShardsOf(path);
  if (!shards.ok()) return shards.status();
  const size_t slash = path.find_last_of('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  for (const std::string& shard : *shards) {
    if (absl::Status status = AddShard(folder + shard, &file); !status.ok()) {
      return absl::Status(status.code(), absl::StrCat("shard ", Quoted(shard), ": ", status.message()));
    }
  }
  return file;
}

absl::Status JoinWeightNorms(WeightFile* file) {
  for (size_t i = 0; i < file->tensors.size(); ++i) {
    std::string direction_name;
    const std::string name = NormedName(file->tensors[i].name, &direction_name);
    NamedTensor* direction = name.empty() ? nullptr : Find(file, direction_name);
    if (direction == nullptr) continue;
    const Array& lengths = file->tensors[i].array;
    Array weight = direction->array;
    const int64_t rows = weight.shape.empty() ? 0 : weight.shape[0];
    if (rows == 0 || lengths.size() != rows) {
      return absl::InvalidArgumentError(absl::StrCat("tensor ", Quoted(file->tensors[i].name), " has ", lengths.size(),
                                                     " lengths; weight_norm over the first dimension has ", rows));
    }
    const int64_t width = weight.size() / rows;
    for (int64_t row = 0; row < rows; ++row) {
      double squares = 0;
      for (int64_t k = 0; k < width; ++k) squares += std::pow(weight.values[row * width + k], 2);
      const double factor = squares > 0 ? lengths.values[row] / std::sqrt(squares) : 0;
      for (int64_t k = 0; k < width; ++k) weight.values[row * width + k] *= factor;
    }
    file->tensors[i] = {name, std::move(weight)};
    file->tensors.erase(file->tensors.begin() + (direction - file->tensors.data()));
    i = static_cast<size_t>(-1);  // places moved: look from the beginning
  }
  return absl::OkStatus();
}

}  // namespace rondo::convert
