#include "client/load/echo_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rondo::load {
namespace {

constexpr int kStartMilliseconds = 10'000;

absl::StatusOr<std::string> EchoProgram() {
  std::array<char, PATH_MAX> self{};
  const ssize_t length = readlink("/proc/self/exe", self.data(), self.size());
  if (length <= 0) return absl::NotFoundError("cannot tell where this program is, to find rondo-echo beside it");
  const std::string path(self.data(), static_cast<size_t>(length));
  std::string program = absl::StrCat(path.substr(0, path.rfind('/') + 1), "rondo-echo");
  if (access(program.c_str(), X_OK) != 0) return absl::NotFoundError("no rondo-echo beside this program");
  return program;
}

// Reads up to the first newline; empty if none comes in time.
std::string ReadLine(int fd) {
  std::string line;
  while (true) {
    pollfd ready{fd, POLLIN, 0};
    char c = 0;
    if (poll(&ready, 1, kStartMilliseconds) <= 0 || read(fd, &c, 1) != 1) return "";
    if (c == '\n') return line;
    line.push_back(c);
  }
}

// Starts `program` with these ends of pipes as standard input and output; returns posix_spawn's error.
int Spawn(const std::string& program, std::vector<std::string> arguments, int input, int output, pid_t* pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int error = posix_spawn(pid, program.c_str(), &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EchoProcess>> EchoProcess::Start(const std::vector<std::string>& arguments) {
  absl::StatusOr<std::string> program = EchoProgram();
  if (!program.ok()) return program.status();
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  if (pipe2(input.data(), O_CLOEXEC) != 0 || pipe2(output.data(), O_CLOEXEC) != 0) {
    return absl::UnavailableError(absl::StrCat("no pipe for rondo-echo: ", std::strerror(errno)));
  }
  pid_t pid = 0;
  const int error = Spawn(*program, arguments, input[0], output[1], &pid);
  close(input[0]);
  close(output[1]);
  if (error != 0) {
    close(input[1]);
    close(output[0]);
    return absl::UnavailableError(absl::StrCat("rondo-echo did not start: ", std::strerror(error)));
  }
  auto process = absl::WrapUnique(new EchoProcess(pid, input[1]));
  const std::string line = ReadLine(output[0]);
  close(output[0]);
  absl::string_view address = line;
  if (!absl::ConsumePrefix(&address, "listening on "))
    return absl::UnavailableError("rondo-echo did not start to listen");
  process->address_ = std::string(address);
  return process;
}

EchoProcess::~EchoProcess() {
  close(lifeline_);
  waitpid(pid_, nullptr, 0);
}

}  // namespace rondo::load
