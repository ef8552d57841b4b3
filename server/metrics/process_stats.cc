#include "server/metrics/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rondo {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

int64_t Number(const std::vector<absl::string_view>& fields, size_t index) {
  int64_t number = 0;
  return index < fields.size() && absl::SimpleAtoi(fields[index], &number) ? number : 0;
}

double BootTimeSeconds(const std::string& proc) {
  const std::string text = ReadAll(proc + "/stat");
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields[0] == "btime") return static_cast<double>(Number(fields, 1));
  }
  return 0;
}

int64_t CountEntries(const std::string& folder) {
  std::error_code error;
  int64_t count = 0;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  return count;
}

}  // namespace

ProcessStats ReadProcessStats(const std::string& proc) {
  ProcessStats stats;
  const std::string text = ReadAll(proc + "/self/stat");
  // Field 2 is the program's name in parentheses and may hold anything; field 3 follows the last one. proc(5) counts
  // from 1.
  const size_t name_end = text.rfind(')');
  if (name_end != std::string::npos && name_end + 2 < text.size()) {
    const std::vector<absl::string_view> fields = absl::StrSplit(absl::string_view(text).substr(name_end + 2), ' ');
    const double ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
    stats.cpu_seconds = static_cast<double>(Number(fields, 14 - 3) + Number(fields, 15 - 3)) / ticks_per_second;
    stats.threads = Number(fields, 20 - 3);
    stats.start_time_seconds = BootTimeSeconds(proc) + static_cast<double>(Number(fields, 22 - 3)) / ticks_per_second;
    stats.virtual_memory_bytes = Number(fields, 23 - 3);
    stats.resident_memory_bytes = Number(fields, 24 - 3) * sysconf(_SC_PAGESIZE);
  }
  stats.open_fds = CountEntries(proc + "/self/fd");
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = static_cast<int64_t>(limit.rlim_cur);
  return stats;
}

}  // namespace rondo
