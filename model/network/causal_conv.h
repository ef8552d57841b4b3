#ifndef RONDO_MODEL_NETWORK_CAUSAL_CONV_H_
#define RONDO_MODEL_NETWORK_CAUSAL_CONV_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// A convolution over timesteps, with zeros before the first one; `ahead` timesteps of the future belong to it if asked
// for (ONNX Conv: pads = [(kernel - 1) * dilation - ahead, ahead]).
std::unique_ptr<Element> ReadCausalConv(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_CAUSAL_CONV_H_
