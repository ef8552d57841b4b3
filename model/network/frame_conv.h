#ifndef RONDO_MODEL_NETWORK_FRAME_CONV_H_
#define RONDO_MODEL_NETWORK_FRAME_CONV_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// A convolution along the length of one timestep's frame (torch.nn.Conv1d).
std::unique_ptr<Element> ReadConv(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_FRAME_CONV_H_
