#include "client/examples/control_loop/cart_pole.h"

#include <algorithm>
#include <cmath>

namespace rondo::control_loop {
namespace {

constexpr double kGravity = 9.8, kCart = 1.0, kPole = 0.1, kHalfLength = 0.5;  // m/s^2, kg, kg, m
constexpr double kMostForce = 10.0;                                            // newtons

double Clamped(double force) { return std::clamp(force, -kMostForce, kMostForce); }

}  // namespace

void CartPole::Start() {
  std::uniform_real_distribution<double> near_zero(-0.05, 0.05);
  position_ = near_zero(random_);
  speed_ = near_zero(random_);
  turn_ = near_zero(random_);
  angle_ = 2 * near_zero(random_);
}

void CartPole::Push(double force) {
  force = Clamped(force) + std::normal_distribution<double>(0, 0.5)(random_);
  const double mass = kCart + kPole, moment = kPole * kHalfLength;
  const double sine = std::sin(angle_), cosine = std::cos(angle_);
  const double common = (force + moment * turn_ * turn_ * sine) / mass;
  const double bend = (kGravity * sine - cosine * common) / (kHalfLength * (4.0 / 3 - kPole * cosine * cosine / mass));
  position_ += kStep * speed_;
  speed_ += kStep * (common - moment * bend * cosine / mass);
  angle_ += kStep * turn_;
  turn_ += kStep * bend;
}

bool CartPole::HasFallen() const { return std::abs(angle_) > 30 * M_PI / 180 || std::abs(position_) > 2.4; }

double CartPole::TeachersForce() const { return Clamped(1.5 * position_ + 3 * speed_ + 35 * angle_ + 7 * turn_); }

double CartPole::ForceWithoutMemory() const { return 1.5 * position_ + 35 * angle_; }

}  // namespace rondo::control_loop
