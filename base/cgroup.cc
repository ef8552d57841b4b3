#include "base/cgroup.h"

#include <fstream>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rondo {
namespace {

// Adds the group at `path` below `mount` and all above it. The walk begins at the mount itself: in a container that is
// the container's own group, while `path` may be the host's name of it.
void AddWithThoseAbove(const std::string& mount, absl::string_view path, bool is_v2, std::vector<Cgroup>* groups) {
  groups->push_back({mount, is_v2});
  std::string folder = mount;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&folder, "/", part);
    groups->push_back({folder, is_v2});
  }
}

}  // namespace

std::vector<Cgroup> CgroupsOf(const CgroupPaths& paths, absl::string_view controller) {
  std::vector<Cgroup> groups;
  std::ifstream file(paths.process_cgroups);
  // hierarchy-id ":" controllers ":" path; v2 is "0::path" (cgroups(7)).
  for (std::string line; std::getline(file, line);) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(fields[1], ',');
    if (fields[0] == "0" && fields[1].empty()) {
      AddWithThoseAbove(paths.cgroup_root, fields[2], true, &groups);
    } else if (absl::c_linear_search(controllers, controller)) {
      // The hierarchy is mounted under the controllers' joint name, and distributions link each one's name to it.
      for (const absl::string_view name : {fields[1], controller}) {
        AddWithThoseAbove(absl::StrCat(paths.cgroup_root, "/", name), fields[2], false, &groups);
      }
    }
  }
  return groups;
}

std::string ReadLimit(const std::string& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

}  // namespace rondo
