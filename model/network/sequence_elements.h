#ifndef RONDO_MODEL_NETWORK_SEQUENCE_ELEMENTS_H_
#define RONDO_MODEL_NETWORK_SEQUENCE_ELEMENTS_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// Give one answer for all timesteps of a whole sequence: the mean or the largest of each number, or what the last or
// the first timestep has.
std::unique_ptr<Element> ReadSequenceMean(AttributeReader& reader);
std::unique_ptr<Element> ReadSequenceMax(AttributeReader& reader);
std::unique_ptr<Element> ReadSequenceLast(AttributeReader& reader);
std::unique_ptr<Element> ReadSequenceFirst(AttributeReader& reader);
// Give the largest or the mean of each window of timesteps: the elements that follow have fewer timesteps.
std::unique_ptr<Element> ReadSequenceMaxPool(AttributeReader& reader);
std::unique_ptr<Element> ReadSequenceAveragePool(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_SEQUENCE_ELEMENTS_H_
