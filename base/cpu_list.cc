#include "base/cpu_list.h"

#include <sched.h>

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/invalid.h"

namespace rondo {

std::string CurrentCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return "";
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return absl::StrJoin(cpus, ",");
}

absl::Status MoveToCpus(absl::string_view list) {
  if (list.empty()) return absl::OkStatus();
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const absl::string_view part : absl::StrSplit(list, ',')) {
    const std::pair<absl::string_view, absl::string_view> ends = absl::StrSplit(part, absl::MaxSplits('-', 1));
    int first = 0;
    int last = 0;
    const bool is_range = part.find('-') != absl::string_view::npos;
    if (!absl::SimpleAtoi(ends.first, &first) || !absl::SimpleAtoi(is_range ? ends.second : ends.first, &last) ||
        first < 0 || last < first || last >= CPU_SETSIZE) {
      return Invalid("CPU list is '", list, "'; wanted numbers and ranges: 0,2-3");
    }
    for (int cpu = first; cpu <= last; ++cpu) CPU_SET(cpu, &set);
  }
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    return Invalid("none of the CPUs '", list, "' may be used by this process");
  }
  return absl::OkStatus();
}

}  // namespace rondo
