#ifndef RONDO_MODEL_NETWORK_LAYOUT_H_
#define RONDO_MODEL_NETWORK_LAYOUT_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// Elements that move numbers and compute none.
std::unique_ptr<Element> ReadConcat(AttributeReader& reader);
std::unique_ptr<Element> ReadSlice(AttributeReader& reader);
std::unique_ptr<Element> ReadReshape(AttributeReader& reader);
std::unique_ptr<Element> ReadTranspose(AttributeReader& reader);
std::unique_ptr<Element> ReadPad(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_LAYOUT_H_
