#ifndef RONDO_MODEL_NETWORK_DENSE_ELEMENT_H_
#define RONDO_MODEL_NETWORK_DENSE_ELEMENT_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// y = activation(W x + b).
std::unique_ptr<Element> ReadDense(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_DENSE_ELEMENT_H_
