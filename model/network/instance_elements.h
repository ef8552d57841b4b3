#ifndef RONDO_MODEL_NETWORK_INSTANCE_ELEMENTS_H_
#define RONDO_MODEL_NETWORK_INSTANCE_ELEMENTS_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// Mean and deviation of each number of a series so far, kept in the session: [means, deviations]. With `memory` n the
// newest timestep weighs at least 1/n, so that old ones fade.
std::unique_ptr<Element> ReadInstanceStatistics(AttributeReader& reader);
// Scale a value by its statistics, (x - mean) / deviation, and back, x * deviation + mean. A value of several times as
// many numbers, as a forecast of several steps is, takes the statistics over and over.
std::unique_ptr<Element> ReadInstanceScale(AttributeReader& reader);
std::unique_ptr<Element> ReadInstanceUnscale(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_INSTANCE_ELEMENTS_H_
