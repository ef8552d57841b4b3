#include "model/convert/keras/h5_file.h"

#include <hdf5.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr hsize_t kMaxTexts = 4096, kMaxTextBytes = hsize_t{1} << 24;
constexpr int kMaxRank = 8;

// Closes one of the library's identifiers.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }

  hid_t get() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  const hid_t id_;
  herr_t (*const close_)(hid_t);
};

// The library asks for each part of a path alone.
bool PathExists(hid_t file, const std::string& path) {
  std::string sofar;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&sofar, "/", part);
    if (H5Lexists(file, sofar.c_str(), H5P_DEFAULT) <= 0) return false;
  }
  return sofar.empty() || H5Oexists_by_name(file, sofar.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> FixedTexts(hid_t attribute, hid_t type, hsize_t count) {
  const hsize_t size = H5Tget_size(type);
  if (size == 0 || size > kMaxTextBytes / std::max<hsize_t>(count, 1)) return {};
  std::string bytes(size * count, '\0');
  if (H5Aread(attribute, type, &bytes[0]) < 0) return {};
  std::vector<std::string> texts;
  for (hsize_t i = 0; i < count; ++i) {
    const std::string text = bytes.substr(i * size, size);
    texts.push_back(text.substr(0, text.find('\0')));
  }
  return texts;
}

std::vector<std::string> OpenTexts(hid_t attribute, hid_t type, hid_t space, hsize_t count) {
  std::vector<char*> pointers(count, nullptr);
  if (H5Aread(attribute, type, pointers.data()) < 0) return {};
  std::vector<std::string> texts;
  for (const char* pointer : pointers) texts.emplace_back(pointer == nullptr ? "" : pointer);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  return texts;
}

}  // namespace

bool H5File::Looks(absl::string_view bytes) { return absl::StartsWith(bytes, "\x89HDF\r\n\x1a\n"); }

absl::StatusOr<H5File> H5File::Open(const std::string& bytes) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are told by status, not on stderr
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  constexpr size_t kGrowBytes = 1 << 16;
  const bool set = access.ok() && H5Pset_fapl_core(access.get(), kGrowBytes, 0) >= 0 &&
                   H5Pset_file_image(access.get(), const_cast<char*>(bytes.data()), bytes.size()) >= 0;
  const hid_t file = set ? H5Fopen("memory", H5F_ACC_RDONLY, access.get()) : -1;
  if (file < 0) return absl::DataLossError("the HDF5 file is damaged");
  return H5File(file);
}

void H5File::Closer::operator()(const int64_t* file) const {
  H5Fclose(*file);
  delete file;
}

bool H5File::Has(const std::string& path) const { return PathExists(*file_, path); }

std::vector<std::string> H5File::Texts(const std::string& path, const std::string& attribute) const {
  const std::string object = path.empty() ? "/" : path;
  if (!PathExists(*file_, path) || H5Aexists_by_name(*file_, object.c_str(), attribute.c_str(), H5P_DEFAULT) <= 0)
    return {};
  const Handle opened(H5Aopen_by_name(*file_, object.c_str(), attribute.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  if (!opened.ok()) return {};
  const Handle type(H5Aget_type(opened.get()), H5Tclose), space(H5Aget_space(opened.get()), H5Sclose);
  if (!type.ok() || !space.ok() || H5Tget_class(type.get()) != H5T_STRING) return {};
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  if (count < 1 || static_cast<hsize_t>(count) > kMaxTexts) return {};
  if (H5Tis_variable_str(type.get()) > 0) return OpenTexts(opened.get(), type.get(), space.get(), count);
  return FixedTexts(opened.get(), type.get(), count);
}

absl::StatusOr<Array> H5File::Numbers(const std::string& path) const {
  const auto refuse = [&](absl::string_view rule) {
    return absl::DataLossError(absl::StrCat("data set ", Quoted(path), " ", rule));
  };
  if (!PathExists(*file_, path)) return refuse("is missing");
  const Handle set(H5Dopen2(*file_, path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!set.ok()) return refuse("cannot be read");
  const Handle space(H5Dget_space(set.get()), H5Sclose), type(H5Dget_type(set.get()), H5Tclose);
  const int rank = space.ok() ? H5Sget_simple_extent_ndims(space.get()) : -1;
  if (rank < 0 || rank > kMaxRank || !type.ok()) return refuse("has no shape");
  if (H5Tget_class(type.get()) != H5T_FLOAT && H5Tget_class(type.get()) != H5T_INTEGER)
    return refuse("holds no numbers");
  std::vector<hsize_t> sizes(rank);
  if (rank > 0) H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr);
  Array array;
  for (const hsize_t size : sizes) array.shape.push_back(static_cast<int64_t>(std::min<hsize_t>(size, INT64_MAX)));
  const auto count = SizeOf(array.shape);
  // A file can announce more than it holds: data that was never written is not believed.
  if (!count.has_value() || (*count > 0 && H5Dget_storage_size(set.get()) == 0))
    return refuse("has no values or too many");
  array.values.resize(*count);
  if (*count > 0 && H5Dread(set.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) < 0) {
    return refuse("cannot be read");
  }
  return array;
}

}  // namespace rondo::convert
