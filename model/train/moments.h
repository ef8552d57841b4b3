#ifndef RONDO_MODEL_TRAIN_MOMENTS_H_
#define RONDO_MODEL_TRAIN_MOMENTS_H_

#include <cmath>

namespace rondo::train {

// Computes mean and standard deviation of a stream of numbers (Welford 1962). A value type.
class Moments {
 public:
  void Add(double value) {
    ++count_;
    const double distance = value - mean_;
    mean_ += distance / count_;
    squares_ += distance * (value - mean_);
  }
  double count() const { return count_; }
  double mean() const { return mean_; }
  double std() const { return count_ == 0 ? 0 : std::sqrt(squares_ / count_); }

 private:
  double count_ = 0, mean_ = 0, squares_ = 0;
};

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_MOMENTS_H_
