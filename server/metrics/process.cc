// What the kernel says of this process; see page.h.
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
#include "server/metrics/page.h"

namespace rondo {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

double Number(const std::vector<absl::string_view>& fields, size_t index) {
  int64_t number = 0;
  return index < fields.size() && absl::SimpleAtoi(fields[index], &number) ? static_cast<double>(number) : 0;
}

double BootTimeSeconds() {
  const std::string text = ReadAll("/proc/stat");
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

}  // namespace

// A number that cannot be read is shown as 0.
void ShowProcess(Page* page) {
  page->Add({"rondo_build_info", "Always 1; the labels say what was built, and with what."},
            {{"version", RONDO_VERSION}, {"compiler", LabelValue(RONDO_COMPILER)}}, Reading{1});
  // Field 2 is the program's name in parentheses and may hold anything; field 3 follows the last one. proc(5) counts
  // from 1.
  const std::string text = ReadAll("/proc/self/stat");
  const size_t name_end = text.rfind(')');
  std::vector<absl::string_view> fields;
  if (name_end != std::string::npos) fields = absl::StrSplit(absl::string_view(text).substr(name_end + 1), ' ');
  const auto field = [&fields](size_t number) { return Number(fields, number - 2); };
  const double ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double page_bytes = static_cast<double>(sysconf(_SC_PAGESIZE));
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto show = [page](const char* name, const char* help, double value, bool only_grows = false) {
    page->Add({name, help}, {}, Reading{value, only_grows});
  };
  show("process_cpu_seconds_total", "User and system CPU time spent, in seconds.",
       (field(14) + field(15)) / ticks_per_second, /*only_grows=*/true);
  show("process_start_time_seconds", "Start time of the process, in seconds since the unix epoch.",
       BootTimeSeconds() + field(22) / ticks_per_second);
  show("process_threads", "Threads of the process.", field(20));
  show("process_virtual_memory_bytes", "Virtual memory size, in bytes.", field(23));
  show("process_resident_memory_bytes", "Resident memory size, in bytes.", field(24) * page_bytes);
  show("process_open_fds", "Open file descriptors.", CountEntries("/proc/self/fd"));
  show("process_max_fds", "Most file descriptors that may be open.", static_cast<double>(limit.rlim_cur));
}

}  // namespace rondo
