#include "model/convert/archive/npz.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "model/convert/archive/little_endian.h"
#include "model/convert/archive/number_type.h"
#include "model/convert/archive/zip_archive.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr std::pair<absl::string_view, NumberType> kTypes[] = {
    {"<f2", NumberType::kFloat16}, {"<f4", NumberType::kFloat32}, {"<f8", NumberType::kFloat64},
    {"|i1", NumberType::kInt8},    {"<i2", NumberType::kInt16},   {"<i4", NumberType::kInt32},
    {"<i8", NumberType::kInt64},   {"|u1", NumberType::kUint8},   {"|b1", NumberType::kBool}};

// What stands after "'key':" in the header, which is a Python dictionary of one line.
absl::string_view After(absl::string_view header, absl::string_view key) {
  const size_t at = header.find(absl::StrCat("'", key, "':"));
  if (at == absl::string_view::npos) return {};
  return absl::StripAsciiWhitespace(header.substr(at + key.size() + 3));
}

std::optional<std::vector<int64_t>> ReadShape(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "(")) return std::nullopt;
  const size_t end = text.find(')');
  if (end == absl::string_view::npos) return std::nullopt;
  std::vector<int64_t> shape;
  for (const absl::string_view word : absl::StrSplit(text.substr(0, end), ',', absl::SkipWhitespace())) {
    if (!absl::SimpleAtoi(word, &shape.emplace_back())) return std::nullopt;
  }
  return shape;
}

}  // namespace

absl::StatusOr<Array> ParseNpy(absl::string_view bytes) {
  constexpr absl::string_view kMark("\x93NUMPY", 6);
  if (bytes.size() < 12 || !absl::StartsWith(bytes, kMark)) return absl::DataLossError("it is no numpy array");
  const bool wide = bytes[6] != 1;  // format 1 has a length of 16 bits
  const uint64_t length = wide ? LittleEndian<uint32_t>(bytes, 8) : LittleEndian<uint16_t>(bytes, 8);
  const uint64_t begin = wide ? 12 : 10;
  if (length > bytes.size() - begin) return absl::DataLossError("its header is longer than the file");
  const absl::string_view header = bytes.substr(begin, length);
  const absl::string_view type_text = After(header, "descr");
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& each) {
    return absl::StartsWith(type_text, absl::StrCat("'", each.first, "'"));
  });
  if (type == std::end(kTypes))
    return absl::UnimplementedError("its type is none of f2, f4, f8, i1, i2, i4, i8, u1, b1");
  if (!absl::StartsWith(After(header, "fortran_order"), "False")) {
    return absl::DataLossError("it is in Fortran's order; numpy.ascontiguousarray helps");
  }
  std::optional<std::vector<int64_t>> shape = ReadShape(After(header, "shape"));
  const std::optional<int64_t> size = shape.has_value() ? SizeOf(*shape) : std::nullopt;
  const absl::string_view numbers = bytes.substr(begin + length);
  if (!size.has_value() || static_cast<int64_t>(numbers.size()) != *size * BytesOf(type->second)) {
    return absl::DataLossError(absl::StrCat("its shape does not fit its ", numbers.size(), " bytes"));
  }
  return Array{*std::move(shape), ReadNumbers(type->second, numbers)};
}

absl::StatusOr<std::map<std::string, Array>> ParseNpz(std::string bytes) {
  const absl::StatusOr<ZipArchive> archive = ZipArchive::Open(std::move(bytes));
  if (!archive.ok()) return archive.status();
  std::map<std::string, Array> arrays;
  for (const ZipEntry& entry : archive->entries()) {
    const absl::StatusOr<std::string> file = archive->Read(entry);
    if (!file.ok()) return file.status();
    absl::StatusOr<Array> array = ParseNpy(*file);
    if (absl::IsUnimplemented(array.status())) continue;
    if (!array.ok()) {
      return absl::DataLossError(absl::StrCat("array ", Quoted(entry.name), ": ", array.status().message()));
    }
    arrays[std::string(absl::StripSuffix(entry.name, ".npy"))] = *std::move(array);
  }
  return arrays;
}

}  // namespace rondo::convert
