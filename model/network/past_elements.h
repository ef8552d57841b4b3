#ifndef RONDO_MODEL_NETWORK_PAST_ELEMENTS_H_
#define RONDO_MODEL_NETWORK_PAST_ELEMENTS_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// The last `length` values of a series of one number, the oldest first and the newest last.
std::unique_ptr<Element> ReadLagWindow(AttributeReader& reader);
// The value of `steps` timesteps ago.
std::unique_ptr<Element> ReadDelay(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_PAST_ELEMENTS_H_
