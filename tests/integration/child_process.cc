#include "tests/integration/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace rondo {
namespace {

constexpr int kPatienceMilliseconds = 60'000;

}  // namespace

ChildProcess::ChildProcess(const std::string& program, std::vector<std::string> arguments) {
  const std::string path = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / program).string();
  std::array<int, 2> input{};
  std::array<int, 2> output{};
  EXPECT_EQ(pipe2(input.data(), O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(output.data(), O_CLOEXEC), 0);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output[1], STDERR_FILENO);
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  EXPECT_EQ(posix_spawn(&pid_, path.c_str(), &files, nullptr, argv.data(), environ), 0) << path;
  posix_spawn_file_actions_destroy(&files);
  close(input[0]);
  close(output[1]);
  input_ = input[1];
  output_ = output[0];
}

ChildProcess::~ChildProcess() {
  close(input_);
  close(output_);
  if (pid_ < 0) return;
  Signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void ChildProcess::WriteInput(const std::string& text) {
  EXPECT_EQ(write(input_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

bool ChildProcess::ReadMore() {
  pollfd ready{output_, POLLIN, 0};
  std::array<char, 4096> bytes;
  if (poll(&ready, 1, kPatienceMilliseconds) <= 0) return false;
  const ssize_t count = read(output_, bytes.data(), bytes.size());
  if (count <= 0) return false;
  printed_.append(bytes.data(), static_cast<size_t>(count));
  return true;
}

std::string ChildProcess::WaitForLine(const std::string& text) {
  while (true) {
    for (size_t end = printed_.find('\n', searched_); end != std::string::npos; end = printed_.find('\n', searched_)) {
      const std::string line = printed_.substr(searched_, end - searched_);
      searched_ = end + 1;
      if (line.find(text) != std::string::npos) return line;
    }
    if (!ReadMore()) {
      ADD_FAILURE() << "no line with '" << text << "' in:\n" << printed_;
      return "";
    }
  }
}

void ChildProcess::Signal(int signal) {
  if (pid_ > 0) kill(pid_, signal);
}

void ChildProcess::Stop() {
  Signal(SIGSTOP);
  siginfo_t stopped;
  EXPECT_EQ(waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED), 0);
}

int ChildProcess::WaitForExit() {
  while (ReadMore()) {
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace rondo
