#ifndef RONDO_MODEL_NETWORK_NORMS_H_
#define RONDO_MODEL_NETWORK_NORMS_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// (x - mean) / sqrt(variance + epsilon) * weight + bias over all numbers of a timestep (torch.nn.LayerNorm).
std::unique_ptr<Element> ReadLayerNorm(AttributeReader& reader);
// x / max(sqrt(sum of x^2), epsilon) (torch.nn.functional.normalize).
std::unique_ptr<Element> ReadL2Norm(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_NORMS_H_
