#include "model/safetensors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <new>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"

namespace rondo {
namespace {

#ifndef ABSL_IS_LITTLE_ENDIAN
#error "safetensors is little-endian and is read without swapping bytes"
#endif

constexpr size_t kLengthBytes = 8;
constexpr size_t kChunkBytes = size_t{1} << 16;

float FloatOfBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
float FloatOfHalf(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1Fu, fraction = half & 0x3FFu;
  if (exponent == 0) return std::copysign(static_cast<float>(fraction) * 0x1p-24f, FloatOfBits(sign));
  if (exponent == 0x1F) return FloatOfBits(sign | 0x7F800000u | fraction << 13);
  return FloatOfBits(sign | (exponent + (127 - 15)) << 23 | fraction << 13);
}

template <typename Item, typename Convert>
void ConvertItems(const char* bytes, size_t count, float* values, Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    Item item;
    std::memcpy(&item, bytes + i * sizeof(Item), sizeof(Item));
    values[i] = convert(item);
  }
}

void ConvertChunk(TensorType type, const char* bytes, size_t count, float* values) {
  switch (type) {
    case TensorType::kF32:
      std::memcpy(values, bytes, count * sizeof(float));
      break;
    case TensorType::kF64:
      // Out of float's range becomes infinite here (IEEE 754) and is refused with the other non-finite values.
      ConvertItems<double>(bytes, count, values, [](double item) { return static_cast<float>(item); });
      break;
    case TensorType::kF16:
      ConvertItems<uint16_t>(bytes, count, values, FloatOfHalf);
      break;
    case TensorType::kBf16:
      ConvertItems<uint16_t>(bytes, count, values, [](uint16_t item) { return FloatOfBits(uint32_t{item} << 16); });
      break;
  }
}

absl::string_view BytesOf(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

absl::StatusOr<SafetensorsReader> SafetensorsReader::Open(const std::string& path) {
  absl::StatusOr<ReadableFile> file = ReadableFile::Open(path);
  if (!file.ok()) return file.status();
  if (file->size() < kLengthBytes) {
    return absl::DataLossError(
        absl::StrCat("the file has ", file->size(), " bytes; a safetensors file has at least 8"));
  }
  std::array<char, kLengthBytes> length_bytes;
  if (absl::Status status = file->ReadAt(0, absl::MakeSpan(length_bytes)); !status.ok()) return status;
  uint64_t length;
  std::memcpy(&length, length_bytes.data(), sizeof(length));
  if (length > kMaxSafetensorsHeaderBytes) {
    return absl::DataLossError(absl::StrCat("the header announces ", length, " bytes; at most ",
                                            kMaxSafetensorsHeaderBytes, " are read: is it a safetensors file?"));
  }
  const uint64_t payload_offset = kLengthBytes + length;
  if (payload_offset > file->size()) {
    return absl::DataLossError(
        absl::StrCat("the header announces ", length, " bytes; the file has ", file->size() - kLengthBytes, " more"));
  }
  std::string json(length, '\0');
  if (absl::Status status = file->ReadAt(kLengthBytes, absl::MakeSpan(json)); !status.ok()) return status;
  absl::StatusOr<SafetensorsHeader> header = ParseSafetensorsHeader(json, file->size() - payload_offset);
  if (!header.ok()) return header.status();
  return SafetensorsReader(*std::move(file), *std::move(header), payload_offset);
}

absl::StatusOr<std::vector<float>> SafetensorsReader::Read(const TensorInfo& tensor) const {
  const size_t count = static_cast<size_t>(tensor.shape.size()), item_bytes = ItemBytes(tensor.type);
  std::vector<float> values;
  try {
    values.resize(count);
  } catch (const std::exception&) {  // bad_alloc or length_error
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for tensor ", Quoted(tensor.name), " ", tensor.shape.ToString()));
  }
  std::vector<char> chunk(kChunkBytes);
  for (size_t done = 0; done < count;) {
    const size_t items = std::min(kChunkBytes / item_bytes, count - done);
    const absl::Span<char> bytes(chunk.data(), items * item_bytes);
    absl::Status status = file_.ReadAt(payload_offset_ + tensor.offset + done * item_bytes, bytes);
    if (!status.ok()) return status;
    ConvertChunk(tensor.type, chunk.data(), items, values.data() + done);
    done += items;
  }
  const auto wrong = std::find_if_not(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (wrong != values.end()) {
    return absl::DataLossError(absl::StrCat("tensor ", Quoted(tensor.name), " has the value ", *wrong, " at index ",
                                            wrong - values.begin(), "; weights must be finite in float32"));
  }
  return values;
}

absl::Status WriteSafetensors(const std::map<std::string, std::string>& metadata,
                              const std::vector<TensorSlot>& tensors, const std::string& path) {
  const absl::StatusOr<std::string> header = SafetensorsHeaderBytes(metadata, tensors);
  if (!header.ok()) return header.status();
  std::vector<absl::string_view> parts = {*header};
  for (const TensorSlot& tensor : tensors) parts.push_back(BytesOf(*tensor.values));
  return WriteFileAtomically(path, parts);
}

}  // namespace rondo
