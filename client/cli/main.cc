// rondo: the command line of a Rondo server's users.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/option_table.h"
#include "client/cli/command_line.h"
#include "client/cli/csv_writer.h"
#include "client/cli/interrupt.h"
#include "client/client.h"

namespace rondo {
namespace {

enum ExitCode { kDone = 0, kUsage = 2 };

std::string DefaultServer() {
  const char* environment = std::getenv("RONDO_SERVER");
  return environment != nullptr && *environment != '\0' ? environment : "127.0.0.1:8001";
}

// What helps where nobody answers; empty: something else is wrong. gRPC says so in these words.
absl::string_view AdviceFor(const absl::Status& status) {
  return absl::IsUnavailable(status) && absl::StartsWith(status.message(), "failed to connect")
             ? "; wanted a rondo-server that runs there, or another address as --server=HOST:PORT or in RONDO_SERVER"
             : "";
}

int Main(int argc, char** argv) {
  CommandLine line(DefaultServer());
  if (const std::optional<int> exit_code = ReadCommandLine(line.table(), argc, argv)) return *exit_code;
  ClientOptions options;
  options.timeout = line.timeout();
  const absl::Status read = ReadConnectionFlags(line.connection(), &options);
  const absl::StatusOr<Client> client = read.ok() ? Client::Connect(line.server(), options) : read;
  if (!client.ok()) {
    std::fprintf(stderr, "rondo: %s\n", Printable(client.status().message()).c_str());
    return kUsage;
  }

  CatchInterrupts();
  CsvWriter output(STDOUT_FILENO);
  const absl::Status status =
      line.command().run({*client, line.words(), output, isatty(STDERR_FILENO) != 0, isatty(STDOUT_FILENO) != 0});
  if (Interrupted()) DieOfInterrupt();
  if (status.ok() || output.reader_gone()) return kDone;
  const std::string where = absl::IsUnavailable(status) ? absl::StrCat("server ", line.server(), ": ") : "";
  std::fprintf(stderr, "rondo: %s%s%s (%s)\n", where.c_str(), Printable(status.message()).c_str(),
               std::string(AdviceFor(status)).c_str(), absl::StatusCodeToString(status.code()).c_str());
  return ExitCodeOf(status);
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) { return rondo::Main(argc, argv); }
