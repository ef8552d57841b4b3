// Balances poles on carts by a network that has seen a controller do it: README.md.
//
//   control-loop lessons STEPS >LESSONS.csv     what a controller does that is told the speeds
//   control-loop run SERVER LOOPS SECONDS       loops at 100 Hz, each a session of the server's model "cart"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "client/client.h"
#include "client/examples/control_loop/cart_pole.h"

namespace rondo::control_loop {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr auto kPeriod = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(kStep));

// Writes the position and the angle that are seen in each step, and the force that was answered in the step before. The
// cart is pushed about, so that the controller shows what it does when the pole is not upright.
void WriteLessons(int steps) {
  CartPole cart(0);
  std::mt19937 random(0);
  std::normal_distribution<double> strength(0, 4);
  double force = 0, push = 0;
  std::puts("position,angle,force");
  for (int step = 0; step < steps; ++step) {
    std::printf("%.6g,%.6g,%.6g\n", cart.position(), cart.angle(), force);
    if (step % 20 == 0) push = strength(random);
    force = cart.TeachersForce();
    cart.Push(force + push);
    if (cart.HasFallen()) cart.Start();
  }
}

// What became of a loop.
struct Run {
  std::vector<double> milliseconds;  // of each step, from what is seen to the force
  int late = 0;                      // steps whose force came when the next one was due
  int falls = 0;
  double angles = 0;  // their sum, without signs
  absl::Status status;
};

// Asks for a force every 10 ms from `due` on, and pushes the cart as soon as it has come.
Run Control(Session session, unsigned seed, Clock::time_point due, int steps) {
  Run run;
  CartPole cart(seed);
  for (int step = 0; step < steps; ++step) {
    std::this_thread::sleep_until(due);
    const Clock::time_point asked = Clock::now();
    const absl::StatusOr<std::vector<float>> force =
        session.Step({static_cast<float>(cart.position()), static_cast<float>(cart.angle())});
    const Clock::time_point now = Clock::now();
    if (!force.ok()) {
      run.status = force.status();
      break;
    }
    run.milliseconds.push_back(Milliseconds(now - asked).count());
    run.late += now > due + kPeriod;
    due = std::max(now, due + kPeriod);
    cart.Push(force->front());
    run.angles += std::abs(cart.angle());
    if (cart.HasFallen()) {
      ++run.falls;
      cart.Start();
    }
  }
  return run;
}

// Runs loops side by side. They are asked about one after the other, as carts are that know nothing of each other.
std::vector<Run> ControlAll(std::vector<Session> sessions, int steps) {
  const size_t loops = sessions.size();
  const Clock::time_point begin = Clock::now() + kPeriod;
  std::vector<Run> runs(loops);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < loops; ++i) {
    threads.emplace_back([&, i] {
      runs[i] = Control(std::move(sessions[i]), static_cast<unsigned>(i), begin + kPeriod * i / loops, steps);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return runs;
}

double MeanAngleWithoutMemory(int loops, int steps) {
  double angles = 0;
  for (int i = 0; i < loops; ++i) {
    CartPole cart(static_cast<unsigned>(i));
    for (int step = 0; step < steps; ++step) {
      cart.Push(cart.ForceWithoutMemory());
      angles += std::abs(cart.angle());
      if (cart.HasFallen()) cart.Start();
    }
  }
  return angles / (static_cast<double>(loops) * steps);
}

// Says on stderr how long the steps took, and prints the mean angle in degrees, and that of a controller without a
// memory.
int Report(const std::vector<Run>& runs, int steps) {
  Run all;
  for (const Run& run : runs) {
    if (!run.status.ok()) {
      std::fprintf(stderr, "control-loop: %s\n", run.status.ToString().c_str());
      return 1;
    }
    all.milliseconds.insert(all.milliseconds.end(), run.milliseconds.begin(), run.milliseconds.end());
    all.late += run.late;
    all.falls += run.falls;
    all.angles += run.angles;
  }
  std::vector<double>& times = all.milliseconds;
  std::sort(times.begin(), times.end());
  const auto part = [&](double quantile) {
    return times[static_cast<size_t>(static_cast<double>(times.size()) * quantile)];
  };
  std::fprintf(stderr,
               "%zu steps: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, longest %.2f ms; %d over the deadline of %.0f ms; "
               "%d falls\n",
               times.size(), part(0.5), part(0.99), part(0.999), times.back(), all.late, 1000 * kStep, all.falls);
  const double degrees = 180 / M_PI;
  std::printf("%.3f %.3f\n", degrees * all.angles / static_cast<double>(times.size()),
              degrees * MeanAngleWithoutMemory(static_cast<int>(runs.size()), std::min(steps, 3000)));
  return 0;
}

int RunLoops(const std::string& server, int loops, double seconds) {
  const absl::StatusOr<Client> client = Client::Connect(server);
  if (!client.ok()) {
    std::fprintf(stderr, "control-loop: %s\n", client.status().ToString().c_str());
    return 1;
  }
  std::vector<Session> sessions;
  for (int i = 0; i < loops; ++i) {
    absl::StatusOr<Session> session = client->OpenSession("cart", "cart-" + std::to_string(i));
    if (!session.ok()) {
      std::fprintf(stderr, "control-loop: %s\n", session.status().ToString().c_str());
      return 1;
    }
    sessions.push_back(*std::move(session));
  }
  const int steps = std::max(1, static_cast<int>(seconds / kStep));
  return Report(ControlAll(std::move(sessions), steps), steps);
}

int Main(const std::vector<std::string>& arguments) {
  int number = 0;
  double seconds = 0;
  const auto is = [&](absl::string_view what, size_t count) {
    return arguments.size() == count && arguments[0] == what;
  };
  if (is("lessons", 2) && absl::SimpleAtoi(arguments[1], &number) && number > 0) {
    WriteLessons(number);
    return 0;
  }
  if (is("run", 4) && absl::SimpleAtoi(arguments[2], &number) && number > 0 && number <= 1000 &&
      absl::SimpleAtod(arguments[3], &seconds) && seconds > 0 && seconds <= 86400) {
    return RunLoops(arguments[1], number, seconds);
  }
  std::fputs("usage: control-loop lessons STEPS, or control-loop run SERVER LOOPS(1..1000) SECONDS(up to 86400)\n",
             stderr);
  return 2;
}

}  // namespace
}  // namespace rondo::control_loop

int main(int argc, char** argv) { return rondo::control_loop::Main({argv + 1, argv + argc}); }
