#ifndef RONDO_MODEL_NETWORK_MEMORY_H_
#define RONDO_MODEL_NETWORK_MEMORY_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// Gives what another element answered one timestep ago. That element may be a later one, so that a graph can be any
// recurrence, as networks are that take their states as inputs and give them back as outputs.
std::unique_ptr<Element> ReadMemory(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_MEMORY_H_
