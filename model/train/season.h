#ifndef RONDO_MODEL_TRAIN_SEASON_H_
#define RONDO_MODEL_TRAIN_SEASON_H_

#include <cstdint>
#include <vector>

#include "model/train/dataset.h"

namespace rondo::train {

// Lists the seasons that rows of a step may have, in timesteps.
std::vector<int64_t> SeasonsOf(const CalendarStep& step);

// Returns the season, in timesteps, by which repeating the value one season before errs least over the validation part;
// of those that fit the step (a day and a week of hours, a week and a year of days, a year of months and so on) and
// that the data reaches back over. 0: there is none.
int64_t FindSeason(const Dataset& dataset);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SEASON_H_
