#ifndef RONDO_MODEL_NETWORK_INPUT_ELEMENTS_H_
#define RONDO_MODEL_NETWORK_INPUT_ELEMENTS_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// A token's row of a table.
std::unique_ptr<Element> ReadEmbedding(AttributeReader& reader);
// (x - mean) / deviation.
std::unique_ptr<Element> ReadStandardise(AttributeReader& reader);
// x * weight + bias, one of each a channel: a batch norm, folded.
std::unique_ptr<Element> ReadScale(AttributeReader& reader);
// The same values in each timestep.
std::unique_ptr<Element> ReadConstant(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_INPUT_ELEMENTS_H_
