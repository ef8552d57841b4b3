#include "server/metrics/process_probe.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rondo {
namespace {

// What the kernel says of this process; a number that cannot be read is 0.
struct ProcessStats {
  double cpu_seconds = 0;         // user and system
  double start_time_seconds = 0;  // unix time
  double threads = 0;
  double virtual_memory_bytes = 0;
  double resident_memory_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
};

// What was built, and with what.
struct BuildInfo {
  template <typename Show>
  void ForEach(Show show) const {
    show({RONDO_VERSION, RONDO_COMPILER}, Reading{1});
  }
};

constexpr Family kBuildInfo = {
    "rondo_build_info", "Always 1; the labels say what was built, and with what.", {"version", "compiler"}};

struct Row {
  Family family;
  double ProcessStats::*number;
  bool only_grows = false;
};

constexpr Row kRows[] = {
    {{"process_cpu_seconds_total", "User and system CPU time spent, in seconds."}, &ProcessStats::cpu_seconds, true},
    {{"process_start_time_seconds", "Start time of the process, in seconds since the unix epoch."},
     &ProcessStats::start_time_seconds},
    {{"process_threads", "Threads of the process."}, &ProcessStats::threads},
    {{"process_virtual_memory_bytes", "Virtual memory size, in bytes."}, &ProcessStats::virtual_memory_bytes},
    {{"process_resident_memory_bytes", "Resident memory size, in bytes."}, &ProcessStats::resident_memory_bytes},
    {{"process_open_fds", "Open file descriptors."}, &ProcessStats::open_fds},
    {{"process_max_fds", "Most file descriptors that may be open."}, &ProcessStats::max_fds},
};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

double Number(const std::vector<absl::string_view>& fields, size_t index) {
  int64_t number = 0;
  return index < fields.size() && absl::SimpleAtoi(fields[index], &number) ? static_cast<double>(number) : 0;
}

double BootTimeSeconds(const std::string& proc) {
  const std::string text = ReadAll(proc + "/stat");
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields[0] == "btime") return Number(fields, 1);
  }
  return 0;
}

double CountEntries(const std::string& folder) {
  std::error_code error;
  double count = 0;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  return count;
}

// `proc`: where procfs is mounted.
ProcessStats ReadProcessStats(const std::string& proc) {
  ProcessStats stats;
  const std::string text = ReadAll(proc + "/self/stat");
  // Field 2 is the program's name in parentheses and may hold anything; field 3 follows the last one. proc(5) counts
  // from 1.
  const size_t name_end = text.rfind(')');
  if (name_end != std::string::npos && name_end + 2 < text.size()) {
    const std::vector<absl::string_view> fields = absl::StrSplit(absl::string_view(text).substr(name_end + 2), ' ');
    const double ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
    stats.cpu_seconds = (Number(fields, 14 - 3) + Number(fields, 15 - 3)) / ticks_per_second;
    stats.threads = Number(fields, 20 - 3);
    stats.start_time_seconds = BootTimeSeconds(proc) + Number(fields, 22 - 3) / ticks_per_second;
    stats.virtual_memory_bytes = Number(fields, 23 - 3);
    stats.resident_memory_bytes = Number(fields, 24 - 3) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  stats.open_fds = CountEntries(proc + "/self/fd");
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = static_cast<double>(limit.rlim_cur);
  return stats;
}

}  // namespace

void ShowProcess(Page* page) {
  page->Add(kBuildInfo, {}, BuildInfo());
  const ProcessStats stats = ReadProcessStats("/proc");
  for (const Row& row : kRows) page->Add(row.family, {}, Reading{stats.*row.number, row.only_grows});
}

}  // namespace rondo
