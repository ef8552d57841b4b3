#ifndef RONDO_MODEL_NETWORK_POOLING_H_
#define RONDO_MODEL_NETWORK_POOLING_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// Pooling along the length of a frame, channel by channel: some neighbours at a time, or all of them.
std::unique_ptr<Element> ReadMaxPool(AttributeReader& reader);
std::unique_ptr<Element> ReadAveragePool(AttributeReader& reader);
std::unique_ptr<Element> ReadMean(AttributeReader& reader);
std::unique_ptr<Element> ReadMax(AttributeReader& reader);
std::unique_ptr<Element> ReadSum(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_POOLING_H_
