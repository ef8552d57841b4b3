#ifndef RONDO_CLIENT_EXAMPLES_CONTROL_LOOP_CART_POLE_H_
#define RONDO_CLIENT_EXAMPLES_CONTROL_LOOP_CART_POLE_H_

#include <random>

namespace rondo::control_loop {

inline constexpr double kStep = 0.01;  // seconds

// A pole on a cart that is pushed 100 times a second: the textbook's equations (Barto, Sutton and Anderson 1983),
// without friction.
class CartPole {
 public:
  explicit CartPole(unsigned seed) : random_(seed) { Start(); }

  // Puts the pole almost upright.
  void Start();
  // Goes on by kStep under a force in newtons, at most 10 to either side, and the unevenness of the floor.
  void Push(double force);
  // Tells whether the pole is 30 degrees off, or the cart has left its 4.8 metres.
  bool HasFallen() const;

  double position() const { return position_; }  // metres
  double angle() const { return angle_; }        // radians from upright

  // What a linear controller answers that is told the speeds too.
  double TeachersForce() const;
  // What that controller answers if it sees no speeds.
  double ForceWithoutMemory() const;

 private:
  std::mt19937 random_;
  double position_, speed_, angle_, turn_;
};

}  // namespace rondo::control_loop

#endif  // RONDO_CLIENT_EXAMPLES_CONTROL_LOOP_CART_POLE_H_
