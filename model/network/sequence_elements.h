#ifndef RONDO_MODEL_NETWORK_SEQUENCE_ELEMENTS_H_
#define RONDO_MODEL_NETWORK_SEQUENCE_ELEMENTS_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// Of a whole sequence, one answer for all its timesteps: the mean or the largest of each number, or what the last or
// the first timestep has.
std::unique_ptr<Element> ReadSequenceMean(AttributeReader& reader);
std::unique_ptr<Element> ReadSequenceMax(AttributeReader& reader);
std::unique_ptr<Element> ReadSequenceLast(AttributeReader& reader);
std::unique_ptr<Element> ReadSequenceFirst(AttributeReader& reader);
// The same of windows of timesteps: what follows has fewer of them.
std::unique_ptr<Element> ReadSequenceMaxPool(AttributeReader& reader);
std::unique_ptr<Element> ReadSequenceAveragePool(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_SEQUENCE_ELEMENTS_H_
