// rondo: the command line of a Rondo server's users.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cli/arguments.h"
#include "client/cli/commands.h"
#include "client/cli/interrupt.h"
#include "client/client.h"

namespace rondo {
namespace {

enum ExitCode { kDone = 0, kRefused = 1, kUsage = 2 };

std::string ServerAddress(const Invocation& invocation) {
  const char* environment = std::getenv("RONDO_SERVER");
  const bool has_environment = environment != nullptr && *environment != '\0';
  return invocation.Flag("server").value_or(has_environment ? environment : "127.0.0.1:8001");
}

// Text from the server or a table must not steer the terminal.
std::string Printable(absl::string_view text) {
  std::string printable(text);
  std::replace_if(
      printable.begin(), printable.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); }, '?');
  return printable;
}

int UsageError(const absl::Status& status) {
  std::fprintf(stderr, "rondo: %s\nTry 'rondo --help'.\n", Printable(status.message()).c_str());
  return kUsage;
}

absl::StatusOr<Client> Connect(const Invocation& invocation) {
  ClientOptions options;
  const std::optional<std::string> timeout = invocation.Flag("timeout");
  if (timeout.has_value() && !absl::ParseDuration(*timeout, &options.timeout)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--timeout is '", *timeout, "'; it takes a duration as 500ms or 10s"));
  }
  return Client::Connect(ServerAddress(invocation), options);
}

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Invocation> invocation = ParseArguments(RondoProgram(), arguments);
  if (!invocation.ok()) return UsageError(invocation.status());
  if (invocation->help) {
    std::fputs(HelpText(RondoProgram(), invocation->command).c_str(), stdout);
    return kDone;
  }
  const absl::StatusOr<Client> client = Connect(*invocation);
  if (!client.ok()) return UsageError(client.status());

  CatchInterrupts();
  CsvWriter output(STDOUT_FILENO);
  const absl::Status status =
      RunCommand({*client, *invocation, output, isatty(STDERR_FILENO) != 0, isatty(STDOUT_FILENO) != 0});
  if (Interrupted()) DieOfInterrupt();
  if (status.ok() || output.reader_gone()) return kDone;
  const std::string where =
      absl::IsUnavailable(status) ? absl::StrCat("server ", ServerAddress(*invocation), ": ") : "";
  std::fprintf(stderr, "rondo: %s%s (%s)\n", where.c_str(), Printable(status.message()).c_str(),
               absl::StatusCodeToString(status.code()).c_str());
  return kRefused;
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) {
  // gRPC 1.51 looks at connect()'s errno after taking locks (grpc/grpc pull request 35064). Debian builds abseil with
  // its debug checks, and the first look for deadlock cycles overwrites it: one connection in some hundred processes
  // failed.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return rondo::Main(std::vector<std::string>(argv + 1, argv + argc));
}
