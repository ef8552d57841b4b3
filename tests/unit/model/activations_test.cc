// The activations of the kernels against float64. They are the same operations with every set of instructions
// (instruction_sets_test), so the plain ones stand for all.
#define RONDO_LANES inline

#include "model/kernels/activations.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "model/kernels/lanes_plain.h"

namespace rondo {
namespace {

constexpr size_t kLanes = 16;

float Bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Every 499th float of either sign up to 2^100, so at least 16,000 between a power of two and the next.
std::vector<float> Grid() {
  std::vector<float> grid;
  for (uint32_t bits = 0x00800000; bits < 0x71800000; bits += 499) {
    grid.push_back(Bits(bits));
    grid.push_back(-Bits(bits));
  }
  grid.resize(grid.size() / kLanes * kLanes);
  return grid;
}

// The distance of neighbouring floats at `value`.
double Ulp(double value) { return std::ldexp(1.0, std::max(std::ilogb(std::abs(value)), -126) - 23); }

// The largest |f(x) - expected(x)| in ulp of what is expected.
template <typename Function, typename Expected>
double LargestError(const Function& function, const Expected& expected, double smallest) {
  double largest = 0;
  const std::vector<float> grid = Grid();
  for (size_t i = 0; i < grid.size(); i += kLanes) {
    const LanesPlain values = function(LanesPlain::Load(&grid[i]));
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double wanted = expected(double{grid[i + lane]});
      if (std::abs(wanted) < smallest) continue;
      const double error = std::abs(values.v[lane] - wanted) / Ulp(wanted);
      largest = error <= largest ? largest : error;
    }
  }
  return largest;
}

double Sigmoid64(double x) { return 1 / (1 + std::exp(-x)); }

TEST(ActivationsTest, TheExponentialIsNearFloat64) {
  const auto exp = [](const LanesPlain& x) {
    const auto e = SplitExp<false>(Clamp(x, -87.0f, 87.0f));
    return LanesPlain::MulAdd(e.scale, e.rest, e.scale);
  };
  EXPECT_LE(LargestError(
                exp, [](double x) { return std::exp(std::clamp(x, -87.0, 87.0)); }, 0),
            1.1);
}

TEST(ActivationsTest, SigmoidIsNearFloat64) {
  EXPECT_LE(LargestError([](const LanesPlain& x) { return Sigmoid(x); }, Sigmoid64, 1.7e-38), 2.2);
}

TEST(ActivationsTest, TanhIsNearFloat64) {
  EXPECT_LE(LargestError([](const LanesPlain& x) { return Tanh(x); }, [](double x) { return std::tanh(x); }, 1.2e-38),
            2.9);
}

TEST(ActivationsTest, TheirProductIsNearFloat64) {
  for (const float gate : {-50.0f, -3.7f, -0.1f, 0.0f, 0.5f, 8.3f, 60.0f}) {
    const double error =
        LargestError([&](const LanesPlain& x) { return SigmoidTimesTanh(LanesPlain::Broadcast(gate), x); },
                     [&](double x) { return Sigmoid64(gate) * std::tanh(x); }, 1e-25);
    EXPECT_LE(error, 4) << gate;
  }
}

TEST(ActivationsTest, AProductThatIsTooSmallIsNearlyZero) {
  for (const float gate : {-60.0f, -87.0f, -1e30f}) {
    const LanesPlain product = SigmoidTimesTanh(LanesPlain::Broadcast(gate), LanesPlain::Broadcast(100));
    EXPECT_GE(product.v[0], 0) << gate;
    EXPECT_LE(product.v[0], 1e-25) << gate;
  }
}

TEST(ActivationsTest, TheLimitsAreThoseOfInfinity) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float large : {88.0f, 1e10f, std::numeric_limits<float>::max(), infinity}) {
    EXPECT_EQ(Sigmoid(LanesPlain::Broadcast(large)).v[0], 1) << large;
    EXPECT_NEAR(Sigmoid(LanesPlain::Broadcast(-large)).v[0], 0, 1.7e-38) << large;
    EXPECT_EQ(Tanh(LanesPlain::Broadcast(large)).v[0], 1) << large;
    EXPECT_EQ(Tanh(LanesPlain::Broadcast(-large)).v[0], -1) << large;
  }
  EXPECT_EQ(Sigmoid(LanesPlain::Broadcast(0)).v[0], 0.5f);
  EXPECT_EQ(Tanh(LanesPlain::Broadcast(0)).v[0], 0);
}

TEST(ActivationsTest, ANotANumberGoesThrough) {
  const LanesPlain nan = LanesPlain::Broadcast(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(std::isnan(Sigmoid(nan).v[0]));
  EXPECT_TRUE(std::isnan(Tanh(nan).v[0]));
  EXPECT_TRUE(std::isnan(SigmoidTimesTanh(nan, LanesPlain::Broadcast(1)).v[0]));
  EXPECT_TRUE(std::isnan(SigmoidTimesTanh(LanesPlain::Broadcast(1), nan).v[0]));
}

}  // namespace
}  // namespace rondo
