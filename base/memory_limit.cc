#include "base/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rondo {
namespace {

// "max" is no number: there is no limit.
uint64_t LimitIn(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  uint64_t bytes = 0;
  return absl::SimpleAtoi(line, &bytes) && bytes > 0 ? bytes : std::numeric_limits<uint64_t>::max();
}

// The least limit of the group at `path` below `mount` and of all above it.
uint64_t LeastLimit(const std::string& mount, absl::string_view path, absl::string_view file) {
  uint64_t least = LimitIn(absl::StrCat(mount, "/", file));
  std::string folder = mount;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&folder, "/", part);
    least = std::min(least, LimitIn(absl::StrCat(folder, "/", file)));
  }
  return least;
}

}  // namespace

size_t AvailableMemory(const std::string& cgroup_root, const std::string& process_cgroups) {
  uint64_t least = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  std::ifstream file(process_cgroups);
  // hierarchy-id ":" controllers ":" path; v2 is "0::path" (cgroups(7)).
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    if (fields[0] == "0" && fields[1].empty()) {
      least = std::min(least, LeastLimit(cgroup_root, fields[2], "memory.max"));
    } else if (fields[1] == "memory") {
      least = std::min(least, LeastLimit(cgroup_root + "/memory", fields[2], "memory.limit_in_bytes"));
    }
  }
  return static_cast<size_t>(least);
}

}  // namespace rondo
