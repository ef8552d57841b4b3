#ifndef RONDO_MODEL_TRAIN_LADDER_MARGINS_H_
#define RONDO_MODEL_TRAIN_LADDER_MARGINS_H_

namespace rondo::train {

// What the ladder, and the choice for each series, take for noise. All are parts of the least validation error.

inline constexpr double kNoise = 0.01;      // errors that differ by a smaller part say nothing
inline constexpr double kMeanNoise = 1.03;  // a mean of networks is taken up to this many times the least error
inline constexpr double kNear = 1.25;       // the mean of networks whose errors differ by less may be better than each
inline constexpr double kSure = 0.7;        // a network that would be a larger part of a mean is taken as it is
inline constexpr double kDoubtful = 0.1;    // and where it would be a smaller one, the naive rule is taken

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LADDER_MARGINS_H_
