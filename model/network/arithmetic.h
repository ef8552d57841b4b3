#ifndef RONDO_MODEL_NETWORK_ARITHMETIC_H_
#define RONDO_MODEL_NETWORK_ARITHMETIC_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// Combine two values: each number of the first with the number of the second in its place, or, where the second has one
// number or one a channel, with that.
std::unique_ptr<Element> ReadAdd(AttributeReader& reader);
std::unique_ptr<Element> ReadSubtract(AttributeReader& reader);
std::unique_ptr<Element> ReadMultiply(AttributeReader& reader);
std::unique_ptr<Element> ReadDivide(AttributeReader& reader);
// A function of each number.
std::unique_ptr<Element> ReadActivation(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_ARITHMETIC_H_
