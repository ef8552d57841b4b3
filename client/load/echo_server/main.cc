// rondo-echo: the bare gRPC echo that rondo-load --echo_baseline measures beside rondo-server.
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "base/cpu_list.h"
#include "base/option_table.h"
#include "client/load/echo_server/echo_service.h"
#include "grpcpp/grpcpp.h"

namespace rondo::load {
namespace {

struct EchoOptions {
  std::string listen = "127.0.0.1:0";
  int64_t input_size = 1;
  int64_t output_size = 1;
  std::string cpus;
  bool exit_with_stdin = false;
};

OptionTable EchoOptionTable(EchoOptions* options) {
  constexpr int64_t kMaxSize = 1 << 20;
  OptionTable table;
  table.program = "rondo-echo";
  table.about = "rondo-echo is a bare gRPC echo of rondo.v1.Inference: the baseline of rondo-load --echo_baseline.";
  table.groups = {
      {"Flags",
       {{"listen", Text(&options->listen, "HOST:PORT"),
         "The address to listen on. Port 0: any free one, printed at the start."},
        {"input_size", Number(&options->input_size, {1, kMaxSize}, "N"), "Floats a timestep in a request."},
        {"output_size", Number(&options->output_size, {1, kMaxSize}, "N"), "Floats a timestep in a reply."},
        {"cpus", TextOrNone(&options->cpus, "LIST"), "CPUs to run on, as in 0,2-3; empty: those it was started on."},
        {"exit_with_stdin", Switch(&options->exit_with_stdin),
         "Exit when standard input closes, i.e. with the program that started this one."}}}};
  return table;
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

int Main(int argc, char** argv) {
  EchoOptions options;
  OptionTable table = EchoOptionTable(&options);
  if (const std::optional<int> exit_code = ReadCommandLine(table, argc, argv)) return *exit_code;
  if (const absl::Status moved = MoveToCpus(options.cpus); !moved.ok()) {
    std::fprintf(stderr, "rondo-echo: --cpus: %s\n", std::string(moved.message()).c_str());
    return 2;
  }
  // Blocked before any thread is started, so that only sigwait sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  if (!options.exit_with_stdin) pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  EchoService service(options.input_size, options.output_size);
  grpc::ServerBuilder builder;
  const std::string& listen = options.listen;
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
  WaitForTheEnd(options.exit_with_stdin, signals);
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace rondo::load

int main(int argc, char** argv) { return rondo::load::Main(argc, argv); }
