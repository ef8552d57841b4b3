// rondo-echo: the bare gRPC echo that rondo-load --echo_baseline measures beside rondo-server.
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "base/cpu_list.h"
#include "client/load/echo_server/echo_service.h"
#include "grpcpp/grpcpp.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:0", "HOST:PORT to listen on; port 0: any free one, printed at the start.");
ABSL_FLAG(int64_t, input_size, 1, "Floats a timestep in a request, 1 to 1048576; default 1.");
ABSL_FLAG(int64_t, output_size, 1, "Floats a timestep in a reply, 1 to 1048576; default 1.");
ABSL_FLAG(std::string, cpus, "", "CPUs to run on, as in 0,2-3; empty (default): those it was started on.");
ABSL_FLAG(bool, exit_with_stdin, false,
          "Exit when standard input closes, i.e. with the program that started this one.");

namespace rondo::load {
namespace {

constexpr int64_t kMaxSize = 1 << 20;

bool InRange(const char* flag, int64_t value) {
  if (value >= 1 && value <= kMaxSize) return true;
  std::fprintf(stderr, "rondo-echo: --%s is %lld; wanted 1 to %lld\n", flag, static_cast<long long>(value),
               static_cast<long long>(kMaxSize));
  return false;
}

void WaitForTheEnd(bool exit_with_stdin, const sigset_t& signals) {
  int signal = 0;
  char c = 0;
  if (!exit_with_stdin) {
    sigwait(&signals, &signal);
    return;
  }
  while (read(STDIN_FILENO, &c, 1) > 0) {
  }
}

int Run() {
  const int64_t input_size = absl::GetFlag(FLAGS_input_size);
  const int64_t output_size = absl::GetFlag(FLAGS_output_size);
  if (!InRange("input_size", input_size) || !InRange("output_size", output_size)) return 2;
  const absl::Status moved = MoveToCpus(absl::GetFlag(FLAGS_cpus));
  if (!moved.ok()) {
    std::fprintf(stderr, "rondo-echo: --cpus: %s\n", std::string(moved.message()).c_str());
    return 2;
  }
  // Blocked before any thread is started, so that only sigwait sees them.
  const bool exit_with_stdin = absl::GetFlag(FLAGS_exit_with_stdin);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (!exit_with_stdin) pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  EchoService service(input_size, output_size);
  grpc::ServerBuilder builder;
  const std::string listen = absl::GetFlag(FLAGS_listen);
  int port = 0;
  builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  builder.SetMaxReceiveMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    std::fprintf(stderr, "rondo-echo: cannot listen on %s\n", listen.c_str());
    return 1;
  }
  std::printf("listening on %s:%d\n", listen.substr(0, listen.rfind(':')).c_str(), port);
  std::fflush(stdout);
  WaitForTheEnd(exit_with_stdin, signals);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace rondo::load

int main(int argc, char** argv) {
  // rondo-server switches these checks off too: the baseline must be no slower than it can be.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  absl::SetProgramUsageMessage("A bare gRPC echo of rondo.v1.Inference: the baseline of rondo-load --echo_baseline.");
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) { return absl::EndsWith(file, "echo_server/main.cc"); };
  absl::SetFlagsUsageConfig(usage);
  absl::ParseCommandLine(argc, argv);
  return rondo::load::Run();
}
