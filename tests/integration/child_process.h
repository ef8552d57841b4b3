#ifndef RONDO_TESTS_INTEGRATION_CHILD_PROCESS_H_
#define RONDO_TESTS_INTEGRATION_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace rondo {

// One of our programs, started beside this test's binary. The test fails if it cannot be, or if it does not do in 60 s
// what is waited for. Killed with the object.
//
// Threads: one.
class ChildProcess {
 public:
  // `program`: e.g. "rondo-server".
  ChildProcess(const std::string& program, std::vector<std::string> arguments);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void WriteInput(const std::string& text);
  // The next line of output or errors that contains `text`; empty: none came.
  std::string WaitForLine(const std::string& text);
  // Everything it has printed and this object has read.
  const std::string& printed() const { return printed_; }

  void Signal(int signal);
  // SIGSTOP, and returns when none of its threads runs any more, which is a while after the signal. SIGCONT lets it go
  // on.
  void Stop();
  // The exit code; minus the signal's number if one ended it.
  int WaitForExit();

 private:
  // False: the other end is closed, or nothing came.
  bool ReadMore();

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string printed_;
  size_t searched_ = 0;  // of printed_, by WaitForLine
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_CHILD_PROCESS_H_
