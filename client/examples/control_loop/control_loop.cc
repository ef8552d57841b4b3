// Balances poles on carts by a network that has seen a controller do it: README.md.
//
//   control-loop lessons STEPS >LESSONS.csv     what a controller does that is told the speeds
//   control-loop run SERVER LOOPS SECONDS       loops at 100 Hz, each a session of the server's model "cart"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "client/client.h"
#include "client/examples/control_loop/cart_pole.h"
#include "client/examples/control_loop/loops.h"

namespace rondo::control_loop {
namespace {

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
int Report(Outcome all, int loops, int steps) {
  if (!all.status.ok()) {
    std::fprintf(stderr, "control-loop: %s\n", all.status.ToString().c_str());
    return 1;
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
              degrees * MeanAngleWithoutMemory(loops, std::min(steps, 3000)));
  return 0;
}

int RunLoops(const std::string& server, int loops, double seconds) {
  const absl::StatusOr<Client> client = Client::Connect(server);
  if (!client.ok()) {
    std::fprintf(stderr, "control-loop: %s\n", client.status().ToString().c_str());
    return 1;
  }
  PredictOptions options;
  options.end_with_stream = true;  // the next run begins with carts of its own
  const int steps = std::max(1, static_cast<int>(seconds / kStep));
  return Report(Loops(client->OpenStream("cart", options), loops, steps).Run(), loops, steps);
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
